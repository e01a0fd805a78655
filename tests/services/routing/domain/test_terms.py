"""What the agreement makes of an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.routing.domain.answers import Answer
from services.routing.domain.terms import UnknownReason, check_reason, with_terms
from shared.agreement.model import Agreement
from shared.contracts.payloads import Change
from tests.builders import DEFAULT_SECTIONS, agreement

BARE = agreement()
LISTING = agreement(
    qualification={**DEFAULT_SECTIONS["qualification"], "recycle": {"max_cycles": 2}},
    routing={
        **DEFAULT_SECTIONS["routing"],
        "reject_reasons": [
            {"id": "no_time", "then": "reassign"},
            {"id": "not_ready", "then": "recycle"},
            {"id": "a_student", "then": "disqualify"},
        ],
        "contact_outcomes": [
            {"id": "no_answer"},
            {"id": "reached", "reached": True},
            {"id": "wrong_number", "touch": False, "attempt": False},
        ],
        "pause_reasons": [{"id": "on_leave", "kinds": ["first_touch"], "longest": "10d"}],
    },
)


def terms(change: Change, listing: Agreement = LISTING, cycles: int = 0, **details: Any) -> Answer:
    return with_terms(Answer(change, details=details), listing, cycles=cycles)


@pytest.mark.parametrize(
    ("reason", "cycles", "then", "recycle"),
    [
        ("no_time", 9, "reassign", None),
        ("not_ready", 0, "recycle", True),
        ("not_ready", 1, "recycle", True),
        ("not_ready", 2, "disqualify", None),
        ("a_student", 0, "disqualify", None),
    ],
)
def test_the_reason_says_what_becomes_of_the_lead(
    reason: str, cycles: int, then: str, *, recycle: bool | None
) -> None:
    details = terms(Change.REJECTED, cycles=cycles, reason=reason, note="as they said").details

    assert details == {"reason": reason, "note": "as they said", "then": then, "recycle": recycle}


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        ("no_answer", {}),
        ("reached", {"reached": True}),
        ("wrong_number", {"attempt": False, "touch": False}),
    ],
)
def test_the_outcome_says_what_a_contact_counts_as(outcome: str, counts: dict[str, bool]) -> None:
    details = terms(Change.CONTACTED, channel="phone", outcome=outcome).details

    stated = {name: value for name, value in details.items() if value is not None}
    assert stated == {"channel": "phone", "outcome": outcome, **counts}


def test_a_pause_has_the_longest_time_of_its_reason() -> None:
    assert terms(Change.PAUSED, reason="on_leave").longest == timedelta(days=10)


@pytest.mark.parametrize(
    ("change", "details", "message"),
    [
        (Change.REJECTED, {"reason": "bored"}, "'bored' is no reject reason of the agreement; gi"),
        (Change.LOST, {"reason": "bored"}, "'bored' is no loss reason of the agreement; give one"),
        (Change.PAUSED, {"reason": "bored"}, "'bored' is no pause reason of the agreement; give"),
        (Change.CONTACTED, {"outcome": "x"}, "'x' is no contact outcome of the agreement; give"),
    ],
    ids=["reject", "lose", "pause", "contact"],
)
def test_what_is_not_listed_is_refused(
    change: Change, details: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnknownReason, match=message):
        terms(change, **details)


def test_without_lists_everything_is_taken_but_no_pause() -> None:
    contact = terms(Change.CONTACTED, BARE, channel="phone", outcome="whatever")

    assert contact.details == {"channel": "phone", "outcome": "whatever"}
    assert terms(Change.ACCEPTED, BARE) == Answer(Change.ACCEPTED)
    assert terms(Change.LOST, BARE, reason="price").details == {"reason": "price"}
    with pytest.raises(UnknownReason, match="lists no pause reasons, so nobody can pause"):
        terms(Change.PAUSED, BARE, reason="on_leave")


def test_a_reason_must_be_listed_unless_the_list_is_empty() -> None:
    check_reason("price", ["price", "time"], kind="loss reason")
    check_reason("anything", [], kind="loss reason")
    with pytest.raises(UnknownReason, match="'love' is no loss reason of the agreement; give one"):
        check_reason("love", ["price", "time"], kind="loss reason")
