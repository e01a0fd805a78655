"""Faults between the fields of an agreement: names, types, references, and rules that can never be reached."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import timedelta
from itertools import chain, pairwise, takewhile
from typing import Protocol

from shared.agreement.cel.check import condition_faults
from shared.agreement.cel.condition import Condition
from shared.agreement.cel.read import Kind, Token, content, is_selected, tokens
from shared.agreement.check_calendars import calendar_problems, open_in_a_week
from shared.agreement.contexts import conditions
from shared.agreement.facts import BUILT_IN
from shared.agreement.model import Agreement, Anchor, Policy
from shared.agreement.problem import Problem
from shared.documents import Path, nearest

MAX_WEEKS = 5 * 52
"""A policy's target must fit into the open hours of so many weeks."""
_LISTS_WITH_IDS: tuple[Path, ...] = (
    ("scoring", "fit"),
    ("scoring", "signals"),
    ("qualification", "suppress"),
    ("qualification", "tiers"),
    ("routing", "teams"),
    ("routing", "rules"),
    ("routing", "reject_reasons"),
    ("sla", "calendars"),
    ("sla", "policies"),
)


def problems(agreement: Agreement) -> Iterator[Problem]:
    """All faults between the fields of an agreement whose fields are each valid."""
    faults = [*_reserved_traits(agreement), *_condition_problems(agreement)]
    yield from faults or chain(_unreachable_rules(agreement), _unknown_values(agreement))
    yield from _repeated_names(agreement)
    yield from _unknown_references(agreement)
    yield from _invalid_numbers(agreement)
    for index, policy in enumerate(agreement.sla.policies):
        yield from _policy_problems(policy, ("sla", "policies", index))
    yield from _unreachable_targets(agreement)
    for index, calendar in enumerate(agreement.sla.calendars):
        yield from calendar_problems(calendar, ("sla", "calendars", index))


def _reserved_traits(agreement: Agreement) -> Iterator[Problem]:
    for name in agreement.traits:
        if name in BUILT_IN:
            yield Problem(
                ("traits", name),
                f"`lead.{name}` is always there; take it out of `traits`",
                key=True,
            )


def _condition_problems(agreement: Agreement) -> Iterator[Problem]:
    for path, condition, names in conditions(agreement):
        for fault in condition_faults(condition, names):
            yield Problem(path, fault.message, offset=fault.offset)


def _unreachable_rules(agreement: Agreement) -> Iterator[Problem]:
    for path, condition, _ in conditions(agreement):
        if condition.constant is False:
            yield Problem(path, "this never holds; mend the condition, or delete the rule", 0)
    yield from _shadowed_rules(agreement.qualification.suppress, ("qualification", "suppress"))
    for rules, path in (
        (agreement.qualification.tiers, ("qualification", "tiers")),
        (agreement.routing.rules, ("routing", "rules")),
    ):
        yield from _shadowed_rules(rules, path)
        if rules[-1].when.constant is not True:
            yield Problem(
                (*path, len(rules) - 1, "when"),
                f"the last of `{path[-1]}` must hold for every lead; add one with `when: true`",
                offset=0,
            )


