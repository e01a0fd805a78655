"""Warnings about traits that no rule can read: the agreement does not declare them, or their values do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.scoring.domain.policy import REP_TRAITS, ScoringPolicy
from services.scoring.ingest.normalize.event import EventWarning
from shared.agreement.facts import BUILT_IN, fits
from shared.agreement.model import TraitType
from shared.agreement.store import NoAgreement, Policies
from shared.db.session import Sessions

MAX_WARNINGS = 20
"""Warnings about the traits of one event."""

ALWAYS_KNOWN = REP_TRAITS | frozenset(BUILT_IN) | {"phone"}
"""Traits that are read though an agreement does not declare them."""

_KINDS = {
    TraitType.STRING: "text",
    TraitType.NUMBER: "a number",
    TraitType.BOOLEAN: "true or false",
    TraitType.LIST: "a list of texts",
}


class DeclaredTraits:
    """The traits that the agreement in force declares, with their types; none are known before `refresh`."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._policies = Policies(ScoringPolicy)
        self._types: Mapping[str, TraitType] | None = None

    def refresh(self) -> None:
        """Read the agreement in force; raises Unavailable while the database is away."""
        with self._sessions() as session:
            try:
                self._types = self._policies.current(session).agreement.traits
            except NoAgreement:
                self._types = None

    def warnings(self, traits: Mapping[str, Any]) -> tuple[EventWarning, ...]:
        """A warning for each trait that no rule can read, at most MAX_WARNINGS; none before an agreement is known."""
        if self._types is None or not traits:
            return ()
        return tuple(_warnings(traits, self._types))[:MAX_WARNINGS]


def _warnings(traits: Mapping[str, Any], types: Mapping[str, TraitType]) -> Iterator[EventWarning]:
    for name, value in traits.items():
        kind = types.get(name)
        if kind is None:
            if name not in ALWAYS_KNOWN:
                message = f"{name[:64]}: the agreement declares no such trait, so no rule reads it"
                yield EventWarning("undeclared_trait", f"traits.{name[:64]}", message)
        elif not fits(value, kind):
            message = (
                f"{name}: the agreement declares {_KINDS[kind]}; this value is read as missing"
            )
            yield EventWarning("unreadable_trait", f"traits.{name}", message)
