"""Types of fields that several sections have, and the base class of sections."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.documents.limits import AtMost, Between, TextForm

Id = Annotated[
    str,
    AtMost(63),
    TextForm(
        r"[a-z][a-z0-9_]*",
        name="an id",
        words="lower-case letters, digits and `_`, a letter first",
        example="enterprise_emea",
    ),
    Field(description="Lower case, digits, `_`."),
]
Label = Annotated[str, AtMost(200)]
EventType = Annotated[str, AtMost(200)]
Points = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]
Hundred = Annotated[float, Field(ge=0, le=100)]
MaxPoints = Annotated[float, Between(0, 1_000_000)]


class Section(BaseModel):
    """A part of the agreement; an unknown field is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
