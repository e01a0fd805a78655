"""A lead's profile: sums and latest values over its events, which order, batches and merges do not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.scoring.domain.account import account_of
from services.scoring.domain.engagement import (
    Bucket,
    Buckets,
    Signals,
    count,
    engagement,
    merge_buckets,
    without_negligible,
)
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.score import Score
from services.scoring.domain.touches import AUTOMATED_MARKS
from shared.contracts.payloads import MarketingEvent

TimedEvents = Sequence[tuple[float, MarketingEvent]]
"""Events with their time in seconds since 1970."""

LONG_AGO = 0.0
"""The time given to the previous identity of an alias: before every other one."""

DatedValue = tuple[float, str, Any]
"""The time in seconds since 1970 and the key of an event, and a value from it. The later of two is the greater."""


class Profile(NamedTuple):
    """What a lead's events give under one policy. `emails` and `phones` have the time at which each was seen last."""

    signals: Mapping[str, Buckets] = {}
    traits: Mapping[str, DatedValue] = {}
    emails: Mapping[str, float] = {}
    phones: Mapping[str, float] = {}
    sources: frozenset[str] = frozenset()
    first_campaign: DatedValue | None = None
    last_campaign: DatedValue | None = None

    @property
    def email(self) -> str | None:
        """The address that was seen last."""
        return _latest(self.emails)

    @property
    def phone(self) -> str | None:
        """The number that was seen last."""
        return _latest(self.phones)

    @property
    def trait_values(self) -> dict[str, Any]:
        """The latest value of each trait; one that was taken back (null) is absent."""
        return {name: dated[2] for name, dated in self.traits.items() if dated[2] is not None}

    @property
    def account(self) -> str | None:
        """The company's domain: the trait `account`, else the domain of a business e-mail address."""
        account = self.traits["account"][2] if "account" in self.traits else None
        return account if isinstance(account, str) and account else account_of(self.email)

    def facts(self, policy: ScoringPolicy, *, stage: str | None = None) -> dict[str, Any]:
        """The facts that the agreement's conditions read as `lead`."""
        return policy.facts_about(
            self.trait_values, email=self.email, account=self.account, stage=stage
        )

    def facts_asked(self, policy: ScoringPolicy, *, stage: str) -> dict[str, Any]:
        """Those of the facts that the conditions of qualification read, and the required traits."""
        traits = self.traits
        trait_values = {it: traits[it][2] for it in policy.qualification_traits if it in traits}
        account = self.account if "account" in policy.qualification_traits else None
        return policy.facts_about(trait_values, email=self.email, account=account, stage=stage)

    def fit(self, policy: ScoringPolicy) -> Score:
        """The fit. It does not read the stage, so that it depends on nothing but the events."""
        return policy.fit(self.facts(policy))

    def engagement(self, policy: ScoringPolicy, now: datetime) -> Score:
        """The engagement at this instant."""
        return engagement(self.signals, policy.weights, now)


