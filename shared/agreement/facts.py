"""The facts that conditions may read of a lead: its declared traits, each of the declared type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.agreement.model import Agreement, Persona, TraitType

BUILT_IN = ("email", "domain", "account", "stage")
"""Attributes of `lead` besides its traits, where they are known."""

_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?\s*", re.ASCII)


def lead_facts(
    traits: Mapping[str, Any],
    *,
    email: str | None,
    account: str | None,
    stage: str | None,
    agreement: Agreement,
) -> dict[str, Any]:
    """The value of `lead` in a condition; what is not known is absent, so that `has(lead.x)` is false."""
    facts = typed_traits(traits, agreement)
    if email:
        facts["email"] = email
        if domain := email.rpartition("@")[2].lower():
            facts["domain"] = domain
    if account:
        facts["account"] = account
    if stage:
        facts["stage"] = stage
    return facts


def persona_of(personas: Sequence[Persona], lead: Mapping[str, Any]) -> str:
    """The id of the first persona that holds for these facts of a lead; empty where none does."""
    facts = {"lead": {name: value for name, value in lead.items() if name != "stage"}}
    return next((it.id for it in personas if it.when.holds(facts)), "")


def typed_traits(traits: Mapping[str, Any], agreement: Agreement) -> dict[str, Any]:
    """The declared traits, each converted to its type; those that cannot be converted are left out."""
    typed = {}
    for name, value in traits.items():
        kind = agreement.traits.get(name)
        if kind is not None and value is not None:
            converted = _CONVERTERS[kind](value)
            if converted is not None:
                typed[name] = converted
    return typed


def fits(value: object, kind: TraitType) -> bool:
    """Whether the value can be converted to this type; None and blank text, which count as missing, fit every type."""
    missing = value is None or (isinstance(value, str) and not value.strip())
    return missing or _CONVERTERS[kind](value) is not None


def _string(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or finite(value) is None:
        return None
    return str(int(value)) if value == value // 1 else str(value)


def number_of(value: object) -> float | None:
    """The number, also where it is written as text; None for what is no number."""
    if isinstance(value, str):
        return finite(float(value)) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return finite(value)


def finite(number: float) -> float | None:
    """The number as a float; None if it is infinite, no number, or too large."""
    try:
        return float(number) if math.isfinite(number) else None
    except OverflowError:
        return None


def boolean_of(value: object) -> bool | None:
    """The truth value, also where it is written as text; None for what is none."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _list(value: object) -> list[str] | None:
    parts = value if isinstance(value, list | tuple) else [value]
    return [text for part in parts if (text := _string(part)) is not None] or None


_CONVERTERS: dict[TraitType, Callable[[object], Any]] = {
    TraitType.STRING: _string,
    TraitType.NUMBER: number_of,
    TraitType.BOOLEAN: boolean_of,
    TraitType.LIST: _list,
}


def promise_facts(
    tier: str, team: str, *, sources: Sequence[str], campaign: str | None, persona: str | None
) -> dict[str, object]:
    """The facts that the conditions of promises read; a lead without a campaign or a persona has an empty one."""
    return {
        "tier": tier,
        "team": team,
        "sources": list(sources),
        "campaign": campaign or "",
        "persona": persona or "",
    }


def handoff_facts(
    *,
    team: str | None,
    tier: str | None,
    source: str | None,
    campaign: str | None,
    channel: str | None,
    persona: str | None,
) -> dict[str, object]:
    """The facts that conditions of `promises` and `money` read; what a handoff lacks is an empty text."""
    facts = {
        "team": team,
        "tier": tier,
        "source": source,
        "campaign": campaign,
        "channel": channel,
        "persona": persona,
    }
    return {name: value or "" for name, value in facts.items()}
