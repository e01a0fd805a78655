"""Event types of an agreement that have not arrived for a while: perhaps they are misspelled."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from shared.agreement.check import types_of_events
from shared.agreement.model import Agreement
from shared.agreement.problem import Problem
from shared.documents.spelling import closest

DAYS = 30
"""The days of which the events are looked at."""


def unseen_types(agreement: Agreement, recent_types: Collection[str]) -> Iterator[Problem]:
    """The types in the agreement that are not among the recent ones; nothing where no events have arrived at all."""
    if not recent_types:
        return
    for path, type_ in types_of_events(agreement):
        if type_ not in recent_types:
            close = closest(type_, sorted(recent_types))
            hint = f"; did you mean `{close}`?" if close else ""
            yield Problem(path, f"no event of the type `{type_}` in the last {DAYS} days{hint}")
