"""Takes in refused events again, as ops ask for it: after the agreement, or this version, has learned to read them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool

from services.scoring.ingest.errors import InvalidEvent, NowhereToPut, TooDeep
from services.scoring.ingest.pipeline import Pipeline
from services.scoring.ingest.rejections import drop, stored_rejection
from services.scoring.ingest.routes import Results, results_of
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.errors import Rejected
from shared.http.dependencies import Ops
from shared.http.problems import MalformedBody, problems


class UnknownRejection(Rejected):
    """No rejection has this id: it was retried with success, or deleted for its age."""

    code: ClassVar[str] = "unknown_rejection"
    status: ClassVar[int] = 404


class IncompleteRejection(Rejected):
    """Only the first 32 KB of the event are kept, so that it cannot be retried."""

    code: ClassVar[str] = "incomplete_rejection"
    status: ClassVar[int] = 409


RejectionId = Annotated[
    int, Path(ge=1, le=2**63 - 1, description="The `id` of the rejection in the list.")
]


def router(pipeline: Pipeline) -> APIRouter:
    """The route that retries a rejection."""
    routes = APIRouter(tags=["ingest"])

    @routes.post(
        "/v1/rejections/{rejection_id}/retry",
        response_model_exclude_none=True,
        responses=problems(
            UnknownKey, ExpiredKey, WrongScope, UnknownRejection, IncompleteRejection,
            InvalidEvent, TooDeep, MalformedBody, NowhereToPut,
        ),
    )  # fmt: skip
    async def retry(rejection_id: RejectionId, request: Request, _: Ops) -> Results:
        """Takes in the rejection's bytes again, from the same source, as if they came now.

        If all of its events are accepted, the rejection leaves the list. An event that came meanwhile under the same id
        counts once. What is refused again stays as it was, and the answer says why.
        """
        sessions = request.app.state.sessions
        rejection = await run_in_threadpool(stored_rejection, sessions, rejection_id)
        if rejection is None:
            raise UnknownRejection(f"there is no rejection {rejection_id}")
        if not rejection.is_whole:
            raise IncompleteRejection(
                f"the event has {rejection.size} bytes, of which {len(rejection.bytes)} are kept: "
                "let its source send it again"
            )
        outcome = await pipeline.take_again(request, rejection)
        if not outcome.refusals:
            await run_in_threadpool(drop, sessions, rejection_id)
        return Results.model_validate({"results": results_of(outcome)})

    return routes
