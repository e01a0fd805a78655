"""When a lead is handed over: it qualifies when it crosses the line, not while above it.

- A hand-raise qualifies, also again after each closed handoff; while a handoff is live it is part of that one.
- The threshold qualifies once (`armed`), and again when engagement has fallen below `rearm_below`, or when sales gave
  the lead back (recycled): then at its next event, for the lead must show interest anew.
- Without a required trait the lead waits (`hindrance`), and qualifies the moment the trait arrives.
- A lead ceases to be qualified as long as no rep holds it: when decay takes engagement below `rearm_below` (unless it
  raised its hand), or when it becomes suppressed. A rep who holds it keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.scoring.domain.engagement import falls_below
from services.scoring.domain.lead import Lead, Live, Stage, StageChange, facts_of, with_events
from services.scoring.domain.policy import ScoringPolicy
from shared.contracts.payloads import MarketingEvent, Qualified, Scores
from shared.contracts.topics import MARKETING_EVENTS

INCOMPLETE = "incomplete: "
SUPPRESSED = "suppressed: "
CLOSED = {Stage.WON, Stage.LOST}
OPEN_TO_MARKETING = {Stage.KNOWN, Stage.ENGAGED, Stage.DISQUALIFIED}


class Crossing(NamedTuple):
    """A line crossed, for sales to hear of."""

    change: Qualified
    live: Live
    cause: str
    why_now: MarketingEvent | None
    scores: Scores
    at: datetime


class Verdict(NamedTuple):
    """What came of it: the lead, its steps, what sales hears."""

    lead: Lead
    steps: tuple[StageChange, ...] = ()
    crossings: tuple[Crossing, ...] = ()


def assess(
    lead: Lead, events: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Verdict:
    """Fold the new events into the lead and judge it once."""
    return judge(with_events(lead, events, policy, now=now), events, policy, now=now)


def judge(
    lead: Lead, fresh: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Verdict:
    """What the lead's numbers mean now; `fresh` are the events that it has gained since it was last judged."""
    engagement = lead.engagement(policy, now)
    facts = facts_of(lead, engagement, policy)
    if not lead.armed and engagement < policy.rearm_below:
        lead = lead._replace(armed=True)
    assessment = _Assessment(lead, fresh, policy, engagement, facts, now)
    verdict = _judge_with_sales(assessment) if lead.live else _judge_for_marketing(assessment)
    return _set_review(verdict, assessment)


class _Assessment(NamedTuple):
    lead: Lead
    fresh: Sequence[MarketingEvent]
    policy: ScoringPolicy
    engagement: float
    facts: Mapping[str, Any]
    now: datetime

    def crosses(self) -> bool:
        """Whether the threshold qualifies it; a recycled lead must show interest anew."""
        stale = self.lead.stage is Stage.RECYCLED and not self.fresh
        return self.lead.armed and not stale and self.policy.crosses(self.facts)

    def announce(self, live: Live, change: Qualified, cause: str) -> Crossing:
        scores = self.lead.scores(self.policy, self.now)
        return Crossing(change, live, cause, _why_now(self), scores, self.now)


def _judge_for_marketing(assessment: _Assessment) -> Verdict:
    """A lead that is marketing's: is it due, and does anything stand in the way?"""
    lead, policy = assessment.lead, assessment.policy
    suppression = policy.suppression(assessment.facts)
    if suppression is not None and lead.stage not in CLOSED:
        hindered = lead._replace(blocker=SUPPRESSED + suppression.reason)
        return _step(hindered, Stage.DISQUALIFIED, f"suppress:{suppression.id}", assessment)
    cause = "hand_raise" if lead.raised else "threshold" if assessment.crosses() else None
    if cause is None or suppression is not None:
        free = lead if lead.blocker is None else lead._replace(blocker=None)
        return _step(free, _marketing_stage(lead), "events", assessment)
    missing = policy.missing(assessment.facts["lead"])
    if missing:
        waiting = lead._replace(blocker=INCOMPLETE + ", ".join(missing))
        return _step(waiting, _marketing_stage(lead), "events", assessment)
    if (lead.blocker or "").startswith(INCOMPLETE):
        cause = "required_trait"
    return _qualify(assessment, cause)


def _qualify(assessment: _Assessment, cause: str) -> Verdict:
    lead = assessment.lead
    number = lead.qualification + 1
    live = Live(
        lead.id, number, assessment.policy.tier(assessment.facts), raised=lead.raised is not None
    )
    after = lead._replace(
        qualification=number,
        live={live.key: live},
        armed=False,
        raised=None,
        blocker=None,
        review_at=None,
    )
    verdict = _step(after, Stage.QUALIFIED, cause, assessment)
    return verdict._replace(crossings=(assessment.announce(live, Qualified.BECAME, cause),))


def _judge_with_sales(assessment: _Assessment) -> Verdict:
    """A lead that is with sales: what it does meanwhile belongs to the live handoff."""
    lead = assessment.lead
    live = dict(lead.live)
    if lead.raised:
        live = {key: it._replace(raised=True) for key, it in live.items()}
        lead = lead._replace(live=live, raised=None)
    if any(it.held for it in live.values()):
        return Verdict(_absorb_crossing(lead, assessment))
    suppression = assessment.policy.suppression(assessment.facts)
    if suppression is not None:
        hindered = lead._replace(live={}, armed=True, blocker=SUPPRESSED + suppression.reason)
        verdict = _step(hindered, Stage.DISQUALIFIED, f"suppress:{suppression.id}", assessment)
        return _cease(verdict, live, "suppressed", assessment)
    fallen = assessment.engagement < assessment.policy.rearm_below
    if fallen and not any(it.raised for it in live.values()):
        verdict = _step(lead._replace(live={}), Stage.ENGAGED, "decayed", assessment)
        return _cease(verdict, live, "decayed", assessment)
    return Verdict(_absorb_crossing(lead, assessment))


def _cease(
    verdict: Verdict, live: Mapping[str, Live], cause: str, assessment: _Assessment
) -> Verdict:
    crossings = tuple(assessment.announce(it, Qualified.CEASED, cause) for it in live.values())
    return verdict._replace(crossings=crossings)


def _absorb_crossing(lead: Lead, assessment: _Assessment) -> Lead:
    """A crossing while a handoff is live is that handoff's, not the next one's."""
    return lead._replace(armed=False, review_at=None) if assessment.crosses() else lead


def _marketing_stage(lead: Lead) -> Stage:
    """Where a lead stands that is not due: once engaged it stays so."""
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
    """The hand-raise, else the last fresh event that counted or told who they are."""
    if assessment.lead.raised:
        return MARKETING_EVENTS.codec.decode(assessment.lead.raised)
    telling = [
        event
        for event in assessment.fresh
        if event.traits or any(assessment.policy.signals_of(event))
    ]
    return max(telling, key=lambda event: (event.time, event.id), default=None)


def _set_review(verdict: Verdict, assessment: _Assessment) -> Verdict:
    """A lead that is not armed is looked at again when decay alone will have armed it.

    New points only delay that, so that an instant once computed is kept unless points were taken: the review then
    finds it too early, and computes the next one.
    """
    lead, policy = verdict.lead, assessment.policy
    if lead.armed or policy.agreement.qualification.threshold is None:
        at = None
    elif (
        lead.review_at is not None
        and lead.review_at > assessment.now
        and not policy.takes(assessment.fresh)
    ):
        at = lead.review_at
    else:
        at = falls_below(
            policy.rearm_below, lead.profile.signals, policy.weights, now=assessment.now
        )
    return verdict if at == lead.review_at else verdict._replace(lead=lead._replace(review_at=at))
