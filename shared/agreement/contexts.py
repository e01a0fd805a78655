"""Where conditions stand in the agreement, and what each of them may speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.agreement.cel.check import Names
from shared.agreement.cel.condition import Condition
from shared.agreement.facts import BUILT_IN
from shared.agreement.model import Agreement, TraitType
from shared.documents import Path

_TYPES = {
    TraitType.STRING: "string",
    TraitType.NUMBER: "double",
    TraitType.BOOLEAN: "bool",
    TraitType.LIST: "list<string>",
}
EVENT: Names = (
    ("event.type", "string"),
    ("event.properties", "map<string, dyn>"),
    ("event.context", "map<string, dyn>"),
    ("event.url", "string"),
    ("event.path", "string"),
)
NUMBERS: Names = (
    ("fit", "double"),
    ("engagement", "double"),
    ("likelihood", "double"),
    ("grade", "string"),
    ("hand_raised", "bool"),
)
ROUTED: Names = tuple(it for it in NUMBERS if it[0] != "likelihood")
REP: Names = tuple(
    [(f"rep.{name}", "string") for name in ("id", "name", "email", "team")]
    + [(f"rep.{name}", "list<string>") for name in ("territories", "languages", "skills", "segments")]
)  # fmt: skip
TIER: Names = (("tier", "string"),)
TEAM: Names = (("team", "string"),)


def conditions(agreement: Agreement) -> Iterator[tuple[Path, Condition, Names]]:
    """Each condition with what it may speak of."""
    for section, part, field, names in places(lead_names(agreement.traits)):
        found = getattr(getattr(agreement, section), part)
        many = isinstance(found, tuple)
        for at, rule in enumerate(found if many else (found,)):
            if condition := getattr(rule, field, None):
                yield (section, part, *((at,) if many else ()), field), condition, names


def lead_names(traits: Mapping[str, TraitType]) -> Names:
    """What `lead` has when these traits are declared."""
    declared = tuple((f"lead.{name}", _TYPES[kind]) for name, kind in traits.items())
    return (*declared, *((f"lead.{name}", "string") for name in BUILT_IN))


def places(lead: Names) -> tuple[tuple[str, str, str, Names], ...]:
    """Section, part and field of every condition, with what it may speak of."""
    return (
        ("scoring", "fit", "when", lead),
        ("scoring", "signals", "when", EVENT),
        ("qualification", "threshold", "when", lead + NUMBERS),
        ("qualification", "suppress", "when", lead + NUMBERS),
        ("qualification", "tiers", "when", lead + NUMBERS),
        ("routing", "rules", "when", lead + ROUTED + TIER),
        ("routing", "rules", "match", lead + REP + TIER),
        ("sla", "policies", "when", TIER + TEAM),
    )
