"""Groups of handoffs by the facts that conditions of promises and of money read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shared.agreement.cel.condition import Condition
from shared.agreement.cel.read import chains, tokens
from shared.agreement.facts import handoff_facts

FIELDS = ("team", "tier", "source", "campaign", "channel", "persona")
"""The facts of a handoff that a condition may read."""

Group = tuple[str, ...]
"""The values of some of FIELDS, in that order; a fact that is not known is an empty text."""


class GroupCount(NamedTuple):
    """How many handoffs have these facts."""

    group: Group
    number: int


class Groups(NamedTuple):
    """The groups that a condition holds for, by the fields that it reads."""

    fields: tuple[str, ...]
    members: tuple[Group, ...]


def fields_read(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """Which of FIELDS these conditions read, in that order."""
    names = {chain[0] for it in conditions for chain in chains(tokens(it.source))}
    return tuple(field for field in FIELDS if field in names)


def groups_where(where: Condition, fields: tuple[str, ...], groups: Sequence[Group]) -> Groups:
    """Those of the groups that the condition holds for."""
    members = tuple(it for it in groups if where.holds(facts_of(fields, it)))
    return Groups(fields, members)


def facts_of(fields: Sequence[str], group: Group) -> Mapping[str, object]:
    """The facts of a handoff of the group, for conditions; what no field names is an empty text."""
    known = dict(zip(fields, group, strict=True))
    return handoff_facts(
        team=known.get("team"),
        tier=known.get("tier"),
        source=known.get("source"),
        campaign=known.get("campaign"),
        channel=known.get("channel"),
        persona=known.get("persona"),
    )
