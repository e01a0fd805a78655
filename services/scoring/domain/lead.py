"""A lead: its profile, its score and its stage; how events and merges change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from services.scoring.domain.engagement import worth
from services.scoring.domain.first_events import first_activity, first_naming
from services.scoring.domain.identities import EventMessage, IdentityResolver, Person
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import (
    Profile,
    event_key,
    event_order,
    extend_profile,
    merge_profiles,
)
from services.scoring.domain.score import grade
from shared.contracts.codec import encode
from shared.contracts.payloads import MarketingEvent, Scores


class Stage(StrEnum):
    """How far a lead has come. A merged lead keeps the later of two stages in this order."""

    KNOWN = "known"
    ENGAGED = "engaged"
    DISQUALIFIED = "disqualified"
    RECYCLED = "recycled"
    LOST = "lost"
    WON = "won"
    QUALIFIED = "qualified"
    ACCEPTED = "accepted"


RANK = {stage: rank for rank, stage in enumerate(Stage)}


class LiveQualification(NamedTuple):
    """A qualification that sales has not closed.

    `hand_raised` says that a hand-raise caused it or came since, `held` that a rep holds its handoff.
    """

    lead_id: UUID
    qualification: int
    tier: str
    hand_raised: bool = False
    held: bool = False

    @property
    def key(self) -> str:
        """The natural key of the qualification."""
        return qualification_key(self.lead_id, self.qualification)


class StageChange(NamedTuple):
    """A step of a lead to a stage, with its cause."""

    lead_id: UUID
    stage: Stage
    cause: str
    at: datetime


class Lead(NamedTuple):
    """The state of one lead, computed by one version of the agreement.

    `hand_raise` is the latest event, as JSON, that asked for a rep and belongs to no handoff yet. `armed` says whether
    the lead may cross the threshold; a recycled lead with `rearm_at` is armed then. A lead that a rep has
    disqualified, at `disqualified_at`, does not qualify until it is reopened.

    `known_at` is the time of the first event that names a person; a known lead without one was known before these were
    kept. `active_at` is the time of the first event that was activity by the agreement of when it was added.
    """

    id: UUID
    since: datetime
    version: int
    known: bool = False
    stage: Stage = Stage.KNOWN
    armed: bool = True
    rearm_at: datetime | None = None
    disqualified_at: datetime | None = None
    qualification: int = 0
    fit: float = 0.0
    review_at: datetime | None = None
    blocker: str | None = None
    hand_raise: str | None = None
    known_at: datetime | None = None
    active_at: datetime | None = None
    announced: int = 0
    """How often it was announced that the lead is known, or engaged."""
    live: Mapping[str, LiveQualification] = {}
    profile: Profile = Profile()

    @property
    def person(self) -> Person:
        """What decides about merges of this lead."""
        return Person(self.id, self.since, self.known, frozenset(self.profile.emails))

    @property
    def engaged_at(self) -> datetime | None:
        """When the known lead became engaged: a visitor's activity counts from when the person is known."""
        if self.known_at is None or self.active_at is None:
            return None
        return max(self.known_at, self.active_at)

    def scores(self, policy: ScoringPolicy, now: datetime) -> Scores:
        """The scores at this instant."""
        engagement = self.engagement(policy, now)
        grades = policy.agreement.scoring.grades
        return Scores(
            fit=self.fit, engagement=engagement, grade=grade(self.fit, engagement, grades)
        )

    def engagement(self, policy: ScoringPolicy, now: datetime) -> float:
        """The value of engagement at this instant."""
        return worth(self.profile.signals, policy.weights, now)


def facts_of(lead: Lead, engagement: float, policy: ScoringPolicy) -> dict[str, Any]:
    """The facts that the conditions of qualification may read."""
    facts = lead.profile.facts_asked(policy, stage=lead.stage.value)
    return {
        "lead": facts,
        "persona": policy.persona(facts),
        "fit": lead.fit,
        "engagement": engagement,
        "likelihood": None,
        "grade": grade(lead.fit, engagement, policy.agreement.scoring.grades),
        "hand_raised": lead.hand_raise is not None,
    }


