"""Faults of conditions: names, types, values that do not exist, conditions that never hold, rules never reached."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Protocol

from shared.agreement.cel.check import condition_faults
from shared.agreement.cel.condition import Condition
from shared.agreement.cel.contradictions import contradictions
from shared.agreement.cel.read import Kind, Token, content, is_selected, tokens
from shared.agreement.contexts import conditions
from shared.agreement.model import Agreement
from shared.agreement.problem import Problem
from shared.documents import Path, Unread, nearest

GRADES = [letter + digit for letter in "ABCD" for digit in "1234"]


def condition_problems(
    agreement: Agreement, unread: Unread, ids: Mapping[str, Sequence[str] | None]
) -> Iterator[Problem]:
    """Everything wrong with conditions; `ids` has the tiers and teams, or None where they cannot be read."""
    sound: set[Path] = set()
    for path, condition, names in conditions(agreement, unread):
        faults = condition_faults(condition, names)
        yield from (Problem(path, it.message, offset=it.offset) for it in faults)
        yield from _unknown_values(path, condition, {**ids, "grade": GRADES})
        yield from _never_holding(path, condition)
        if not faults:
            sound.add(path)
    yield from _never_reached(agreement, sound)


def _never_holding(path: Path, condition: Condition) -> Iterator[Problem]:
    if condition.constant is False:
        yield Problem(path, "this never holds; mend the condition, or delete the rule", 0)
        return
    for fault in contradictions(condition.source):
        yield Problem(path, fault.message, offset=fault.offset)


class _Rule(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def when(self) -> Condition: ...


def _never_reached(agreement: Agreement, sound: Collection[Path]) -> Iterator[Problem]:
    tiers, routing_rules = agreement.qualification.tiers, agreement.routing.rules
    yield from _shadowed(agreement.qualification.suppress, ("qualification", "suppress"), sound)
    yield from _shadowed(agreement.personas, ("personas",), sound)
    yield from _shadowed(tiers, ("qualification", "tiers"), sound)
    yield from _shadowed(routing_rules, ("routing", "rules"), sound)
    values = agreement.money.value if agreement.money else ()
    for conditions_of_list, path in (
        ([it.when for it in tiers], ("qualification", "tiers")),
        ([it.when for it in routing_rules], ("routing", "rules")),
        ([it.when for it in values], ("money", "value")),
    ):
        last = (*path, len(conditions_of_list) - 1, "when")
        if last in sound and conditions_of_list[-1].constant is not True:
            yield Problem(
                last,
                f"the last of `{path[-1]}` must hold for every lead; add one with `when: true`",
                offset=0,
            )


def _shadowed(rules: Sequence[_Rule], path: Path, sound: Collection[Path]) -> Iterator[Problem]:
    """Rules after one that always holds, or that asks the same: the first that holds decides."""
    for at, rule in enumerate(rules):
        if (*path, at, "when") not in sound:
            continue
        for earlier in rules[:at]:
            if earlier.when.constant is True:
                reason = f"`{earlier.id}` before it always holds"
            elif _words(earlier.when) == _words(rule.when):
                reason = f"`{earlier.id}` before it asks the same"
            else:
                continue
            message = f"`{rule.id}` is never reached: {reason}; move it up, or delete it"
            yield Problem((*path, at, "when"), message, offset=0)
            break


def _words(condition: Condition) -> list[str]:
    return [it.text for it in tokens(condition.source)]


def _unknown_values(
    path: Path, condition: Condition, known: Mapping[str, Sequence[str] | None]
) -> Iterator[Problem]:
    for name, text in _compared_texts(tokens(condition.source), known):
        values = known[name]
        if values is not None and content(text) not in values:
            yield Problem(path, unknown(name, content(text), values), offset=text.offset)


def _compared_texts(source: Sequence[Token], names: Container[str]) -> Iterator[tuple[str, Token]]:
    """The texts that these names are compared with by `==`, `!=` or `in […]`, each with its name."""
    for at, token in enumerate(source):
        if token.text not in names or is_selected(source, at):
            continue
        match [it.text for it in source[at + 1 : at + 3]]:
            case ["==" | "!=", _]:
                compared = tuple(source[at + 2 : at + 3])
            case ["in", "["]:
                compared = tuple(takewhile(lambda it: it.text != "]", source[at + 3 :]))
            case _:
                continue
        yield from ((token.text, it) for it in compared if it.kind is Kind.TEXT)


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """The message about a name that does not exist."""
    return f"unknown {kind} `{name}`; {nearest(name, known, 'there are')}"
