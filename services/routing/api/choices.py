"""What may be answered about a handoff, by its version of the agreement."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from shared.agreement.model import PauseReason


class ReasonOut(BaseModel):
    """A reason for which a rep may hand the lead back."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    label: str | None
    then: str = Field(
        description="reassign: to another rep; recycle: back to marketing; disqualify: for good."
    )


class OutcomeOut(BaseModel):
    """What a contact may come to."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    label: str | None
    attempt: bool = Field(description="Whether it counts as an attempt.")
    touch: bool = Field(description="Whether it counts as a touch.")
    reached: bool = Field(description="Whether the rep reached the person.")


class PauseReasonOut(BaseModel):
    """A reason for which a rep may pause the handoff."""

    id: str
    label: str | None
    kinds: list[str] = Field(description="The kinds of promises that it pauses.")
    longest_s: float = Field(description="After so many seconds the pause is over by itself.")

    @classmethod
    def of(cls, reason: PauseReason) -> Self:
        """The reason of the agreement."""
        longest_s = reason.longest.total_seconds()
        return cls(id=reason.id, label=reason.label, kinds=list(reason.kinds), longest_s=longest_s)