def extend_profile(
    profile: Profile, events: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Profile:
    """The profile with these events, each of which must be new. Parts that do not change stay the same objects."""
    timed = [(event.time.timestamp(), event) for event in events]
    sources = {event.source for event in events}
    dated_identities = [(at, event.identity) for at, event in timed]
    dated_identities += [
        (LONG_AGO, event.previous) for event in events if event.previous is not None
    ]
    campaigns = [_campaign(*it) for it in timed if "campaign" in it[1].context]
    known = [it for it in (profile.first_campaign, profile.last_campaign, *campaigns) if it]
    return Profile(
        _count_signals(profile.signals, timed, policy, now),
        _latest_traits(profile.traits, timed, policy),
        _latest_contacts(
            profile.emails,
            [(at, who.email) for at, who in dated_identities if who.email is not None],
        ),
        _latest_contacts(
            profile.phones,
            [(at, who.phone) for at, who in dated_identities if who.phone is not None],
        ),
        profile.sources if sources <= profile.sources else profile.sources | sources,
        min(known, key=_when, default=None),
        max(known, key=_when, default=None),
    )


def merge_profiles(first: Profile, second: Profile, policy: ScoringPolicy) -> Profile:
    """The profile of the events of both leads; both profiles must be of this policy."""
    campaigns = [
        first.first_campaign, first.last_campaign, second.first_campaign, second.last_campaign
    ]  # fmt: skip
    known = policy.weights.signals
    return first._replace(
        signals={
            name: merge_buckets(
                first.signals.get(name, {}), second.signals.get(name, {}), known[name]
            )
            for name in {**first.signals, **second.signals}
        },
        traits=_merge_traits(first.traits, second.traits),
        emails=_merge_contacts(first.emails, second.emails),
        phones=_merge_contacts(first.phones, second.phones),
        sources=first.sources | second.sources,
        first_campaign=min(filter(None, campaigns), key=_when, default=None),
        last_campaign=max(filter(None, campaigns), key=_when, default=None),
    )


def event_order(event: MarketingEvent) -> tuple[datetime, str, str]:
    """What the order of events goes by: of one instant they are told apart by source and id."""
    return event.time, event.source, event.id


def event_key(event: MarketingEvent) -> str:
    """The natural key of an event."""
    return f"{event.source}/{event.id}"


def _count_signals(
    signals: Signals, timed: TimedEvents, policy: ScoringPolicy, now: datetime
) -> Signals:
    """The buckets of all signals, with the points of these events."""
    changed: dict[str, dict[str, Bucket]] = {}
    for at, event in timed:
        for signal in policy.signals_of(event):
            id_ = signal.id
            if id_ not in changed:
                changed[id_] = dict(signals.get(id_, ()))
            count(changed[id_], signal, at)
    if not changed:
        return signals
    known = policy.weights.signals
    return {**signals, **{it: without_negligible(changed[it], known[it], now) for it in changed}}


def _latest_traits(
    traits: Mapping[str, DatedValue], timed: TimedEvents, policy: ScoringPolicy
) -> Mapping[str, DatedValue]:
    """The latest value of each trait that is stored."""
    trait_events = [
        (at, event)
        for at, event in timed
        if event.traits and AUTOMATED_MARKS.isdisjoint(event.marks)
    ]
    if not trait_events:
        return traits
    latest = dict(traits)
    for at, event in trait_events:
        key = event_key(event)
        for name in policy.kept_traits & event.traits.keys():
            dated = (at, key, event.traits[name])
            if name not in latest or _when(latest[name]) < _when(dated):
                latest[name] = dated
    return latest


def _latest_contacts(
    last_seen: Mapping[str, float], dated_identities: Sequence[tuple[float, str]]
) -> Mapping[str, float]:
    """The time at which each e-mail address, or each phone number, was seen last."""
    if not dated_identities:
        return last_seen
    latest = dict(last_seen)
    for at, contact in dated_identities:
        if at >= latest.get(contact, at):
            latest[contact] = max(at, LONG_AGO)
    return latest


def _campaign(at: float, event: MarketingEvent) -> DatedValue | None:
    fields = event.context["campaign"]
    if not isinstance(fields, dict):
        return None
    campaign = {
        str(name)[:64]: value[:200] for name, value in fields.items() if isinstance(value, str)
    }
    return (at, event_key(event), campaign) if campaign else None


def _when(dated: DatedValue) -> tuple[float, str]:
    return (dated[0], dated[1])


def _latest(last_seen: Mapping[str, float]) -> str | None:
    if len(last_seen) < 2:
        return next(iter(last_seen), None)
    return max(last_seen, key=lambda it: (last_seen[it], it))


def _merge_traits(
    first: Mapping[str, DatedValue], second: Mapping[str, DatedValue]
) -> dict[str, DatedValue]:
    return {
        name: max(filter(None, (first.get(name), second.get(name))), key=_when)
        for name in {**first, **second}
    }


def _merge_contacts(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {it: max(first.get(it, 0.0), second.get(it, 0.0)) for it in {**first, **second}}
