"""The handoffs behind a figure of the funnel, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, true, tuple_
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.funnel import Stage
from services.alignment.queries.facts import facts_of
from services.alignment.queries.promises import KEPT
from services.alignment.queries.selection import HAPPENED_AT, IN_STAGE, CountedBy, Selection
from services.alignment.tables import handoffs
from shared.db.time_range import ALWAYS

handoff = handoffs.c
ORDER = (handoff.qualified_at, handoff.lead_id, handoff.qualification)


class Position(NamedTuple):
    """The end of a page: when its last handoff qualified, and which one it is."""

    qualified_at: datetime
    lead_id: UUID
    qualification: int


class CountedHandoff(NamedTuple):
    """A handoff behind a figure, and how often the figure counts it.

    Attainment counts each promise about it, and `reasons_given` its rejection and its loss; other measures count it
    once.
    """

    facts: HandoffFacts
    times: int


class PromiseOutcome(StrEnum):
    """Promises of sales about a lead, by whether they were kept."""

    MET = "met"
    BROKEN = "broken"
    ANY = "any"


_NUMBERS: Mapping[PromiseOutcome, ColumnElement[int]] = {
    PromiseOutcome.MET: KEPT.c.met,
    PromiseOutcome.BROKEN: KEPT.c.broken,
    PromiseOutcome.ANY: KEPT.c.met + KEPT.c.broken,
}
"""How many promises of this kind are about a handoff."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Which handoffs a list has: those of a stage, of which the times are those of `counted_by`."""

    selection: Selection
    stage: Stage = Stage.QUALIFIED
    counted_by: CountedBy = CountedBy.QUALIFIED
    promises: PromiseOutcome | None = None
    """Only those about which promises were so kept or broken."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on the facts."""
        promised = [] if self.promises is None else [_NUMBERS[self.promises] > 0]
        return [*self._of_selection(), *promised, IN_STAGE[self.stage]]

    def _of_selection(self) -> list[ColumnElement[bool]]:
        if self.counted_by is CountedBy.QUALIFIED:
            return self.selection.conditions()
        happened = self.selection.times.conditions(HAPPENED_AT[self.stage])
        return [*replace(self.selection, times=ALWAYS).conditions(), *happened]

    @property
    def times_counted(self) -> ColumnElement[int]:
        """How often the figure counts a handoff: once, or once for each of the promises."""
        return literal(1) if self.promises is None else _NUMBERS[self.promises]


def handoffs_in(
    session: Session, listed: Listed, *, after: Position | None, limit: int
) -> list[CountedHandoff]:
    """The facts of these handoffs, those that qualified last first."""
    statement = (
        select(*(handoff[it] for it in HandoffFacts._fields), listed.times_counted)
        .select_from(handoffs.join(KEPT, true()))
        .where(*listed.conditions())
        .order_by(*(it.desc() for it in ORDER))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*ORDER) < tuple_(*after))
    rows = session.execute(statement)
    return [CountedHandoff(facts_of(facts), times) for *facts, times in rows]
