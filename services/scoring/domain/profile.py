"""What a lead's events say of it, as sums and latest values over their set: order, batches and joins change nothing."""

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
from services.scoring.domain.policy import AUTOMATED_MARKS, ScoringPolicy
from services.scoring.domain.score import Score
from shared.contracts.payloads import MarketingEvent

Timed = Sequence[tuple[float, MarketingEvent]]
"""Events with their time in seconds since 1970."""

LONG_AGO = 0.0
"""When somebody was seen as whom an alias replaces: before everything else."""

DatedValue = tuple[float, str, Any]
"""A value with the time and the key of the event that said it, so that of two the later is known."""


class Profile(NamedTuple):
    """A function of the set of a lead's events and the rules, and of nothing else."""

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
        """The company's domain: as told by a group call, else of a business e-mail."""
        account = self.traits["account"][2] if "account" in self.traits else None
        return account if isinstance(account, str) and account else account_of(self.email)

    def facts(self, policy: ScoringPolicy, *, stage: str | None = None) -> dict[str, Any]:
        """What `lead` is in the agreement's conditions."""
        return policy.about(self.trait_values, email=self.email, account=self.account, stage=stage)

    def facts_asked(self, policy: ScoringPolicy, *, stage: str) -> dict[str, Any]:
        """As much of it as the conditions of qualification read, and what is required."""
        traits = self.traits
        trait_values = {it: traits[it][2] for it in policy.qualification_traits if it in traits}
        account = self.account if "account" in policy.qualification_traits else None
        return policy.about(trait_values, email=self.email, account=account, stage=stage)

    def fit(self, policy: ScoringPolicy) -> Score:
        """Who they are; the stage is no part of it, or the score would depend on more than the events."""
        return policy.fit(self.facts(policy))

    def engagement(self, policy: ScoringPolicy, now: datetime) -> Score:
        """What they did, as it weighs now."""
        return engagement(self.signals, policy.weights, now)


def extend_profile(
    profile: Profile, events: Sequence[MarketingEvent], policy: ScoringPolicy, *, now: datetime
) -> Profile:
    """The profile with these events in it; each must be new. What they say nothing of stays the same object."""
    timed = [(event.time.timestamp(), event) for event in events]
    sources = {event.source for event in events}
    dated_identities = [(at, event.identity) for at, event in timed]
    dated_identities += [
        (LONG_AGO, event.previous) for event in events if event.previous is not None
    ]
    campaigns = [_campaign(*it) for it in timed if "campaign" in it[1].context]
    known = [it for it in (profile.first_campaign, profile.last_campaign, *campaigns) if it]
    return Profile(
        _counted(profile.signals, timed, policy, now),
        _learned(profile.traits, timed, policy),
        _met(
            profile.emails,
            [(at, who.email) for at, who in dated_identities if who.email is not None],
        ),
        _met(
            profile.phones,
            [(at, who.phone) for at, who in dated_identities if who.phone is not None],
        ),
        profile.sources if sources <= profile.sources else profile.sources | sources,
        min(known, key=_when, default=None),
        max(known, key=_when, default=None),
    )


def merge_profiles(first: Profile, second: Profile, policy: ScoringPolicy) -> Profile:
    """The profile of the union of both leads' events; both were made under these rules."""
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
        traits=_newest(first.traits, second.traits),
        emails=_last_seen(first.emails, second.emails),
        phones=_last_seen(first.phones, second.phones),
        sources=first.sources | second.sources,
        first_campaign=min(filter(None, campaigns), key=_when, default=None),
        last_campaign=max(filter(None, campaigns), key=_when, default=None),
    )


def event_key(event: MarketingEvent) -> str:
    """What makes an event the same one, wherever it comes from."""
    return f"{event.source}/{event.id}"


def _counted(signals: Signals, timed: Timed, policy: ScoringPolicy, now: datetime) -> Signals:
    """The buckets with the points of these events."""
    touched: dict[str, dict[str, Bucket]] = {}
    for at, event in timed:
        for signal in policy.signals_of(event):
            id_ = signal.id
            if id_ not in touched:
                touched[id_] = dict(signals.get(id_, ()))
            count(touched[id_], signal, at)
    if not touched:
        return signals
    known = policy.weights.signals
    return {**signals, **{it: without_negligible(touched[it], known[it], now) for it in touched}}


def _learned(
    traits: Mapping[str, DatedValue], timed: Timed, policy: ScoringPolicy
) -> Mapping[str, DatedValue]:
    """The latest of each trait that is kept."""
    telling = [
        (at, event)
        for at, event in timed
        if event.traits and AUTOMATED_MARKS.isdisjoint(event.marks)
    ]
    if not telling:
        return traits
    latest = dict(traits)
    for at, event in telling:
        key = event_key(event)
        for name in policy.kept_traits & event.traits.keys():
            dated = (at, key, event.traits[name])
            if name not in latest or _when(latest[name]) < _when(dated):
                latest[name] = dated
    return latest


def _met(
    last_seen: Mapping[str, float], dated_identities: Sequence[tuple[float, str]]
) -> Mapping[str, float]:
    """When each way to reach them was seen last."""
    if not dated_identities:
        return last_seen
    latest = dict(last_seen)
    for at, way in dated_identities:
        if at >= latest.get(way, at):
            latest[way] = max(at, LONG_AGO)
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


def _newest(
    first: Mapping[str, DatedValue], second: Mapping[str, DatedValue]
) -> dict[str, DatedValue]:
    return {
        name: max(filter(None, (first.get(name), second.get(name))), key=_when)
        for name in {**first, **second}
    }


def _last_seen(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {it: max(first.get(it, 0.0), second.get(it, 0.0)) for it in {**first, **second}}
