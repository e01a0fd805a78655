"""Query parameters that say which handoffs are counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.alignment.domain.conditions import MAX_GROUPS, condition_of, matching
from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.groups import fields_read
from services.alignment.domain.periods import LONGEST, BadPeriod, dates_of
from services.alignment.queries.selection import Selection
from services.alignment.queries.tallies import groups_in
from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.db.time_range import TimeRange
from shared.http.csv_tables import FORMAT, Format
from shared.http.parameters import EmptyRange, FirstDate, LastDate, PlainText

KEY_ERRORS = (UnknownKey, ExpiredKey, WrongScope)
DEFAULT_RANGE = timedelta(days=29)
OR_UNKNOWN = "empty (`=`): those of which it is not known."


Name = Annotated[PlainText, Field(max_length=MAX_NAME)]
"""A name as facts have it: longer ones are shortened to this there, so a longer one is none of them."""


class PeriodParameters(BaseModel):
    """The period of a report."""

    model_config = ConfigDict(extra="forbid")

    period: PlainText | None = Field(
        default=None,
        description="The week, month or quarter of the report: `2026-W47`, `2026-11`, `2026-Q4`. "
        "Its days are those of UTC.",
    )
    since: FirstDate | None = Field(
        default=None,
        description="Instead of `period`: the first date, in UTC, or an instant on it; by default 30 days up to "
        "`until`.",
    )
    until: LastDate | None = Field(
        default=None,
        description="Instead of `period`: the last date, in UTC, or an instant before which it lies; by default "
        "today.",
    )
    format: Format = Field(default=None, description=FORMAT)

    @property
    def names_dates(self) -> bool:
        """Whether the request says which dates it is about."""
        return any(it is not None for it in (self.period, self.since, self.until))

    def dates(self, now: datetime) -> tuple[date, date]:
        """The first and the last date, at most LONGEST apart; raises BadPeriod or EmptyRange."""
        if self.period is not None:
            if self.since is not None or self.until is not None:
                raise BadPeriod("name a `period`, or `since` and `until`, but not both")
            return dates_of(self.period)
        last = self.until or now.astimezone(UTC).date()
        first = self.since or last - DEFAULT_RANGE
        if first > last:
            raise EmptyRange("`since` must not lie after `until`")
        if last - first >= LONGEST:
            raise BadPeriod(
                f"a report covers {LONGEST.days} days at most: name a later `since`, or an earlier `until`"
            )
        return first, last

    def times(self, now: datetime) -> TimeRange:
        """The period as a range of instants; raises BadPeriod or EmptyRange."""
        return TimeRange(*self.instants(now))

    def instants(self, now: datetime) -> tuple[datetime, datetime]:
        """The midnights at which the period begins and ends, in UTC; raises BadPeriod or EmptyRange."""
        first, last = self.dates(now)
        return _midnight(first), _midnight(last + timedelta(days=1))


class Parameters(PeriodParameters):
    """Which handoffs are counted: by when they qualified, and by their facts. Each parameter narrows the answer."""

    campaign: Name | None = Field(
        default=None, description=f"Only leads of this campaign; {OR_UNKNOWN}"
    )
    source: Name | None = Field(
        default=None, description=f"Only leads of this source; {OR_UNKNOWN}"
    )
    channel: Name | None = Field(
        default=None, description=f"Only leads that came by this channel; {OR_UNKNOWN}"
    )
    persona: Name | None = Field(
        default=None, description=f"Only leads of this persona; {OR_UNKNOWN}"
    )
    tier: Name | None = Field(default=None, description=f"Only leads of this tier; {OR_UNKNOWN}")
    team: Name | None = Field(
        default=None, description=f"Only leads that this team has, or had last; {OR_UNKNOWN}"
    )
    rep: Name | None = Field(
        default=None, description=f"Only leads that this rep has, or had last; {OR_UNKNOWN}"
    )

    where: PlainText | None = Field(
        default=None,
        description="Only leads of which this condition is true: CEL over `team`, `tier`, `source`, `campaign`, "
        '`channel` and `persona`, such as `team == "emea" && channel in ["email", "event"]`; `""` is unknown.',
    )

    def selection(self, session: Session, now: datetime) -> Selection:
        """The handoffs that these parameters select; raises BadPeriod, EmptyRange or BadCondition."""
        return self._within(session, self.times(now))

    def facts(self) -> Selection:
        """The conditions on facts, without the period and without `where`."""
        return Selection(
            campaign=self.campaign,
            source=self.source,
            channel=self.channel,
            persona=self.persona,
            tier=self.tier,
            team=self.team,
            rep=self.rep,
        )

    def _within(self, session: Session, times: TimeRange) -> Selection:
        groups, condition = None, None
        if self.where is not None:
            condition = condition_of(self.where)
            fields = fields_read([condition])
            known = groups_in(session, times, fields, limit=MAX_GROUPS + 1)
            groups = matching(condition, fields, known)
        return replace(self.facts(), times=times, groups=groups, where=condition)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
