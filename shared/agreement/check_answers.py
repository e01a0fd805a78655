"""Faults of what reps may answer: reasons and outcomes that contradict themselves, kinds that cannot be paused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.agreement.check_conditions import unknown
from shared.agreement.model import Agreement, PauseReason, RejectReason
from shared.agreement.problem import Problem
from shared.documents import Path, Unread

_NO_WAIT = {
    "reassign": "gives the lead to another rep at once",
    "disqualify": "ends the lead, however long it waits",
}


def answer_problems(agreement: Agreement, unread: Unread) -> Iterator[Problem]:
    """All faults of reject reasons, contact outcomes and pause reasons."""
    routing = agreement.routing
    yield from _useless_waits(routing.reject_reasons)
    for index, outcome in enumerate(routing.contact_outcomes):
        if outcome.reached and not outcome.touch:
            yield Problem(
                ("routing", "contact_outcomes", index, "touch"),
                f"with `{outcome.id}` the rep reached the person, which is a touch; delete `touch`",
            )
    kinds = _kinds(agreement, unread)
    for index, reason in enumerate(routing.pause_reasons):
        yield from _unpausable(reason, ("routing", "pause_reasons", index, "kinds"), kinds)


def _useless_waits(reasons: Sequence[RejectReason]) -> Iterator[Problem]:
    for index, reason in enumerate(reasons):
        if reason.wait is not None and reason.then in _NO_WAIT:
            yield Problem(
                ("routing", "reject_reasons", index, "wait"),
                f"`{reason.id}` {_NO_WAIT[reason.then]}; delete `wait`, or write `then: recycle`",
            )


def _kinds(agreement: Agreement, unread: Unread) -> list[str] | None:
    """The kinds of all policies; None where one of them is unread."""
    policies, path = agreement.sla.policies, ("sla", "policies")
    if unread.covers(path) or any(
        unread.covers((*path, index, "kind")) for index in range(len(policies))
    ):
        return None
    return sorted({it.kind for it in policies})


def _unpausable(reason: PauseReason, path: Path, kinds: Sequence[str] | None) -> Iterator[Problem]:
    for index, kind in enumerate(reason.kinds):
        if kind == "accept":
            message = "`accept` cannot be paused, as a rep can always accept or reject; delete it"
            yield Problem((*path, index), message)
        elif kind == "satisfaction":
            message = "`satisfaction` cannot be paused, as it begins after the win; delete it"
            yield Problem((*path, index), message)
        elif kind in reason.kinds[:index]:
            yield Problem((*path, index), f"`{kind}` is in `kinds` already; write another name")
        elif kinds is not None and kind not in kinds:
            pausable = [it for it in kinds if it not in ("accept", "satisfaction")]
            yield Problem((*path, index), unknown("kind", kind, pausable))
