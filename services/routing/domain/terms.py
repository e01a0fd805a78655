"""What the agreement makes of an answer: the reasons and outcomes that it lists, and what follows from each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from services.routing.domain.answers import Answer
from services.routing.domain.handoff import DISQUALIFY, RECYCLE
from shared.agreement.model import Agreement, ContactOutcome, PauseReason
from shared.contracts.payloads import Change
from shared.errors import Rejected


class UnknownReason(Rejected):
    """The agreement has no such reason or outcome."""

    code: ClassVar[str] = "unknown_reason"


def with_terms(answer: Answer, agreement: Agreement, *, cycles: int = 0) -> Answer:
    """The answer with what follows from its reason or outcome in the agreement; raises UnknownReason.

    `cycles` is how often the person was returned to marketing before.
    """
    routing, reason = agreement.routing, answer.details.get("reason")
    match answer.change:
        case Change.REJECTED if reason is not None:
            return _rejection(answer, agreement, cycles)
        case Change.LOST if reason is not None:
            check_reason(reason, routing.loss_reasons, kind="loss reason")
        case Change.CONTACTED:
            return _contact(answer, routing.contact_outcomes)
        case Change.PAUSED:
            return _with_kinds(_pause(answer, routing.pause_reasons), routing.pause_reasons)
        case Change.RESUMED:
            return _with_kinds(answer, routing.pause_reasons)
    return answer


def check_reason(reason: str, listed: Sequence[str], *, kind: str) -> None:
    """Raise UnknownReason unless the reason is listed; an empty list allows every reason."""
    if listed and reason not in listed:
        raise UnknownReason(
            f"{reason!r} is no {kind} of the agreement; give one of {', '.join(listed)}"
        )


def _rejection(answer: Answer, agreement: Agreement, cycles: int) -> Answer:
    """The rejection with what becomes of the lead; recycled once too often, it is disqualified."""
    reason = answer.details["reason"]
    consequences = {it.id: it.then for it in agreement.routing.reject_reasons}
    check_reason(reason, list(consequences), kind="reject reason")
    then: str | None = consequences.get(reason)
    if then == RECYCLE and cycles >= agreement.qualification.recycle.max_cycles:
        then = DISQUALIFY
    details = {**answer.details, "then": then, "recycle": True if then == RECYCLE else None}
    return replace(answer, details=details)


def _contact(answer: Answer, outcomes: Sequence[ContactOutcome]) -> Answer:
    """The contact with what its outcome counts as, where that is not what any outcome counts as."""
    outcome = {it.id: it for it in outcomes}.get(answer.details["outcome"])
    check_reason(answer.details["outcome"], [it.id for it in outcomes], kind="contact outcome")
    if outcome is None:
        return answer
    counts = {
        "attempt": None if outcome.attempt else False,
        "touch": None if outcome.touch else False,
        "reached": True if outcome.reached else None,
    }
    return replace(answer, details={**answer.details, **counts})


def _with_kinds(answer: Answer, reasons: Sequence[PauseReason]) -> Answer:
    return replace(answer, kinds_of={it.id: it.kinds for it in reasons})


def _pause(answer: Answer, reasons: Sequence[PauseReason]) -> Answer:
    """The pause with its longest duration."""
    if not reasons:
        raise UnknownReason(
            "the agreement lists no pause reasons, so nobody can pause a handoff; write them in "
            "`routing.pause_reasons`"
        )
    check_reason(answer.details["reason"], [it.id for it in reasons], kind="pause reason")
    longest = {it.id: it.longest for it in reasons}
    return replace(answer, longest=longest[answer.details["reason"]])
