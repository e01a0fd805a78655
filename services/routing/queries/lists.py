"""Lists of handoffs, by index, and handoffs by the beginning of their id."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, tuple_
from sqlalchemy.orm import Session

from services.routing.domain.handoff import Handoff, State
from services.routing.queries.handoffs import read_handoffs
from services.routing.tables import handoffs
from shared.db.time_range import ALWAYS, TimeRange

ID_DIGITS = 32
"""Hexadecimal digits of an id."""


@dataclass(frozen=True, slots=True)
class HandoffFilter:
    """Which handoffs a list has; a field that is None filters nothing. The times are those of the qualification."""

    state: State | None = None
    team: str | None = None
    rep: str | None = None
    leads: Collection[UUID] | None = None
    times: TimeRange = ALWAYS

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on the table of handoffs."""
        names = {"state": self.state, "team": self.team, "rep": self.rep}
        yield from (handoffs.c[name] == it for name, it in names.items() if it is not None)
        if self.leads is not None:
            yield handoffs.c.lead_id.in_(self.leads)
        yield from self.times.conditions(handoffs.c.qualified_at)


def list_handoffs(
    session: Session,
    handoff_filter: HandoffFilter,
    *,
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[Handoff]:
    """Handoffs, newest first; `before` is the position that the page before ended at."""
    conditions = list(handoff_filter.conditions())
    if before is not None:
        conditions.append(tuple_(handoffs.c.qualified_at, handoffs.c.id) < before)
    return read_handoffs(session, conditions, limit=limit)


def handoffs_by_id_prefix(session: Session, prefix: str, *, limit: int = 2) -> list[Handoff]:
    """The handoffs whose ids begin with these hexadecimal digits."""
    digits = prefix.replace("-", "")
    first, last = (UUID(digits.ljust(ID_DIGITS, digit)) for digit in "0f")
    return read_handoffs(session, [handoffs.c.id.between(first, last)], limit=limit)
