"""Whether days are announced and counted in time."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.alignment.api.parameters import KEY_ERRORS
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.health import findings
from shared.agreement.store import Policies
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.problems import problems
from shared.process.findings import Finding


class FindingOut(BaseModel):
    """The outcome of one check, in the words of `leadbaton doctor`."""

    check: str = Field(
        description="`daily webhook`: whether what became of campaigns is announced every day; `stale days`: whether "
        "days on which something has changed are counted anew in time."
    )
    ok: bool | None = Field(description="`false`: it is late; null: neither right nor wrong.")
    detail: str
    remedy: str = Field(description="How to mend it; empty where nothing is wrong.")

    @classmethod
    def of(cls, finding: Finding) -> FindingOut:
        """The finding as it is answered."""
        return cls(**asdict(finding))


class AlignmentHealthOut(BaseModel):
    """What alignment does a day at a time, and whether it is late."""

    items: list[FindingOut]


def router(policies: Policies[AlignmentPolicy]) -> APIRouter:
    """The route; `policies` has the agreement's versions."""
    routes = APIRouter()

    @routes.get("/alignment/health", responses=problems(*KEY_ERRORS))
    def alignment_health(session: Tx, now: Now, _: OpsOrRead) -> AlignmentHealthOut:
        """Whether each day is announced to marketing and counted in time, and how to mend it where it is not."""
        of_tasks = findings(session, policies, now)
        return AlignmentHealthOut(items=[FindingOut.of(it) for it in of_tasks])

    return routes
