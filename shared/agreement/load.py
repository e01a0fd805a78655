"""An agreement from its file: read, checked as a whole, or refused with every fault in its place."""

from __future__ import annotations

from functools import reduce
from typing import Any, ClassVar

from shared.agreement.check import problems
from shared.agreement.contexts import conditions
from shared.agreement.model import Agreement
from shared.documents import Document, InvalidDocument


class InvalidAgreement(InvalidDocument):
    """The agreement has faults; `.faults` has each with line and column, and nothing changes."""

    code: ClassVar[str] = "invalid_agreement"


def parse(source: str, *, name: str = "agreement.yaml") -> Agreement:
    """The agreement, whole and sound, or InvalidAgreement."""
    try:
        document = Document.of(source, name=name)
        agreement = document.into(Agreement)
    except InvalidDocument as wrong:
        raise InvalidAgreement(name, wrong.faults) from None
    if found := list(problems(agreement)):
        raise InvalidAgreement(
            name,
            [document.fault(it.path, it.message, key=it.key, offset=it.offset) for it in found],
        )
    return _named(agreement)


def stored(source: str) -> Agreement:
    """One that was checked when it was published: a later, stricter check must not make the past unreadable."""
    return _named(Document.of(source, name="agreement.yaml", kept=True).into(Agreement))


def _named(agreement: Agreement) -> Agreement:
    """The same, its conditions named by where they stand: `scoring.signals.pricing.when`."""
    for path, condition, _ in conditions(agreement):
        rule = reduce(_part, path[:-1], agreement)
        condition.rule = ".".join([*map(str, path[:2]), *_id(rule), str(path[-1])])
    return agreement


def _part(whole: Any, name: str | int) -> Any:
    return whole[name] if isinstance(name, int) else getattr(whole, name)


def _id(rule: Any) -> list[str]:
    return [rule.id] if hasattr(rule, "id") else []
