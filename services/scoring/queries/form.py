"""How a lead's profile and its live qualifications lie in their columns, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from services.scoring.domain.lead import Live
from services.scoring.domain.profile import Profile, Said


def written_profile(profile: Profile) -> str:
    """The profile as JSON."""
    return orjson.dumps(
        {
            "signals": profile.signals,
            "traits": profile.traits,
            "emails": profile.emails,
            "phones": profile.phones,
            "sources": sorted(profile.sources),
            "first_campaign": profile.first_campaign,
            "last_campaign": profile.last_campaign,
        }
    ).decode()


def profile_of(written: str) -> Profile:
    """The profile that was written so."""
    told = orjson.loads(written)
    return Profile(
        signals={
            signal: {day: tuple(bucket) for day, bucket in buckets.items()}
            for signal, buckets in told["signals"].items()
        },
        traits={name: tuple(said) for name, said in told["traits"].items()},
        emails=told["emails"],
        phones=told["phones"],
        sources=frozenset(told["sources"]),
        first_campaign=_said(told["first_campaign"]),
        last_campaign=_said(told["last_campaign"]),
    )


def written_live(live: Mapping[str, Live]) -> str:
    """The live qualifications as JSON."""
    return orjson.dumps(
        [
            {
                "lead_id": it.lead_id,
                "qualification": it.qualification,
                "tier": it.tier,
                "raised": it.raised,
                "held": it.held,
            }
            for it in live.values()
        ]
    ).decode()


def live_of(written: str) -> dict[str, Live]:
    """The live qualifications that were written so, by their keys."""
    told: list[dict[str, Any]] = orjson.loads(written)
    found = [Live(**{**it, "lead_id": UUID(it["lead_id"])}) for it in told]
    return {it.key: it for it in found}


def _said(told: list[Any] | None) -> Said | None:
    return None if told is None else (told[0], told[1], told[2])
