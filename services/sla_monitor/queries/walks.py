"""Pages of clocks along an index. Clocks are examined for what it does not have, a bounded number a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.queries.clocks import CLOCKS, read_clocks

clock = tables.clocks.c
timer = tables.timers.c

MAX_EXAMINED = 10_000
"""A page examines so many clocks at most, so that a filter that hardly any meets does not read all that ever were."""

Position = tuple[datetime, UUID]
"""The end of a page: the instant that its list is ordered by, and the clock's id."""

_EXAMINED = (
    "team", "rep", "tier", "kind", "scope", "handoff_id", "state", "reported_late", "sources", "campaign",
    "due_on", "ended_at",
)  # fmt: skip
"""The columns that clocks are examined by."""

_TIMED_CLOCKS = tables.timers.join(tables.clocks, timer.clock_id == clock.id)


@dataclass(frozen=True, slots=True)
class Slice:
    """The position after which a page begins, and how many clocks it has at most.

    It examines `max_examined` clocks at most, or as many as there are with None.
    """

    after: Position | None = None
    limit: int = 100
    max_examined: int | None = MAX_EXAMINED


class Listed(NamedTuple):
    """Clocks of a page, and the position that it was examined up to where that ended it early."""

    clocks: list[Clock]
    examined_to: Position | None


@dataclass(frozen=True, slots=True)
class Walk:
    """The columns of an index in whose order clocks are listed, and conditions on the clocks."""

    at: Column[Any]
    id: Column[Any]
    conditions: Sequence[ColumnElement[bool]]
    """The conditions that the index has."""
    newest_first: bool = False
    prefix: Column[Any] | None = None
    """The column that precedes both in the index, of which the conditions leave one value."""
    examined: Callable[[Any], list[ColumnElement[bool]]] | None = None
    """The other conditions, on columns of the clocks that are examined; None: there are none."""

    def steps(self, after: Position | None) -> Select[datetime, UUID]:
        """The instant and the id of each clock after the position, in order."""
        conditions = list(self.conditions)
        if after is not None:
            position = tuple_(self.at, self.id)
            conditions.append(
                position < tuple_(*after) if self.newest_first else position > tuple_(*after)
            )
        columns = (self.at.label("at"), self.id.label("id"))
        in_index = (self.at, self.id) if self.prefix is None else (self.prefix, self.at, self.id)
        return select(*columns).where(*conditions).order_by(*self.order(*in_index))

    def order(self, *columns: ColumnElement[Any]) -> list[ColumnElement[Any]]:
        """The order of the list by these columns."""
        return [it.desc() if self.newest_first else it.asc() for it in columns]


def walked_clocks(session: Session, walk: Walk, page: Slice) -> Listed:
    """The clocks of the page."""
    steps = walk.steps(page.after)
    if walk.examined is None:
        return Listed(_clocks(session, walk, steps.limit(page.limit)), None)
    examined = (
        steps.select_from(tables.clocks if walk.id is clock.id else _TIMED_CLOCKS)
        .add_columns(*(clock[it] for it in _EXAMINED))
        .limit(page.max_examined)
        .subquery("examined")
        .c
    )
    matching = select(examined.at, examined.id).where(*walk.examined(examined))
    matching = matching.order_by(*walk.order(examined.at, examined.id)).limit(page.limit)
    clocks = _clocks(session, walk, matching)
    if len(clocks) == page.limit or page.max_examined is None:
        return Listed(clocks, None)
    last = session.execute(steps.offset(page.max_examined - 1).limit(1)).one_or_none()
    return Listed(clocks, None if last is None else (last.at, last.id))


def _clocks(session: Session, walk: Walk, steps: Select[datetime, UUID]) -> list[Clock]:
    """The clocks of these steps, in their order."""
    listed = steps.subquery("listed")
    clocks = CLOCKS.join(listed, listed.c.id == clock.id)
    return read_clocks(session, clocks.order_by(*walk.order(listed.c.at, listed.c.id)))
