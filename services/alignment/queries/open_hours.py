"""Business hours of handoffs, computed by the database from the openings of teams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    TableValuedAlias,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session

from services.alignment.domain.speeds import Opening, Span
from services.alignment.queries.scopes import Scope
from services.alignment.tables import handoffs

handoff = handoffs.c
_INSTANTS = (handoff.qualified_at, handoff.accepted_at, handoff.contacted_at, handoff.closed_at)


def spans_in(session: Session, scope: Scope) -> list[Span]:
    """From when until when the hours of each team must be known for these handoffs."""
    begin = func.min(func.least(*_INSTANTS))
    end = func.max(func.greatest(*_INSTANTS))
    teams = (handoff.agreement_version, handoff.team)
    statement = (
        select(*teams, begin, end)
        .where(
            *scope.conditions(),
            handoff.agreement_version.is_not(None),
            handoff.team.is_not(None),
            handoff.accepted_at.is_not(None) | handoff.contacted_at.is_not(None),
        )
        .group_by(*teams)
    )
    return list(map(Span._make, session.execute(statement)))


class OpenHours:
    """The openings of teams as a table of a statement."""

    def __init__(self, openings: Sequence[Opening]) -> None:
        rows = orjson.dumps([it._asdict() for it in openings]).decode()
        self.table: TableValuedAlias = (
            func.json_to_recordset(cast(literal(rows, Text), JSON))
            .table_valued(
                column("version", Integer),
                column("team", Text),
                column("base", DateTime(timezone=True)),
                *(column(it, ARRAY(Float)) for it in ("starts", "ends", "sums")),
                name="hours",
            )
            .render_derived(with_types=True)
        )

    @property
    def of_handoff(self) -> ColumnElement[bool]:
        """The condition under which an opening is that of a handoff: of its team, as the lead qualified."""
        hours = self.table.c
        return and_(hours.version == handoff.agreement_version, hours.team == handoff.team)

    def seconds_between(
        self, begin: ColumnElement[Any], end: ColumnElement[Any]
    ) -> ColumnElement[float]:
        """The open time between two instants; nothing if the second is not the later one; null without hours."""
        hours = self.table.c
        opened = self._before(end) - self._before(begin)
        return case((hours.base.is_(None), None), (end <= begin, 0.0), else_=opened)

    def _before(self, instant: ColumnElement[Any]) -> ColumnElement[float]:
        """The open time from the base to the instant; the last opening that has begun is found by bisection."""
        hours = self.table.c
        since_s = cast(func.date_part("epoch", instant - hours.base), Float)
        last = func.width_bucket(since_s, hours.starts)
        in_last_s = func.least(since_s, hours.ends[last]) - hours.starts[last]
        return case((last > 0, hours.sums[last] + in_last_s), else_=0.0)
