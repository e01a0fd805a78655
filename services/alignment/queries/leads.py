"""The handoffs behind a figure of the funnel, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.funnel import Stage
from services.alignment.queries.facts import facts_of
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


_HAS_PROMISES: Mapping[PromiseOutcome, ColumnElement[bool]] = {
    outcome: func.jsonb_path_exists(handoff.promises, cast(f"$.*[{index}] ? (@ > 0)", JSONPATH))
    for outcome, index in zip(PromiseOutcome, ("0", "1", "*"), strict=True)
}
"""The condition that promises of this kind are among `{policy: [met, broken]}`."""


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
        promised = [] if self.promises is None else [_HAS_PROMISES[self.promises]]
        return [*self._of_selection(), *promised, IN_STAGE[self.stage]]

    def _of_selection(self) -> list[ColumnElement[bool]]:
        if self.counted_by is CountedBy.QUALIFIED:
            return self.selection.conditions()
        happened = self.selection.times.conditions(HAPPENED_AT[self.stage])
        return [*replace(self.selection, times=ALWAYS).conditions(), *happened]

    def times_counted(self, facts: HandoffFacts) -> int:
        """How often the figure counts this handoff: once, or once for each of the promises."""
        met = sum(it.met for it in facts.promises.values())
        broken = sum(it.broken for it in facts.promises.values())
        match self.promises:
            case None:
                return 1
            case PromiseOutcome.MET:
                return met
            case PromiseOutcome.BROKEN:
                return broken
        return met + broken


def handoffs_in(
    session: Session, listed: Listed, *, after: Position | None, limit: int
) -> list[CountedHandoff]:
    """The facts of these handoffs, those that qualified last first."""
    statement = (
        select(*(handoff[it] for it in HandoffFacts._fields))
        .where(*listed.conditions())
        .order_by(*(it.desc() for it in ORDER))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*ORDER) < tuple_(*after))
    facts = map(facts_of, session.execute(statement))
    return [CountedHandoff(it, listed.times_counted(it)) for it in facts]
