"""Faults of promises of both sides and of money: measures without what they need, dates and rates that contradict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.agreement.cel.read import Kind, is_selected, tokens
from shared.agreement.check_conditions import unknown
from shared.agreement.contexts import HANDOFF
from shared.agreement.model import Agreement, Measure, Promise
from shared.agreement.problem import Problem
from shared.documents import Path, Unread


@dataclass(frozen=True, slots=True)
class _Needs:
    """The fields that a measure needs. Other fields of measures have no meaning for it."""

    fields: tuple[str, ...]
    is_share: bool = False


_NEEDS = {
    Measure.QUALIFIED: _Needs(("at_least", "per")),
    Measure.QUALIFIED_VALUE: _Needs(("at_least", "per")),
    Measure.ACCEPTANCE_RATE: _Needs(("at_least",), is_share=True),
    Measure.COMPLETENESS: _Needs(("at_least", "traits"), is_share=True),
    Measure.HANDOVER_TIME: _Needs(("at_most", "p")),
    Measure.ATTAINMENT: _Needs(("at_least", "policy"), is_share=True),
    Measure.REASONS: _Needs(("at_least",), is_share=True),
    Measure.WIN_RATE: _Needs(("at_least", "cohort"), is_share=True),
    Measure.CAPACITY: _Needs(("at_least", "per")),
}
_EXAMPLES = {
    "at_least": "0.7",
    "at_most": "5m",
    "per": "month",
    "p": "0.95",
    "traits": "[company, country]",
    "policy": "the id of one of `sla.policies`",
    "cohort": "90d",
}
"""Every field that some measure needs, and what to write."""


_NOT_OF_TEAMS = {name for name, _ in HANDOFF} - {"team"}


@dataclass(frozen=True, slots=True)
class Known:
    """What promises may name; None where it cannot be read."""

    policies: Sequence[str] | None
    traits: Sequence[str] | None


def promise_problems(agreement: Agreement, known: Known, unread: Unread) -> Iterator[Problem]:
    """Every fault of parties, promises and money."""
    sides = {"marketing": agreement.promises.marketing, "sales": agreement.promises.sales}
    has_values = bool(agreement.money and agreement.money.value) or unread.overlaps(
        ("money", "value")
    )
    for side, promises in sides.items():
        for index, promise in enumerate(promises):
            path: Path = ("promises", side, index)
            yield from _measure_problems(promise, path, unread)
            yield from _reference_problems(promise, path, known)
            yield from _capacity_problems(promise, path)
            if promise.measure is Measure.QUALIFIED_VALUE and not has_values:
                message = "what is a lead worth? write `money.value`, or promise `qualified`"
                yield Problem((*path, "measure"), message)
    yield from _ids_of_both_sides(sides["marketing"], sides["sales"])
    yield from _date_problems(agreement)
    yield from _rate_problems(agreement)


def _measure_problems(promise: Promise, path: Path, unread: Unread) -> Iterator[Problem]:
    needs = _NEEDS[promise.measure]
    for field, example in _EXAMPLES.items():
        is_missing = getattr(promise, field) in (None, ()) and not unread.overlaps((*path, field))
        if field in needs.fields and is_missing:
            message = f"`{promise.measure}` needs `{field}`; write such as `{field}: {example}`"
            yield Problem((*path, "measure"), message)
        if field not in needs.fields and field in promise.model_fields_set:
            message = f"`{promise.measure}` has no `{field}`; delete it"
            yield Problem((*path, field), message, key=True)
    if needs.is_share and promise.at_least is not None and promise.at_least > 1:
        message = f"`{promise.measure}` is a share of at most 1; write such as 0.7 for 70 %"
        yield Problem((*path, "at_least"), message)


def _reference_problems(promise: Promise, path: Path, known: Known) -> Iterator[Problem]:
    policies, traits = known.policies, known.traits
    if promise.policy is not None and policies is not None and promise.policy not in policies:
        yield Problem((*path, "policy"), unknown("policy", promise.policy, policies))
    for at, trait in enumerate(promise.traits):
        if traits is not None and trait not in traits:
            yield Problem((*path, "traits", at), unknown("trait", trait, traits))


def _capacity_problems(promise: Promise, path: Path) -> Iterator[Problem]:
    """What the roster can take is known of teams: a condition that reads more could never be evaluated."""
    if promise.measure is not Measure.CAPACITY or promise.where is None:
        return
    source = tokens(promise.where.source)
    for at, token in enumerate(source):
        if token.text in _NOT_OF_TEAMS and token.kind is Kind.NAME and not is_selected(source, at):
            message = (
                f"`capacity` is known by team, not by `{token.text}`: this may read `team` alone, such as "
                '`team == "inbound"`; mend the condition, or delete `where`'
            )
            yield Problem((*path, "where"), message, offset=token.offset)


def _ids_of_both_sides(marketing: Sequence[Promise], sales: Sequence[Promise]) -> Iterator[Problem]:
    ids = [it.id for it in marketing]
    for index, promise in enumerate(sales):
        if promise.id in ids:
            message = f"marketing has a promise `{promise.id}` already; write another name"
            yield Problem(("promises", "sales", index, "id"), message)


def _date_problems(agreement: Agreement) -> Iterator[Problem]:
    effective = agreement.parties.effective if agreement.parties else None
    if effective and effective.until is not None and effective.until < effective.since:
        message = f"this is before `from`, {effective.since}; write that day or a later one"
        yield Problem(("parties", "effective", "until"), message)


def _rate_problems(agreement: Agreement) -> Iterator[Problem]:
    money = agreement.money
    if money is not None and money.currency in money.rates:
        message = (
            f"`{money.currency}` is the currency of the agreement, which needs no rate; delete it"
        )
        yield Problem(("money", "rates", money.currency), message, key=True)
