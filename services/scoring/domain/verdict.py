"""When a lead qualifies, and when it ceases to be qualified.

- A hand-raise qualifies, also again after each closed handoff; while a handoff is live it belongs to that one.
- Crossing the threshold qualifies an `armed` lead once; being above it does nothing. The lead is armed again when
  engagement has fallen below `rearm_below` and the condition of the threshold does not hold.
- A lead that sales gave back (recycled) is not armed either. It is armed when the `wait` of the reason has passed, and
  without one when its engagement has fallen, and qualifies at its next event from then on; or by a hand-raise.
- Without a required trait the lead does not qualify (`blocker`) until the trait arrives.
- A lead that a rep disqualified does not qualify at all, until an event that the agreement names, or ops, reopen it.
- A lead that no rep holds ceases to be qualified when decay takes engagement below `rearm_below`, unless it raised its
  hand, or when it becomes suppressed. A rep who holds a lead keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.scoring.domain.engagement import falls_below
from services.scoring.domain.lead import (
    Lead,
    LiveQualification,
    Stage,
    StageChange,
    facts_of,
    with_events,
)
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import event_order
from services.scoring.domain.touches import TouchPeriod
from shared.contracts.payloads import MarketingEvent, Qualified, Scores
from shared.contracts.topics import MARKETING_EVENTS
from shared.contracts.touches import TouchCause

INCOMPLETE = "incomplete: "
SUPPRESSED = "suppressed: "
DISQUALIFIED = "disqualified: "
"""What a blocker begins with."""
CLOSED = {Stage.WON, Stage.LOST}
NOT_ENGAGED = {Stage.KNOWN, Stage.DISQUALIFIED}
OPEN_TO_MARKETING = {Stage.KNOWN, Stage.ENGAGED, Stage.DISQUALIFIED}

CHECK_AGAIN_AFTER = timedelta(days=1)
"""How long until a lead is reviewed whose engagement is low and for whom the threshold holds nevertheless."""


class Crossing(NamedTuple):
    """A lead that became qualified or ceased to be: what is announced of it."""

    change: Qualified
    live: LiveQualification
    cause: str
    why_now: MarketingEvent | None
    scores: Scores
    at: datetime


class Verdict(NamedTuple):
    """The lead after it was judged, its steps, and the crossings to announce."""

    lead: Lead
    steps: tuple[StageChange, ...] = ()
    crossings: tuple[Crossing, ...] = ()

    @property
    def touch_periods(self) -> list[TouchPeriod]:
        """The periods that end with the qualifications among the crossings."""
        return [
            TouchPeriod(
                self.lead.id,
                it.live.lead_id,
                it.live.qualification,
                TouchCause.QUALIFIED,
                it.at,
            )
            for it in self.crossings
            if it.change is Qualified.BECAME
        ]


def assess(
    lead: Lead, events: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Verdict:
    """Add the new events to the lead and judge it once."""
    return judge(with_events(lead, events, policy, now=now), events, policy, now=now)


def judge(
    lead: Lead, new_events: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Verdict:
    """Judge the lead by its scores now; `new_events` came since it was last judged."""
    disqualified_at = lead.disqualified_at
    if disqualified_at is not None and any(
        policy.reopens(it) and it.time > disqualified_at for it in new_events
    ):
        lead = reopened(lead)
    engagement = lead.engagement(policy, now)
    facts = facts_of(lead, engagement, policy)
    if not lead.armed:
        if lead.rearm_at is None:
            may_cross = engagement < policy.rearm_below and not policy.crosses(facts)
        else:
            may_cross = lead.rearm_at <= now
        if may_cross:
            lead = lead._replace(armed=True, rearm_at=None)
    assessment = _Assessment(lead, new_events, policy, engagement, facts, now)
    verdict = _judge_with_sales(assessment) if lead.live else _judge_for_marketing(assessment)
    return _set_active(_set_review(verdict, assessment), now)


def reopened(lead: Lead) -> Lead:
    """The lead as it may qualify again; one that no rep has disqualified stays as it is."""
    if lead.disqualified_at is None:
        return lead
    return lead._replace(disqualified_at=None, blocker=None)


class _Assessment(NamedTuple):
    lead: Lead
    new_events: Sequence[MarketingEvent]
    policy: ScoringPolicy
    engagement: float
    facts: Mapping[str, Any]
    now: datetime

    def crosses(self) -> bool:
        """Whether the threshold qualifies the lead; a recycled lead needs a new event too."""
        stale = self.lead.stage is Stage.RECYCLED and not self.new_events
        return self.lead.armed and not stale and self.policy.crosses(self.facts)

    def announce(self, live: LiveQualification, change: Qualified, cause: str) -> Crossing:
        scores = self.lead.scores(self.policy, self.now)
        return Crossing(change, live, cause, _why_now(self), scores, self.now)


def _judge_for_marketing(assessment: _Assessment) -> Verdict:
    """Judge a lead without a live qualification: whether it qualifies, and what blocks it."""
    lead, policy = assessment.lead, assessment.policy
    if lead.disqualified_at is not None:
        return Verdict(lead)
    suppression = policy.suppression(assessment.facts)
    if suppression is not None and lead.stage not in CLOSED:
        suppressed = lead._replace(blocker=SUPPRESSED + suppression.reason)
        return _step(suppressed, Stage.DISQUALIFIED, f"suppress:{suppression.id}", assessment)
    cause = "hand_raise" if lead.hand_raise else "threshold" if assessment.crosses() else None
    if cause is None or suppression is not None:
        unblocked = lead if lead.blocker is None else lead._replace(blocker=None)
        return _step(unblocked, _marketing_stage(lead), "events", assessment)
    missing_traits = policy.missing_traits(assessment.facts["lead"])
    if missing_traits:
        waiting = lead._replace(blocker=INCOMPLETE + ", ".join(missing_traits))
        return _step(waiting, _marketing_stage(lead), "events", assessment)
    if (lead.blocker or "").startswith(INCOMPLETE):
        cause = "required_trait"
    return _qualify(assessment, cause)


def _qualify(assessment: _Assessment, cause: str) -> Verdict:
    lead = assessment.lead
    number = lead.qualification + 1
    live = LiveQualification(
        lead.id,
        number,
        assessment.policy.tier(assessment.facts),
        hand_raised=lead.hand_raise is not None,
    )
    after = lead._replace(
        qualification=number,
        live={live.key: live},
        armed=False,
        rearm_at=None,
        hand_raise=None,
        blocker=None,
        review_at=None,
    )
    verdict = _step(after, Stage.QUALIFIED, cause, assessment)
    return verdict._replace(crossings=(assessment.announce(live, Qualified.BECAME, cause),))


def _judge_with_sales(assessment: _Assessment) -> Verdict:
    """Judge a lead with a live qualification, which its events belong to."""
    lead = assessment.lead
    live = dict(lead.live)
    if lead.hand_raise:
        live = {key: it._replace(hand_raised=True) for key, it in live.items()}
        lead = lead._replace(live=live, hand_raise=None)
    if any(it.held for it in live.values()):
        return Verdict(_absorb_crossing(lead, assessment))
    suppression = assessment.policy.suppression(assessment.facts)
    if suppression is not None:
        suppressed = lead._replace(live={}, armed=True, blocker=SUPPRESSED + suppression.reason)
        verdict = _step(suppressed, Stage.DISQUALIFIED, f"suppress:{suppression.id}", assessment)
        return _cease(verdict, live, "suppressed", assessment)
    fallen = assessment.engagement < assessment.policy.rearm_below
    if fallen and not any(it.hand_raised for it in live.values()):
        verdict = _step(lead._replace(live={}), Stage.ENGAGED, "decayed", assessment)
        return _cease(verdict, live, "decayed", assessment)
    return Verdict(_absorb_crossing(lead, assessment))


def _cease(
    verdict: Verdict, live: Mapping[str, LiveQualification], cause: str, assessment: _Assessment
) -> Verdict:
    crossings = tuple(assessment.announce(it, Qualified.CEASED, cause) for it in live.values())
    return verdict._replace(crossings=crossings)


def _absorb_crossing(lead: Lead, assessment: _Assessment) -> Lead:
    """The lead, no longer armed if it crosses the threshold now: the crossing belongs to the live handoff."""
    if not assessment.crosses():
        return lead
    return lead._replace(armed=False, rearm_at=None, review_at=None)


def _marketing_stage(lead: Lead) -> Stage:
    """The stage of a lead that does not qualify; a lead that was engaged once stays engaged."""
    if lead.stage not in OPEN_TO_MARKETING:
        return lead.stage
    return Stage.ENGAGED if lead.profile.signals else Stage.KNOWN


def _step(lead: Lead, stage: Stage, cause: str, assessment: _Assessment) -> Verdict:
    if lead.stage is stage:
        return Verdict(lead)
    return Verdict(
        lead._replace(stage=stage), steps=(StageChange(lead.id, stage, cause, assessment.now),)
    )


def _why_now(assessment: _Assessment) -> MarketingEvent | None:
    """The hand-raise, else the latest new event that gave points or traits; None if there is neither."""
    if assessment.lead.hand_raise:
        return MARKETING_EVENTS.codec.decode(assessment.lead.hand_raise)
    relevant_events = [
        event
        for event in assessment.new_events
        if event.traits or any(assessment.policy.signals_of(event))
    ]
    return max(relevant_events, key=event_order, default=None)


def _set_review(verdict: Verdict, assessment: _Assessment) -> Verdict:
    """The verdict with the instant at which time alone will arm the lead again, if it is not armed.

    New points only delay that instant, so that it is computed again only if points were taken. A review that comes too
    early computes the next instant.
    """
    lead, policy = verdict.lead, assessment.policy
    is_blocked = lead.disqualified_at is not None
    if lead.armed or is_blocked or policy.agreement.qualification.threshold is None:
        at = None
    elif (
        lead.review_at is not None
        and lead.review_at > assessment.now
        and not policy.takes_points(assessment.new_events)
    ):
        at = lead.review_at
    else:
        at = _falls_at(assessment) if lead.rearm_at is None else lead.rearm_at
    return verdict if at == lead.review_at else verdict._replace(lead=lead._replace(review_at=at))


def _set_active(verdict: Verdict, now: datetime) -> Verdict:
    """The verdict with activity of now, where the lead is engaged or further and no event was activity when it came.

    So it is where a new agreement gives points for old events, or where a lead qualifies for what it is.
    """
    lead = verdict.lead
    is_to_be_read = lead.known and lead.known_at is None
    if lead.active_at is not None or is_to_be_read or lead.stage in NOT_ENGAGED:
        return verdict
    return verdict._replace(lead=lead._replace(active_at=now))


def _falls_at(assessment: _Assessment) -> datetime | None:
    """When decay alone may arm the lead.

    Where engagement is low already, the condition of the threshold decides, and when it ceases to hold is unknown.
    """
    policy, now = assessment.policy, assessment.now
    if assessment.engagement < policy.rearm_below:
        return now + CHECK_AGAIN_AFTER
    return falls_below(policy.rearm_below, assessment.lead.profile.signals, policy.weights, now=now)
