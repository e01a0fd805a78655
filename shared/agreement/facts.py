"""What the rules may know of a lead: the declared traits, each of its declared type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.agreement.model import Agreement, TraitType

BUILT_IN = ("email", "domain", "account", "stage")
"""What `lead` has besides traits, where it is known."""

_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?\s*", re.ASCII)


def lead_facts(
    traits: Mapping[str, Any],
    *,
    email: str | None,
    account: str | None,
    stage: str | None,
    agreement: Agreement,
) -> dict[str, Any]:
    """What `lead` is in a condition; what is not known is absent, so that `has(lead.x)` can ask."""
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


def typed_traits(traits: Mapping[str, Any], agreement: Agreement) -> dict[str, Any]:
    """The declared traits that are there and are, or can be read as, what was declared."""
    typed = {}
    for name, sent in traits.items():
        kind = agreement.traits.get(name)
        if kind is not None and sent is not None and (value := _READ[kind](sent)) is not None:
            typed[name] = value
    return typed


def _string(sent: object) -> str | None:
    if isinstance(sent, str):
        return sent if sent.strip() else None
    if isinstance(sent, bool) or not isinstance(sent, int | float) or finite(sent) is None:
        return None
    return str(int(sent)) if sent == sent // 1 else str(sent)


def _number(sent: object) -> float | None:
    if isinstance(sent, str):
        return finite(float(sent)) if _NUMBER.fullmatch(sent) else None
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        return None
    return finite(sent)


def finite(number: float) -> float | None:
    """As a float, unless it is none that anybody can count with."""
    try:
        return float(number) if math.isfinite(number) else None
    except OverflowError:
        return None


def _boolean(sent: object) -> bool | None:
    if isinstance(sent, str):
        return {"true": True, "false": False}.get(sent.strip().lower())
    return sent if isinstance(sent, bool) else None


def _list(sent: object) -> list[str] | None:
    parts = sent if isinstance(sent, list | tuple) else [sent]
    return [text for part in parts if (text := _string(part)) is not None] or None


_READ: dict[TraitType, Callable[[object], Any]] = {
    TraitType.STRING: _string,
    TraitType.NUMBER: _number,
    TraitType.BOOLEAN: _boolean,
    TraitType.LIST: _list,
}
