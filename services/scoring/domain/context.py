"""What a rep gets with a lead: who, why now, what they did last, where they came from; at most 16 KB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from services.scoring.domain.lead import Lead
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import DatedValue
from services.scoring.domain.score import Part
from shared.contracts.codec import encode
from shared.contracts.payloads import LeadContext, MarketingEvent, Reason, Touch

LIMIT_BYTES = 16_000
"""A little under 16 KB, for the record has other fields too."""

REASONS = 8
RECENT = 10
TEXT = 300
FIELDS = 20


def lead_context(
    lead: Lead,
    policy: ScoringPolicy,
    *,
    why_now: MarketingEvent | None,
    recent: Sequence[MarketingEvent],
    now: datetime,
) -> LeadContext:
    """The lead for a rep; what does not fit is left out: the oldest events, then details, then traits."""
    profile = lead.profile
    traits = _plain(profile.trait_values)
    whole = LeadContext(
        email=profile.email,
        phone=profile.phone,
        name=_name(traits),
        company=_company(profile.trait_values),
        account=profile.account,
        traits=traits,
        why_now=None if why_now is None else touch(why_now),
        reasons=tuple(top_reasons(lead, policy, now=now)),
        recent=tuple(touch(event) for event in recent[:RECENT]),
        first_campaign=_campaign(profile.first_campaign),
        last_campaign=_campaign(profile.last_campaign),
        sources=tuple(sorted(profile.sources))[:FIELDS],
    )
    bare = LeadContext(email=profile.email, phone=profile.phone)
    return next((it for it in _ever_smaller(whole) if _bytes(it) <= LIMIT_BYTES), bare)


def top_reasons(lead: Lead, policy: ScoringPolicy, *, now: datetime) -> list[Reason]:
    """The rules that gave most, and those that took, by weight."""
    parts = (*lead.profile.fit(policy).parts, *lead.profile.engagement(policy, now).parts)
    weightiest = sorted(parts, key=lambda part: (-abs(part.points), part.rule))
    return [reason_of(part) for part in weightiest if abs(part.points) >= 0.05][:REASONS]


def reason_of(part: Part) -> Reason:
    """A part as others read it, to a hundredth of a point."""
    return Reason(rule=part.rule, label=part.label, points=round(part.points, 2))


def touch(event: MarketingEvent) -> Touch:
    """An event for somebody who reads, with what is short enough to be read."""
    page = event.context.get("page")
    fields = {**(page if isinstance(page, Mapping) else {}), **event.properties}
    return Touch(
        id=event.id,
        type=event.type,
        time=event.time,
        title=_text(fields.get("title") or fields.get("name")),
        url=_text(fields.get("url") or fields.get("path")),
        properties=_plain(event.properties),
    )


def _ever_smaller(whole: LeadContext) -> Iterator[LeadContext]:
    yield whole
    for kept in range(len(whole.recent) - 1, -1, -1):
        yield replace(whole, recent=whole.recent[:kept])
    why = whole.why_now
    bare = replace(
        whole,
        recent=(),
        why_now=why and replace(why, properties={}),
        first_campaign={},
        last_campaign={},
    )
    for kept in range(len(whole.traits), -1, -1):
        yield replace(bare, traits=dict(list(whole.traits.items())[:kept]))


def _bytes(context: LeadContext) -> int:
    return len(encode(context))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is short and readable, cut where it is not."""
    readable = {
        name[:64]: _text(value) if isinstance(value, str) else value
        for name, value in values.items()
        if isinstance(value, str | int | float)
    }
    return dict(list(readable.items())[:FIELDS])


def _text(value: object) -> str | None:
    return value[:TEXT] if isinstance(value, str) and value else None


def _name(traits: Mapping[str, Any]) -> str | None:
    if whole := _text(traits.get("name")):
        return whole
    parts = (traits.get("first_name"), traits.get("last_name"))
    return " ".join(part for part in parts if isinstance(part, str)) or None


def _company(traits: Mapping[str, Any]) -> str | None:
    company = traits.get("company")
    return _text(company.get("name") if isinstance(company, Mapping) else company)


def _campaign(dated: DatedValue | None) -> dict[str, str]:
    return {} if dated is None else dict(list(dated[2].items())[:FIELDS])
