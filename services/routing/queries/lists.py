"""Lists of handoffs, each bounded in what it reads, and handoffs by the beginning of their id."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from services.routing.domain.handoff import Handoff, State
from services.routing.queries.handoffs import handoffs_of
from services.routing.tables import handoffs
from shared.db.time_range import ALWAYS, TimeRange

ID_DIGITS = 32
"""Hexadecimal digits of an id."""

MAX_EXAMINED = 10_000
"""A page examines so many handoffs at most, so that a filter that hardly any meets does not read all that ever were."""

Position = tuple[datetime, UUID]
"""Where a page ends: the instant of the qualification, and the handoff's id."""

_CAMPAIGN_NAMES = (
    ("context", "last_campaign", "name"),
    ("context", "last_campaign", "campaign"),
    ("context", "first_campaign", "name"),
    ("context", "first_campaign", "campaign"),
)
"""Where a lead's campaign is named; the first that is not empty counts, as on `handoffs.changed`."""


@dataclass(frozen=True, slots=True)
class HandoffFilter:
    """Which handoffs a list has; a field that is None or empty filters nothing. The times are of the qualification."""

    states: Collection[State] = ()
    team: str | None = None
    rep: str | None = None
    tier: str | None = None
    source: str | None = None
    campaign: str | None = None
    leads: Collection[UUID] | None = None
    times: TimeRange = ALWAYS

    @property
    def meets_few(self) -> bool:
        """Whether few handoffs can meet it: those of some leads, or live ones, which capacity bounds."""
        return self.leads is not None or (bool(self.states) and all(it.live for it in self.states))

    @property
    def is_of_live_states_alone(self) -> bool:
        """Whether it narrows a list to live states and times, and to nothing else: an index has that order."""
        others = (self.team, self.rep, self.tier, self.source, self.campaign, self.leads)
        return self.meets_few and all(it is None for it in others)

    def conditions(self, table: FromClause = handoffs) -> Iterator[ColumnElement[bool]]:
        """The conditions on the table of handoffs, or on a part of it, but for the times.

        The states are part of the statement, so that the index of live handoffs can be used.
        """
        columns = table.c
        if self.states:
            yield columns.state.in_(list(map(_state_text, self.states)))
        names = {"team": self.team, "rep": self.rep, "tier": self.tier}
        yield from (columns[name] == it for name, it in names.items() if it is not None)
        if self.source is not None:
            yield columns.lead[("context", "sources")].has_key(self.source)
        if self.campaign is not None:
            names_of_lead = [func.nullif(columns.lead[it].astext, "") for it in _CAMPAIGN_NAMES]
            yield func.coalesce(*names_of_lead) == self.campaign
        if self.leads is not None:
            yield columns.lead_id.in_(self.leads)


@dataclass(frozen=True, slots=True)
class Slice:
    """The position after which a page begins, its order, and how many handoffs it has at most."""

    after: Position | None = None
    limit: int = 50
    newest_first: bool = True

    def conditions(self, table: FromClause = handoffs) -> Iterator[ColumnElement[bool]]:
        """The condition that a handoff comes after the position."""
        if self.after is not None:
            position = tuple_(table.c.qualified_at, table.c.id)
            yield position < self.after if self.newest_first else position > self.after

    def order(self, table: FromClause = handoffs) -> Sequence[ColumnElement[Any]]:
        """The order of the handoffs in the table, or in a part of it."""
        columns = (table.c.qualified_at, table.c.id)
        return [it.desc() if self.newest_first else it.asc() for it in columns]


class Listed(NamedTuple):
    """Handoffs of a page, and the position that it was examined up to where that ended it early."""

    handoffs: list[Handoff]
    examined_to: Position | None


def list_handoffs(
    session: Session,
    handoff_filter: HandoffFilter,
    page: Slice,
    *,
    max_examined: int = MAX_EXAMINED,
) -> Listed:
    """The page's handoffs. Unless few can meet the filter, it examines `max_examined` at most and may end early."""
    if handoff_filter.is_of_live_states_alone:
        return Listed(handoffs_of(session, _of_live_states(handoff_filter, page)), None)
    if handoff_filter.meets_few:
        return Listed(handoffs_of(session, _of_few(handoff_filter, page)), None)
    times = handoff_filter.times.conditions(handoffs.c.qualified_at)
    within = [*times, *page.conditions()]
    examined = (
        select(*handoffs.c).where(*within).order_by(*page.order()).limit(max_examined).subquery()
    )
    statement = (
        select(*examined.c)
        .where(*handoff_filter.conditions(examined))
        .order_by(*page.order(examined))
        .limit(page.limit)
    )
    rows = handoffs_of(session, statement)
    if len(rows) == page.limit:
        return Listed(rows, None)
    last = (
        select(handoffs.c.qualified_at, handoffs.c.id)
        .where(*within)
        .order_by(*page.order())
        .offset(max_examined - 1)
        .limit(1)
    )
    row = session.execute(last).one_or_none()
    return Listed(rows, None if row is None else (row.qualified_at, row.id))


def every_handoff(session: Session, handoff_filter: HandoffFilter, *, limit: int) -> list[Handoff]:
    """Handoffs, newest first, however many have to be examined for them."""
    rows: list[Handoff] = []
    position: Position | None = None
    while True:
        page = Slice(position, limit - len(rows))
        listed = list_handoffs(session, handoff_filter, page)
        rows += listed.handoffs
        position = listed.examined_to
        if position is None:
            return rows


def handoffs_by_id_prefix(session: Session, prefix: str, *, limit: int = 2) -> list[Handoff]:
    """The handoffs whose ids begin with these hexadecimal digits."""
    digits = prefix.replace("-", "")
    first, last = (UUID(digits.ljust(ID_DIGITS, digit)) for digit in "0f")
    matching = select(*handoffs.c).where(handoffs.c.id.between(first, last))
    return handoffs_of(session, matching.order_by(*Slice().order()).limit(limit))


def _of_live_states(handoff_filter: HandoffFilter, page: Slice) -> Select[*tuple[Any, ...]]:
    """The page of live states: the first of each by the index that has their order, and of these the first."""
    columns = (handoffs.c.id, handoffs.c.qualified_at)
    within = [*handoff_filter.times.conditions(handoffs.c.qualified_at), *page.conditions()]
    of_states = [
        select(*columns)
        .where(handoffs.c.state == _state_text(state), *within)
        .order_by(*page.order())
        .limit(page.limit)
        .subquery()
        for state in sorted(set(handoff_filter.states))
    ]
    first = union_all(*(select(*it.c) for it in of_states)).subquery()
    ids = select(first.c.id).order_by(*page.order(first)).limit(page.limit)
    return select(*handoffs.c).where(handoffs.c.id.in_(ids)).order_by(*page.order())


def _state_text(state: State) -> ColumnElement[str]:
    return literal_column(f"'{state.value}'")


def _of_few(handoff_filter: HandoffFilter, page: Slice) -> Select[*tuple[Any, ...]]:
    """The page where few handoffs meet the filter.

    They are gathered before times and order play a part: else PostgreSQL might go through all handoffs by those.
    """
    few = (
        select(handoffs.c.id, handoffs.c.qualified_at)
        .where(*handoff_filter.conditions())
        .cte("few")
        .prefix_with("materialized", dialect="postgresql")
    )
    within = [*handoff_filter.times.conditions(few.c.qualified_at), *page.conditions(few)]
    ids = select(few.c.id).where(*within).order_by(*page.order(few)).limit(page.limit)
    return select(*handoffs.c).where(handoffs.c.id.in_(ids)).order_by(*page.order())
