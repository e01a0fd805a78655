"""What people ask about promises, and how it is answered: the shapes of the SLA API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.explanations import Explanation
from services.sla_monitor.domain.reports import Report
from services.sla_monitor.queries.reports import By, Slice, Which
from shared.auth.keys import Caller, KeyScope
from shared.contracts.payloads import Scope
from shared.errors import Rejected
from shared.http.pages import After, Cursor, Limit
from shared.http.parameters import Day, Instant, PlainText

REPORTED = timedelta(days=30)


class EmptyRange(Rejected):
    """`since` does not lie before `until`."""

    code = "empty_range"


def own_of(caller: Caller) -> str | None:
    """The rep whose clocks alone the caller may see; None: everybody's."""
    return caller.subject if caller.scope is KeyScope.REP else None


class Asked(BaseModel):
    """Which promises; each parameter narrows the answer. A rep's key sees that rep's own."""

    model_config = ConfigDict(extra="forbid")

    team: PlainText | None = None
    rep: PlainText | None = None
    tier: PlainText | None = None
    kind: PlainText | None = Field(default=None, description="accept or first_touch.")
    scope: Scope | None = None

    def narrowed(self, caller: Caller, **more: Any) -> Which:
        """What of it the caller may see."""
        own = own_of(caller)
        rep = self.rep if own is None else own
        return Which(self.team, rep, self.tier, self.kind, self.scope, visible_to=own, **more)


class Listed(Asked):
    """Which clocks, from when to when, which page."""

    since: Instant | None = Field(default=None, description="From this instant on.")
    until: Instant | None = Field(default=None, description="Before this instant.")
    limit: Limit = 100
    after: After = None

    cursor: ClassVar = Cursor("at-risk", tuple[AwareDatetime, UUID])

    def which(self, caller: Caller) -> Which:
        """What of it the caller may see; raises EmptyRange."""
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise EmptyRange("`since` must lie before `until`")
        return self.narrowed(caller, since=self.since, until=self.until)

    @property
    def slice(self) -> Slice:
        """The page, and one clock more, which says whether there is another; raises BadCursor."""
        after = None if self.after is None else self.cursor.decode(self.after)
        return Slice(after, self.limit + 1)


class BreachesAsked(Listed):
    """Which breaches."""

    state: Literal["open", "all"] = Field(
        default="open", description="open: nobody has answered yet; all: answered too late as well."
    )

    cursor: ClassVar = Cursor("breaches", tuple[AwareDatetime, UUID])


class ClocksAsked(Listed):
    """Which clocks, in which state."""

    state: State | None = None

    cursor: ClassVar = Cursor("clocks", tuple[AwareDatetime, UUID])


class AttainmentAsked(Asked):
    """Which promises fell due when, and what they are split by."""

    by: By = By.TEAM
    since: Day | None = Field(default=None, description="First date; by default 30 days ago.")
    until: Day | None = Field(default=None, description="Last date; by default today.")

    def dates(self, now: datetime) -> tuple[date, date]:
        """The first and the last date; raises EmptyRange."""
        last = self.until or now.date() + timedelta(days=1)  # somewhere it is tomorrow already
        first = self.since or last - REPORTED
        if first > last:
            raise EmptyRange("`since` must not lie after `until`")
        return first, last


