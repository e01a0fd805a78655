"""A lead's profile and its live qualifications as the JSON of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
import orjson

from services.scoring.domain.engagement import Signals
from services.scoring.domain.lead import LiveQualification
from services.scoring.domain.profile import DatedValue, Profile
from shared.values import Value, loads_exactly


def profile_to_json(profile: Profile) -> str:
    """The profile as JSON."""
    return _encode(_StoredProfile(*profile)).decode()


def profile_from_json(json: str) -> Profile:
    """The profile that `profile_to_json` has written."""
    try:
        stored: _StoredProfile | _OlderProfile = _decode(json)
    except msgspec.ValidationError:
        # Not strict, because exact reading makes texts of some numbers, among them sums.
        stored = msgspec.convert(loads_exactly(json), _OlderProfile, strict=False)
    return Profile(
        stored.signals,
        stored.traits,
        stored.emails,
        stored.phones,
        stored.sources,
        stored.first_campaign,
        stored.last_campaign,
    )


class _StoredProfile(msgspec.Struct, gc=False):
    """The fields of a profile. msgspec converts all parts in a third of the time that Python code takes."""

    signals: Signals
    traits: Mapping[str, tuple[float, str, Value]]
    emails: Mapping[str, float]
    phones: Mapping[str, float]
    sources: frozenset[str]
    first_campaign: DatedValue | None
    last_campaign: DatedValue | None


class _OlderProfile(_StoredProfile, gc=False):
    """A profile in which traits may hold numbers of any size."""

    traits: Mapping[str, DatedValue]


_encode = msgspec.json.Encoder(enc_hook=str).encode  # a NumberText is written as a text
_decode = msgspec.json.Decoder(_StoredProfile).decode


def live_to_json(live: Mapping[str, LiveQualification]) -> str:
    """The live qualifications as JSON."""
    return orjson.dumps(
        [
            {
                "lead_id": it.lead_id,
                "qualification": it.qualification,
                "tier": it.tier,
                "hand_raised": it.hand_raised,
                "held": it.held,
            }
            for it in live.values()
        ]
    ).decode()


def live_from_json(json: str) -> dict[str, LiveQualification]:
    """The live qualifications that `live_to_json` has written, by their keys."""
    entries: list[dict[str, Any]] = orjson.loads(json)
    qualifications = [LiveQualification(**{**it, "lead_id": UUID(it["lead_id"])}) for it in entries]
    return {it.key: it for it in qualifications}
