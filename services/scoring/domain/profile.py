"""What a lead's events say of it, as sums and latest values over their set: order, batches and joins change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.scoring.domain.account import account_of
from services.scoring.domain.engagement import (
    Bucket,
    Signals,
    bucket_name,
    engagement,
    poured,
    united,
    without_negligible,
)
from services.scoring.domain.rules import NOBODY, Rules
from services.scoring.domain.score import Score
from shared.contracts.payloads import MarketingEvent

Said = tuple[float, str, Any]
"""A value with the time and the key of the event that said it, so that of two the later is known."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A function of the set of a lead's events and the rules, and of nothing else."""

    signals: Signals = field(default_factory=dict)
    traits: Mapping[str, Said] = field(default_factory=dict)
    emails: Mapping[str, float] = field(default_factory=dict)
    phones: Mapping[str, float] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    first_campaign: Said | None = None
    last_campaign: Said | None = None

    @property
    def email(self) -> str | None:
        """The address that was seen last."""
        return _latest(self.emails)

    @property
    def phone(self) -> str | None:
        """The number that was seen last."""
        return _latest(self.phones)

    @property
    def told(self) -> dict[str, Any]:
        """The latest value of each trait; one that was taken back (null) is absent."""
        return {name: said[2] for name, said in self.traits.items() if said[2] is not None}

    @property
    def account(self) -> str | None:
        """The company's domain: as told by a group call, else of a business e-mail."""
        told = self.traits["account"][2] if "account" in self.traits else None
        return told if isinstance(told, str) and told else account_of(self.email)

    def facts(self, rules: Rules, *, stage: str | None = None) -> dict[str, Any]:
        """What `lead` is in the agreement's conditions."""
        return rules.about(self.told, email=self.email, account=self.account, stage=stage)

    def fit(self, rules: Rules) -> Score:
        """Who they are; the stage is no part of it, or the score would depend on more than the events."""
        return rules.fit(self.facts(rules))

    def engagement(self, rules: Rules, now: datetime) -> Score:
        """What they did, as it weighs now."""
        return engagement(self.signals, rules.agreement.scoring, now)


def profiled(
    profile: Profile, events: Iterable[MarketingEvent], rules: Rules, *, now: datetime
) -> Profile:
    """The profile with these events in it; each must be new."""
    signals = {name: dict(buckets) for name, buckets in profile.signals.items()}
    traits = dict(profile.traits)
    emails, phones = dict(profile.emails), dict(profile.phones)
    campaigns = [profile.first_campaign, profile.last_campaign]
    sources = set(profile.sources)
    for event in events:
        at = event.time.timestamp()
        sources.add(event.source)
        _count(event, at, signals, rules)
        _learn(event, at, traits, rules)
        _meet(event, at, emails, phones)
        campaigns.append(_campaign(event, at))
    return Profile(
        signals={
            name: without_negligible(buckets, rules.signals[name], now)
            for name, buckets in signals.items()
        },
        traits=traits,
        emails=emails,
        phones=phones,
        sources=frozenset(sources),
        first_campaign=min(filter(None, campaigns), key=_when, default=None),
        last_campaign=max(filter(None, campaigns), key=_when, default=None),
    )


def merged(one: Profile, other: Profile, rules: Rules) -> Profile:
    """The profile of the union of both leads' events; both were made under these rules."""
    campaigns = [
        one.first_campaign, one.last_campaign, other.first_campaign, other.last_campaign
    ]  # fmt: skip
    return replace(
        one,
        signals={
            name: united(
                one.signals.get(name, {}), other.signals.get(name, {}), rules.signals[name]
            )
            for name in {**one.signals, **other.signals}
        },
        traits=_newest(one.traits, other.traits),
        emails=_last_seen(one.emails, other.emails),
        phones=_last_seen(one.phones, other.phones),
        sources=one.sources | other.sources,
        first_campaign=min(filter(None, campaigns), key=_when, default=None),
        last_campaign=max(filter(None, campaigns), key=_when, default=None),
    )


def event_key(event: MarketingEvent) -> str:
    """What makes an event the same one, wherever it comes from."""
    return f"{event.source}/{event.id}"


def _count(
    event: MarketingEvent, at: float, signals: dict[str, dict[str, Bucket]], rules: Rules
) -> None:
    for signal in rules.counting(event):
        buckets = signals.setdefault(signal.id, {})
        name = bucket_name(signal, at)
        point = (signal.points, signal.points, at)
        buckets[name] = poured(buckets[name], point, signal) if name in buckets else point


def _learn(event: MarketingEvent, at: float, traits: dict[str, Said], rules: Rules) -> None:
    if not event.traits or not NOBODY.isdisjoint(event.marks):
        return
    key = event_key(event)
    for name in rules.kept_traits & event.traits.keys():
        said = (at, key, event.traits[name])
        if name not in traits or _when(traits[name]) < _when(said):
            traits[name] = said


def _meet(
    event: MarketingEvent, at: float, emails: dict[str, float], phones: dict[str, float]
) -> None:
    """Note how to reach them; what an alias replaces is kept as older than everything."""
    for who, seen_at in ((event.identity, at), (event.previous, 0.0)):
        if who is not None and who.email is not None:
            emails[who.email] = max(emails.get(who.email, 0.0), seen_at)
        if who is not None and who.phone is not None:
            phones[who.phone] = max(phones.get(who.phone, 0.0), seen_at)


def _campaign(event: MarketingEvent, at: float) -> Said | None:
    told = event.context.get("campaign")
    if not isinstance(told, Mapping):
        return None
    campaign = {
        str(name)[:64]: value[:200] for name, value in told.items() if isinstance(value, str)
    }
    return (at, event_key(event), campaign) if campaign else None


def _when(said: Said) -> tuple[float, str]:
    return (said[0], said[1])


def _latest(seen: Mapping[str, float]) -> str | None:
    return max(seen, key=lambda it: (seen[it], it), default=None)


def _newest(one: Mapping[str, Said], other: Mapping[str, Said]) -> dict[str, Said]:
    return {
        name: max(filter(None, (one.get(name), other.get(name))), key=_when)
        for name in {**one, **other}
    }


def _last_seen(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {it: max(one.get(it, 0.0), other.get(it, 0.0)) for it in {**one, **other}}
