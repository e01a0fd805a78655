"""Business hours of handoffs, computed by the database from the openings of teams."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
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
    bindparam,
    case,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.orm import Session

from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.speeds import Span, joined, openings
from services.alignment.queries.scopes import Uncounted
from services.alignment.tables import handoffs
from shared.agreement.store import Policies, UnknownVersion

handoff = handoffs.c
HOURS = bindparam("hours", type_=Text)
"""The openings of the teams of the day that is counted."""
_INSTANTS = (handoff.qualified_at, handoff.accepted_at, handoff.contacted_at, handoff.closed_at)


def hours_of(
    session: Session, policies: Policies[AlignmentPolicy], parts: Sequence[Uncounted]
) -> str:
    """The openings of the teams of these handoffs, as HOURS has them; none of versions that were not published here."""
    spans = joined(span for part in parts for span in _spans(session, part))
    calendars = {}
    for version in sorted({it.version for it in spans}):
        with suppress(UnknownVersion):
            calendars[version] = policies.version(session, version).calendars
    return orjson.dumps([it._asdict() for it in openings(spans, calendars)]).decode()


def _spans(session: Session, part: Uncounted) -> list[Span]:
    """From when until when the hours of each team must be known."""
    begin = func.min(func.least(*_INSTANTS))
    end = func.max(func.greatest(*_INSTANTS))
    teams = (handoff.agreement_version, handoff.team)
    statement = (
        select(*teams, begin, end)
        .select_from(part.source)
        .where(
            *part.conditions,
            handoff.agreement_version.is_not(None),
            handoff.team.is_not(None),
            handoff.accepted_at.is_not(None) | handoff.contacted_at.is_not(None),
        )
        .group_by(*teams)
    )
    return list(map(Span._make, session.execute(statement)))


class OpenHours:
    """The openings of teams as a table of a statement."""

    def __init__(self, hours: str | ColumnElement[str]) -> None:
        """`hours` are those of `hours_of`, or HOURS."""
        self.table: TableValuedAlias = (
            func.json_to_recordset(cast(cast(hours, Text), JSON))
            .table_valued(
                column("version", Integer),
                column("team", Text),
                column("base", DateTime(timezone=True)),
                *(column(it, ARRAY(Float)) for it in ("starts_s", "closed_s", "open_s")),
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
        last = func.width_bucket(since_s, hours.starts_s)
        open_s = func.least(since_s - hours.closed_s[last], hours.open_s[last])
        return func.coalesce(open_s, 0.0)
