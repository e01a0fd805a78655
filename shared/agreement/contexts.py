"""The fields of the agreement that hold conditions, and the names that each of them may read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.agreement.cel.check import Names
from shared.agreement.cel.condition import Condition
from shared.agreement.facts import BUILT_IN
from shared.agreement.model import Agreement, TraitType
from shared.documents import Path, Unread

ALL_READ = Unread()
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
    ("grade", "string"),
    ("hand_raised", "bool"),
)
"""The numbers of a lead. `likelihood` is not among them while nothing computes it."""
REP: Names = tuple(
    [(f"rep.{name}", "string") for name in ("id", "name", "email", "team")]
    + [(f"rep.{name}", "list<string>") for name in ("territories", "languages", "skills", "segments")]
)  # fmt: skip
TIER: Names = (("tier", "string"),)
PERSONA: Names = (("persona", "string"),)
TEAM: Names = (("team", "string"),)
ORIGIN: Names = (("sources", "list<string>"), ("campaign", "string"))
"""The sources of a lead's events, and its last campaign, or else its first."""
HANDOFF: Names = tuple(
    (name, "string") for name in ("team", "tier", "source", "campaign", "channel", "persona")
)
"""What is known of a handoff in reports; what it lacks is an empty text."""


def conditions(
    agreement: Agreement, unread: Unread = ALL_READ
) -> Iterator[tuple[Path, Condition, Names]]:
    """Each condition with its path and the names that it may read; a trait whose type is unread may be of any."""
    lead = lead_names(agreement.traits) + _unread_traits(unread)
    for section, part, field, names in condition_fields(lead):
        entries = getattr(agreement, section)
        rules = getattr(entries, part, ()) if part else entries
        path: Path = (section, part) if part else (section,)
        many = isinstance(rules, tuple)
        for at, rule in enumerate(rules if many else (rules,)):
            if condition := getattr(rule, field, None):
                yield (*path, *((at,) if many else ()), field), condition, names


def _unread_traits(unread: Unread) -> Names:
    names = sorted(str(it[1]) for it in unread.paths if len(it) == 2 and it[0] == "traits")
    if unread.covers(("traits",)):
        return (("lead", "dyn"),)
    return tuple((f"lead.{name}", "dyn") for name in names)


def lead_names(traits: Mapping[str, TraitType]) -> Names:
    """The names of `lead` when these traits are declared."""
    declared = tuple((f"lead.{name}", _TYPES[kind]) for name, kind in traits.items())
    return (*declared, *((f"lead.{name}", "string") for name in BUILT_IN))


def condition_fields(lead: Names) -> tuple[tuple[str, str, str, Names], ...]:
    """Section, part and field of every condition, with the names that it may read.

    A section that is a list itself has an empty part.
    """
    of_fit = tuple(it for it in lead if it[0] != "lead.stage")
    return (
        ("personas", "", "when", of_fit),
        ("scoring", "fit", "when", of_fit),
        ("scoring", "signals", "when", EVENT),
        ("qualification", "threshold", "when", lead + NUMBERS + PERSONA),
        ("qualification", "suppress", "when", lead + NUMBERS + PERSONA),
        ("qualification", "tiers", "when", lead + NUMBERS + PERSONA),
        ("routing", "rules", "when", lead + NUMBERS + TIER + PERSONA),
        ("routing", "rules", "match", lead + REP + TIER),
        ("sla", "policies", "when", TIER + TEAM + ORIGIN + PERSONA),
        ("promises", "marketing", "where", HANDOFF),
        ("promises", "sales", "where", HANDOFF),
        ("money", "value", "when", HANDOFF),
    )