class ClockOut(BaseModel):
    """A promise about a handoff, and what became of it."""

    id: UUID
    handoff_id: UUID
    lead_id: UUID
    lead_name: str | None
    policy: str
    kind: str
    scope: Scope
    hop: int = Field(description="Counts the assignees; 0 for a journey.")
    team: str
    rep: str | None = Field(description="Who holds the handoff, or held it last.")
    tier: str
    calendar: str
    agreement_version: int
    target_s: float = Field(description="Business time that was promised.")
    started_at: datetime
    warn_at: datetime
    due_at: datetime
    state: State
    ended_at: datetime | None = Field(description="When what ended it happened.")
    ended_by: str | None = Field(description="The handoff's change that ended it.")
    at_risk_since: datetime | None
    breached_at: datetime | None = Field(description="The due time, however late it was found.")
    detected_at: datetime | None = Field(description="When a sweep found the breach.")
    retracted_at: datetime | None = Field(
        description="When a breach was taken back, because the answer had come in time after all."
    )
    overdue_s: float = Field(description="Real time since it was due, while nobody answers.")

    @classmethod
    def of(cls, clock: Clock, now: datetime) -> ClockOut:
        """As it stands now."""
        return cls.model_validate(_facts(clock, now))


class IntervalOut(BaseModel):
    """A stretch of open hours that counted."""

    since: datetime
    until: datetime
    seconds: float


class SkippedOut(BaseModel):
    """A date whose hours did not count."""

    on: date
    holiday: str


class ExplanationOut(ClockOut):
    """A clock's time added up, so that a person can check it by hand."""

    zone: str
    intervals: list[IntervalOut] = Field(
        description="What counted from start to due: the target, in sum."
    )
    counted_s: float = Field(description="The sum of the intervals.")
    holidays: list[SkippedOut] = Field(description="Dates whose hours did not count.")
    spent_s: float = Field(description="Business time until it ended, or until now.")
    overdue_business_s: float = Field(description="Business time after it was due.")

    @classmethod
    def explaining(cls, told: Explanation, now: datetime) -> ExplanationOut:
        """The explanation as it is answered."""
        intervals = [
            IntervalOut(since=it.since, until=it.until, seconds=it.seconds) for it in told.intervals
        ]
        return cls(
            **_facts(told.clock, now),
            zone=told.zone,
            intervals=intervals,
            counted_s=sum(it.seconds for it in intervals),
            holidays=[SkippedOut(on=it.on, holiday=it.name) for it in told.skipped],
            spent_s=told.spent.total_seconds(),
            overdue_business_s=told.overdue.total_seconds(),
        )


class SpeedOut(BaseModel):
    """How long answers took: half of them, and nine of ten, at most so long; within 9 %."""

    answers: int
    business_p50_s: float
    business_p90_s: float
    wall_p50_s: float
    wall_p90_s: float


class ReportOut(BaseModel):
    """How a team, a rep, a tier kept its promises, or how all were kept that fell due on a day."""

    group: str = Field(description="The team, rep, tier, or date.")
    attainment: float = Field(description="met of promised, 0 to 1.")
    promised: int = Field(description="met + late + overdue + cancelled.")
    met: int
    late: int = Field(description="Answered after they were due.")
    overdue: int = Field(description="Due, and still not answered.")
    cancelled: int = Field(description="Ended without an answer after they were due.")
    accept: SpeedOut | None = Field(description="Time to accept.")
    first_touch: SpeedOut | None = Field(description="Time to the first touch.")

    @classmethod
    def of(cls, report: Report) -> ReportOut:
        """The report as it is answered."""
        return cls(**asdict(report), promised=report.promised, attainment=report.attainment)


class AttainmentOut(BaseModel):
    """How promises were kept that fell due on these dates, both included."""

    by: By
    since: date
    until: date
    items: list[ReportOut]


def _facts(clock: Clock, now: datetime) -> dict[str, Any]:
    broken = clock.broken_by(now)
    overdue = broken and clock.end is None
    return {
        **{name: getattr(clock, name) for name in _SAME},
        "target_s": clock.target.total_seconds(),
        "ended_at": clock.end and clock.end.at,
        "ended_by": clock.end and clock.end.by,
        "breached_at": clock.due_at if broken else None,
        "at_risk_since": clock.warned_at and clock.warn_at,
        "overdue_s": (now - clock.due_at).total_seconds() if overdue else 0.0,
    }


_SAME = [name for name in ClockOut.model_fields if name in Clock._fields]
