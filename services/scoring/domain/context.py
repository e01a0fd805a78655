"""The context that a rep gets with a lead: traits, reasons, the latest events, campaigns; at most 16 KB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from services.scoring.domain.lead import Lead
from services.scoring.domain.naming import company_of, name_of
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import DatedValue
from services.scoring.domain.score import Part
from shared.agreement.facts import typed_traits
from shared.contracts.codec import encode
from shared.contracts.payloads import LeadCard, LeadContext, MarketingEvent, Reason, Touch

TRAITS_BYTES = 400_000
"""The size of all declared traits; a record of Kafka has at most a megabyte."""
LIMIT_BYTES = 16_000
"""A little under 16 KB, since the record has other fields too."""

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
    lead_card: LeadCard | None = None,
    now: datetime,
) -> LeadContext:
    """The context of the lead.

    If it is too large, the oldest events are left out, then what the lead read and bought, then details, then traits.
    """
    profile = lead.profile
    traits = _plain(profile.trait_values)
    full = LeadContext(
        email=profile.email,
        phone=profile.phone,
        name=name_of(traits),
        company=company_of(profile.trait_values),
        account=profile.account,
        persona=policy.persona(profile.facts(policy)) or None,
        traits=traits,
        why_now=None if why_now is None else touch_of(why_now),
        reasons=tuple(top_reasons(lead, policy, now=now)),
        recent=tuple(touch_of(event) for event in recent[:RECENT]),
        first_campaign=_campaign(profile.first_campaign),
        last_campaign=_campaign(profile.last_campaign),
        sources=tuple(sorted(profile.sources))[:FIELDS],
        lead_card=lead_card,
    )
    bare = LeadContext(email=profile.email, phone=profile.phone, persona=full.persona)
    return next((it for it in _smaller_contexts(full) if _bytes(it) <= LIMIT_BYTES), bare)


def declared_traits(lead: Lead, policy: ScoringPolicy) -> dict[str, Any]:
    """The lead's declared traits, each of its type and complete, for conditions.

    So that a record fits into Kafka, the largest values are left out beyond TRAITS_BYTES.
    """
    traits = typed_traits(lead.profile.trait_values, policy.agreement)
    sizes = {name: len(encode(value)) for name, value in traits.items()}
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if sum(sizes.values()) <= TRAITS_BYTES:
            break
        del sizes[name]
    return {name: value for name, value in traits.items() if name in sizes}


def top_reasons(lead: Lead, policy: ScoringPolicy, *, now: datetime) -> list[Reason]:
    """The rules that gave or took most points, those with the most first."""
    parts = (*lead.profile.fit(policy).parts, *lead.profile.engagement(policy, now).parts)
    by_points = sorted(parts, key=lambda part: (-abs(part.points), part.rule))
    return [reason_of(part) for part in by_points if abs(part.points) >= 0.05][:REASONS]


def reason_of(part: Part) -> Reason:
    """A part of a score, rounded to a hundredth of a point."""
    return Reason(rule=part.rule, label=part.label, points=round(part.points, 2))


def touch_of(event: MarketingEvent) -> Touch:
    """An event as a rep reads it: its title, its URL and those properties that are short values."""
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


def _smaller_contexts(full: LeadContext) -> Iterator[LeadContext]:
    yield full
    for kept in range(len(full.recent) - 1, -1, -1):
        yield replace(full, recent=full.recent[:kept])
    lead_card = full.lead_card and replace(full.lead_card, topics=(), pages=(), purchases=())
    full = replace(full, recent=(), lead_card=lead_card)
    yield full
    why = full.why_now
    bare = replace(
        full,
        why_now=why and replace(why, properties={}),
        first_campaign={},
        last_campaign={},
    )
    for kept in range(len(full.traits), -1, -1):
        yield replace(bare, traits=dict(list(full.traits.items())[:kept]))
    if lead_card is not None:
        for kept in range(len(lead_card.form_answers) - 1, -1, -1):
            shorter = replace(lead_card, form_answers=lead_card.form_answers[:kept])
            yield replace(bare, traits={}, lead_card=shorter)
    yield replace(bare, traits={}, lead_card=None)


def _bytes(context: LeadContext) -> int:
    return len(encode(context))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The first FIELDS texts and numbers; long texts are cut."""
    readable = {
        name[:64]: _text(value) if isinstance(value, str) else value
        for name, value in values.items()
        if isinstance(value, str | int | float)
    }
    return dict(list(readable.items())[:FIELDS])


def _text(value: object) -> str | None:
    return value[:TEXT] if isinstance(value, str) and value else None


def _campaign(dated: DatedValue | None) -> dict[str, str]:
    return {} if dated is None else dict(list(dated[2].items())[:FIELDS])