class _Rule(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def when(self) -> Condition: ...


def _shadowed_rules(rules: Sequence[_Rule], path: Path) -> Iterator[Problem]:
    """Rules behind one that always holds or has the same condition, as the first rule that holds decides."""
    for index, rule in enumerate(rules):
        for earlier in rules[:index]:
            if earlier.when.constant is True:
                reason = f"`{earlier.id}` before it always holds"
            elif _token_texts(earlier.when) == _token_texts(rule.when):
                reason = f"`{earlier.id}` before it asks the same"
            else:
                continue
            message = f"`{rule.id}` is never reached: {reason}; move it up, or delete it"
            yield Problem((*path, index, "when"), message, offset=0)
            break


def _token_texts(condition: Condition) -> list[str]:
    return [it.text for it in tokens(condition.source)]


def _unknown_values(agreement: Agreement) -> Iterator[Problem]:
    known = {
        "tier": [it.id for it in agreement.qualification.tiers],
        "team": [it.id for it in agreement.routing.teams],
        "grade": [letter + digit for letter in "ABCD" for digit in "1234"],
    }
    for path, condition, _ in conditions(agreement):
        for name, text in _compared_texts(tokens(condition.source), known):
            if content(text) not in known[name]:
                message = _unknown(name, content(text), known[name])
                yield Problem(path, message, offset=text.offset)


def _compared_texts(source: Sequence[Token], names: Container[str]) -> Iterator[tuple[str, Token]]:
    """The texts that these names are compared with by `==`, `!=` or `in […]`, each with the name."""
    for index, token in enumerate(source):
        if token.text not in names or is_selected(source, index):
            continue
        match [it.text for it in source[index + 1 : index + 3]]:
            case ["==" | "!=", _]:
                compared = tuple(source[index + 2 : index + 3])
            case ["in", "["]:
                compared = tuple(takewhile(lambda it: it.text != "]", source[index + 3 :]))
            case _:
                continue
        yield from ((token.text, it) for it in compared if it.kind is Kind.TEXT)


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    return f"unknown {kind} `{name}`; {nearest(name, known, 'there are')}"


def _repeated_names(agreement: Agreement) -> Iterator[Problem]:
    for path in _LISTS_WITH_IDS:
        section = getattr(getattr(agreement, str(path[0])), str(path[1]))
        yield from _repeated([it.id for it in section], path, "id")
    yield from _repeated(agreement.routing.loss_reasons, ("routing", "loss_reasons"))


def _repeated(ids: Sequence[str], path: Path, *field: str) -> Iterator[Problem]:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            message = f"`{name}` is in `{path[-1]}` already; write another name"
            yield Problem((*path, index, *field), message)


def _unknown_references(agreement: Agreement) -> Iterator[Problem]:
    calendars = [it.id for it in agreement.sla.calendars]
    teams = [it.id for it in agreement.routing.teams]
    groups = sorted(agreement.scoring.groups)
    traits = sorted({*agreement.traits, *BUILT_IN})
    references: list[tuple[Path, str, str | None, Sequence[str]]] = [
        *(
            (("scoring", "signals", index, "group"), "group", it.group, groups)
            for index, it in enumerate(agreement.scoring.signals)
        ),
        *(
            (("qualification", "require", index), "trait", it, traits)
            for index, it in enumerate(agreement.qualification.require)
        ),
        *(
            (("routing", "teams", index, "calendar"), "calendar", it.calendar, calendars)
            for index, it in enumerate(agreement.routing.teams)
        ),
        *(
            (("routing", "rules", index, "team"), "team", it.team, teams)
            for index, it in enumerate(agreement.routing.rules)
        ),
    ]
    for path, kind, name, known in references:
        if name is not None and name not in known:
            yield Problem(path, _unknown(kind, name, known))


def _invalid_numbers(agreement: Agreement) -> Iterator[Problem]:
    grades = agreement.scoring.grades
    for name, bounds in (("fit", grades.fit), ("engagement", grades.engagement)):
        if not bounds[0] > bounds[1] > bounds[2] > 0:
            yield Problem(
                ("scoring", "grades", name),
                "these bounds must fall and stay above 0; write numbers such as [75, 50, 25]",
            )
    threshold = agreement.qualification.threshold
    if threshold and threshold.rearm_below == 0:
        yield Problem(
            ("qualification", "threshold", "rearm_below"),
            "engagement is never below 0, so no lead would cross the threshold twice; write a number such as 20",
        )


def _unreachable_targets(agreement: Agreement) -> Iterator[Problem]:
    """Targets that are longer than some calendar is open within five years."""
    for calendar in agreement.sla.calendars:
        weekly = open_in_a_week(calendar)
        for index, policy in enumerate(agreement.sla.policies):
            if weekly and policy.target > MAX_WEEKS * weekly:
                yield Problem(
                    ("sla", "policies", index, "target"),
                    f"`{calendar.id}` is open {weekly.total_seconds() / 3600:g} h a week, so this would be due after "
                    "more than five years; business time counts only open hours, write less",
                )


def _policy_problems(policy: Policy, path: Path) -> Iterator[Problem]:
    if policy.target <= timedelta(0):
        yield Problem((*path, "target"), "a target of no time is never met; write one such as 15m")
    impossible_anchors = {"accept": (Anchor.ACCEPTED, Anchor.WON), "first_touch": (Anchor.WON,)}[
        policy.kind
    ]
    if policy.anchor in impossible_anchors:
        yield Problem(
            (*path, "anchor"),
            f"`{policy.kind}` is over when a handoff is {policy.anchor}; anchor it at assigned or qualified",
        )
    for index, (earlier, later) in enumerate(pairwise(policy.ladder), start=1):
        if later.after < earlier.after:
            yield Problem(
                (*path, "ladder", index, "after"),
                "a step before the one above it; put the steps in order of time",
            )
