"""An agreement read from its file and checked as a whole, or refused with every fault at its line and column."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any, ClassVar

from shared.agreement.check import problems
from shared.agreement.contexts import conditions
from shared.agreement.model import Agreement
from shared.agreement.problem import Problem
from shared.documents import Document, Fault, InvalidDocument, Path


class InvalidAgreement(InvalidDocument):
    """The file has faults; `.faults` has each with its line and column."""

    code: ClassVar[str] = "invalid_agreement"


def parse(source: str, *, name: str = "agreement.yaml") -> Agreement:
    """The agreement of a file; raises InvalidAgreement with every fault."""
    try:
        document = Document.of(source, name=name)
    except InvalidDocument as wrong:
        raise InvalidAgreement(name, wrong.faults) from None
    reading = document.read_as(Agreement)
    faults = list(reading.faults)
    if reading.value is not None:
        faults += placed(document, problems(reading.value, reading.unread))
    if faults or reading.value is None:
        raise InvalidAgreement(name, faults)
    return _with_rules_named(reading.value)


def placed(document: Document, problems: Iterable[Problem]) -> list[Fault]:
    """The problems with their lines and columns in the file."""
    return [document.fault(it.path, it.message, key=it.key, offset=it.offset) for it in problems]


def parse_published(source: str) -> Agreement:
    """The agreement of a published version. It is not checked again, so that a stricter check leaves it readable."""
    return _with_rules_named(
        Document.of(source, name="agreement.yaml", lenient=True).into(Agreement)
    )


def _with_rules_named(agreement: Agreement) -> Agreement:
    """The agreement, each condition named by its path: `scoring.signals.pricing.when`."""
    for path, condition, _ in conditions(agreement):
        rule = reduce(_part, path[:-1], agreement)
        condition.rule = ".".join([*_names(path[:2]), *_id(rule), str(path[-1])])
    return agreement


def _part(section: Any, name: str | int) -> Any:
    return section[name] if isinstance(name, int) else getattr(section, name)


def _names(path: Path) -> list[str]:
    return [it for it in path if isinstance(it, str)]


def _id(rule: Any) -> list[str]:
    return [rule.id] if hasattr(rule, "id") else []
