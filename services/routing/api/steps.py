"""The steps of a handoff as they are answered, and those of ladders about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from services.routing.domain.answers import PastStep
from services.routing.domain.escalations import Action, StepOutcome
from shared.contracts.payloads import Change


class StepOut(BaseModel):
    """A step of a handoff."""

    change: Change
    occurred_at: datetime = Field(description="When it happened.")
    recorded_at: datetime = Field(
        description="When it was reported; later than `occurred_at` where an answer names an earlier time."
    )
    actor: str
    hop: int
    rep: str | None
    details: dict[str, Any]

    @classmethod
    def of(cls, step: PastStep) -> Self:
        """The step as it is shown."""
        return cls(
            change=step.change,
            occurred_at=step.occurred_at,
            recorded_at=step.recorded_at or step.occurred_at,
            actor=step.actor,
            hop=step.hop,
            rep=step.rep,
            details=step.details,
        )


class EscalationOut(BaseModel):
    """A step of a ladder that was to take the handoff from its rep."""

    model_config = ConfigDict(from_attributes=True)

    step: Action
    policy: str = Field(description="The promise whose ladder it is of.")
    hop: int = Field(description="The hop that it was to end.")
    rep: str
    due_at: datetime = Field(description="When the step was due.")
    done_at: datetime | None
    outcome: StepOutcome | None = Field(
        description="`reassigned`: another rep got it. `waiting`: no other rep may have it yet. `returned_to_pool`: it "
        "waits until ops assign it. `unavailable`: the rep gets no leads for some time. Nothing was done: `answered`, "
        "as the rep had accepted it; `moved_on`, as it was not with the rep any more; `already_away`, as another "
        "absence of the rep is recorded. Null while the step is pending."
    )
