"""The check of a draft of the agreement."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Annotated, ClassVar, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.agreement.drafts import SlowDraft, check_draft_within
from shared.auth.keys import UnknownKey, WrongScope
from shared.documents import Fault
from shared.errors import Unavailable
from shared.http.dependencies import OpsOrRead
from shared.http.problems import problems

MAX_DRAFT = 200_000
"""The longest draft that is checked, in characters."""
MAX_FAULTS = 100
"""How many faults of a draft are listed."""
CHECK_S, WALL_S = 8, 30.0
"""How long a check may take: of a processor (300 lines take 1.5 s), and by the clock of a busy machine."""
CHECK_WAIT_S = 5.0
"""How long a check waits for the one before it."""


class ChecksBusy(Unavailable):
    """Another draft is being checked; one is at a time."""

    code: ClassVar[str] = "checks_busy"


class DraftIn(BaseModel):
    """A draft of the agreement."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"source": "leadbaton: 1\nname: Draft\n"}]}
    )

    source: Annotated[str, StringConstraints(max_length=MAX_DRAFT)] = Field(
        description="The file, in YAML."
    )


class FaultOut(BaseModel):
    """A fault of the draft."""

    line: int = Field(description="From 1.")
    column: int = Field(description="From 1.")
    path: str = Field(description="Such as `routing.rules[2].when`; empty for faults of YAML.")
    message: str = Field(description="What is wrong, and how to mend it.")
    hint: str | None = Field(description="The part of the message on how to mend it.")

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """The fault with its hint apart."""
        return cls(
            line=fault.line,
            column=fault.column,
            path=fault.path,
            message=fault.message,
            hint=fault.message.partition("; ")[2] or None,
        )


class DraftOut(BaseModel):
    """What is wrong with the draft."""

    sound: bool
    contents: str | None = Field(description="What a sound draft has, in one line.")
    fault_count: int
    faults: list[FaultOut] = Field(description="The first 100, by line.")


def router() -> APIRouter:
    """The route, which checks one draft at a time."""
    routes = APIRouter()
    check_slot = BoundedSemaphore(1)

    @routes.post(
        "/agreement/check", responses=problems(UnknownKey, WrongScope, SlowDraft, ChecksBusy)
    )
    def check(_: OpsOrRead, body: DraftIn) -> DraftOut:
        """Check a draft as publishing it does, without effect: every fault with line, column and hint.

        Whether its types of events arrive is not checked: `leadbaton agreement check` warns of that too.
        """
        if not check_slot.acquire(timeout=CHECK_WAIT_S):
            raise ChecksBusy("another draft is being checked: try again in a moment")
        try:
            draft = check_draft_within(body.source, processor_s=CHECK_S, wait_s=WALL_S)
        finally:
            check_slot.release()
        return DraftOut(
            sound=not draft.faults,
            contents=draft.contents,
            fault_count=len(draft.faults),
            faults=[FaultOut.of(it) for it in draft.faults[:MAX_FAULTS]],
        )

    return routes
