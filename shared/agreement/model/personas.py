"""The section `personas`: kinds of people, by name."""

from __future__ import annotations

from pydantic import Field

from shared.agreement.cel.condition import Condition
from shared.agreement.model.base import Id, Label, Section


class Persona(Section):
    """A kind of people that leads belong to: the first whose condition holds."""

    id: Id
    when: Condition = Field(description="CEL over `lead`, without its stage.")
    label: Label | None = Field(default=None, description="How people read it; by default the id.")
