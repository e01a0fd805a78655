"""The stored roster as a file that imports to no difference."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from services.routing.domain.accounts import Account
from services.routing.domain.roster import Rep
from services.routing.roster_file import MAX_ACCOUNTS
from shared.documents.tree import MAX_CHARACTERS

_HEAD = (
    "# The roster as it is in force. Use it: leadbaton reps import FILE\n"
    "# Endpoints are left out, as their URLs may be secrets: they stay as they are.\n"
)
_WITHOUT_ACCOUNTS = (
    "# The accounts are left out, because the file would be too large: leadbaton accounts export\n"
)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*([ -][A-Za-z0-9_]+)*")
_CONSTANTS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def roster_as_yaml(reps: Sequence[Rep], accounts: Sequence[Account]) -> str:
    """The file: every rep, in the order of the ranks. Too many accounts for it are left out."""
    ranked = sorted(reps, key=lambda it: (it.position, not it.active, it.id))
    file = "\n" + _as_yaml({"reps": [_entry_of(it) for it in ranked]})
    if len(accounts) <= MAX_ACCOUNTS:
        with_accounts = (
            f"{_HEAD}{file}\n{_as_yaml({'accounts': [it._asdict() for it in accounts]})}"
        )
        if len(with_accounts) <= MAX_CHARACTERS:
            return with_accounts
    return f"{_HEAD}{_WITHOUT_ACCOUNTS}{file}"


def _entry_of(rep: Rep) -> dict[str, Any]:
    """The rep as the file has it, without fields that have their default."""
    capacity = {"open": rep.open_limit, "per_day": rep.per_day_limit}
    fields: dict[str, Any] = {
        "id": rep.id,
        "name": rep.name,
        "email": rep.email,
        "team": rep.team,
        "territories": list(rep.territories),
        "languages": list(rep.languages),
        "skills": list(rep.skills),
        "segments": list(rep.segments),
        "weight": None if rep.weight == 1 else rep.weight,
        "capacity": {name: limit for name, limit in capacity.items() if limit is not None},
        "hours": rep.hours,
        "time_off": [
            {"from": it.since.isoformat(), "to": it.until.isoformat()} for it in rep.time_off
        ],
    }
    entry = {name: value for name, value in fields.items() if value not in (None, [], {})}
    return entry if rep.active else {**entry, "active": False}


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes unless every version of YAML reads it as text without, and short parts in one line."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """The text, in quotes where it may be read as something else."""
        is_plain = _PLAIN.fullmatch(text) and text.lower() not in _CONSTANTS
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')

    def represent_mapping(self, tag: str, mapping: Any, flow_style: Any = None) -> yaml.MappingNode:
        """The mapping, in one line where it has two values or fewer, and no lists."""
        node = super().represent_mapping(tag, mapping, flow_style)
        if len(node.value) <= 2 and all(isinstance(it, yaml.ScalarNode) for _, it in node.value):
            node.flow_style = True
        return node

    def represent_list(self, data: Any) -> yaml.SequenceNode:
        """The list, in one line where it has texts only."""
        node = super().represent_list(data)
        if all(isinstance(it, yaml.ScalarNode) for it in node.value):
            node.flow_style = True
        return node


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(list, _Dumper.represent_list)


def _as_yaml(section: Mapping[str, Any]) -> str:
    return yaml.dump(
        dict(section),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000,
        default_flow_style=False,
    )
