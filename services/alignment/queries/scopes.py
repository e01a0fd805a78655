"""Which handoffs the sums of a figure are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from services.alignment.domain.groups import FIELDS, Groups
from services.alignment.queries.selection import Selection, is_in
from services.alignment.tables import handoffs
from shared.db.time_range import TimeRange

OF_HANDOFF: Mapping[str, ColumnElement[Any]] = {it: handoffs.c[it] for it in FIELDS}
"""The facts by which conditions hold."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Handoffs by when they qualified, by their facts, and by the groups that a condition holds for."""

    times: TimeRange
    filters: Selection | None = None
    groups: Groups | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on handoffs."""
        return [
            *self.times.conditions(handoffs.c.qualified_at),
            *([] if self.filters is None else self.filters.conditions()),
            *([] if self.groups is None else [is_in(self.groups, OF_HANDOFF)]),
        ]