def with_events(
    lead: Lead, events: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Lead:
    """The lead with these new events in its profile, and with the latest hand-raise among them."""
    profile = extend_profile(lead.profile, events, policy, now=now)
    hand_raises = [event for event in events if policy.raises_hand(event)]
    if hand_raises:
        last = max(hand_raises, key=event_order)
        lead = lead._replace(hand_raise=encode(last).decode())
    active_at = first_activity(lead.active_at, events, policy)
    if active_at != lead.active_at:
        lead = lead._replace(active_at=active_at)
    return _with_profile(lead, profile, policy)


def rebuild(
    lead: Lead, events: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Lead:
    """The lead computed by this policy from all of its events; its stage and qualifications stay."""
    blank = lead._replace(version=policy.version, profile=Profile(), review_at=None)
    return _with_profile(blank, extend_profile(Profile(), events, policy, now=now), policy)


def under_policy(lead: Lead, before: ScoringPolicy, policy: ScoringPolicy) -> Lead:
    """The lead under a policy that counts like the one before; its review is kept if `rearm_below` is the same."""
    review_at = lead.review_at if policy.rearm_below == before.rearm_below else None
    return lead._replace(version=policy.version, review_at=review_at)


def merge(stays: Lead, goes: Lead, policy: ScoringPolicy) -> Lead:
    """Two leads as one: the profile of all their events, and the further stage.

    They stay disqualified if one of them was, unless sales have the other one.
    """
    reviews = filter(None, (stays.review_at, goes.review_at)) if policy.only_rises else ()
    disqualified = None if stays.live or goes.live else _last_disqualified(stays, goes)
    merged = stays._replace(
        known=stays.known or goes.known,
        stage=max(stays.stage, goes.stage, key=RANK.__getitem__),
        armed=stays.armed and goes.armed,
        rearm_at=_merged_rearm_at(stays, goes),
        disqualified_at=disqualified.disqualified_at if disqualified else None,
        qualification=max(stays.qualification, goes.qualification),
        review_at=min(reviews, default=None),
        blocker=disqualified.blocker if disqualified else stays.blocker or goes.blocker,
        hand_raise=stays.hand_raise or goes.hand_raise,
        known_at=_merged_known_at(stays, goes),
        active_at=min(filter(None, (stays.active_at, goes.active_at)), default=None),
        live={**goes.live, **stays.live},
    )
    return _with_profile(merged, merge_profiles(stays.profile, goes.profile, policy), policy)


def _merged_rearm_at(*leads: Lead) -> datetime | None:
    """The latest `rearm_at` of the leads that are not armed; None if one of these has none."""
    instants = [lead.rearm_at for lead in leads if not lead.armed]
    known = [it for it in instants if it is not None]
    return max(known, default=None) if len(known) == len(instants) else None


def _merged_known_at(*leads: Lead) -> datetime | None:
    """The earliest `known_at` of the known leads; None if one of these has none."""
    instants = [it.known_at for it in leads if it.known_at is not None]
    return min(instants, default=None) if len(instants) == sum(it.known for it in leads) else None


def _last_disqualified(*leads: Lead) -> Lead | None:
    """The lead that a rep disqualified last, of those that are not reopened."""
    instants = [(it.disqualified_at, it) for it in leads if it.disqualified_at is not None]
    return max(instants, key=itemgetter(0))[1] if instants else None


def resolved_leads(
    resolver: IdentityResolver,
    stored: Mapping[UUID, Lead],
    events: Mapping[UUID, Sequence[EventMessage]],
    policy: ScoringPolicy,
) -> tuple[dict[UUID, Lead], list[StageChange]]:
    """The leads of these events after all merges, and the first step of each new one."""
    leads = dict(stored)
    leads |= {it: Lead(it, resolver.people[it].since, policy.version) for it in resolver.created}
    for stays, goes in resolver.merges:
        leads[stays] = merge(leads[stays], leads.pop(goes), policy)
    steps = [
        StageChange(
            lead_id,
            Stage.KNOWN,
            event_key(events[lead_id][0].payload),
            resolver.people[lead_id].since,
        )
        for lead_id in sorted(resolver.created & leads.keys())
    ]
    identified = {
        lead_id: _identified(leads[lead_id], messages)
        if resolver.people[lead_id].known
        else leads[lead_id]
        for lead_id, messages in events.items()
    }
    return identified, steps


def _identified(lead: Lead, messages: Sequence[EventMessage]) -> Lead:
    """The lead as a known one, since the first event that names a person."""
    if lead.known and lead.known_at is None:
        return lead
    known_at = first_naming(lead.known_at, (it.payload for it in messages))
    if lead.known and known_at == lead.known_at:
        return lead
    return lead._replace(known=True, known_at=known_at)


def qualification_key(lead_id: UUID, qualification: int) -> str:
    """The natural key of a qualification, which routing uses too."""
    return f"{lead_id}/{qualification}"


def _with_profile(lead: Lead, profile: Profile, policy: ScoringPolicy) -> Lead:
    """The lead with this profile; fit is computed again only if the traits or the e-mail address changed."""
    before = lead.profile
    same = (before.email, before.traits) == (profile.email, profile.traits)
    fit = lead.fit if same and before.sources else profile.fit(policy).value
    return lead._replace(profile=profile, fit=fit)
