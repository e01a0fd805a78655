"""What sales did with a handoff, from its changes."""

from __future__ import annotations

from typing import Any

import pytest

from services.alignment.domain.progress import Outcome, Progress, progress_of
from shared.contracts.payloads import Change, HandoffChanged
from tests.services.alignment.builders import after_noon, history, numbered, step

WON = step(Change.WON, 60, amount=12_000.0, currency="EUR")


def progress(*steps: HandoffChanged) -> Progress:
    """The progress of a handoff that was assigned at noon."""
    return progress_of(history(*steps))


def test_a_waiting_handoff_has_gone_nowhere() -> None:
    waiting = progress_of(numbered(step(Change.WAITING, rep=None)))

    assert waiting.rep is None
    assert waiting.assigned_at is None
    assert waiting.outcome is None
    assert waiting.attempts == 0


def test_instants_are_those_of_the_first_of_their_kind_whenever_it_was_reported() -> None:
    worked = progress(
        step(Change.ACCEPTED, 5),
        step(Change.CONTACTED, 30, outcome="no_answer"),
        step(Change.CONTACTED, 20, outcome="reached", reached=True),  # reported later
        step(Change.ACCEPTED, 3),
    )

    assert worked.assigned_at == after_noon(0)
    assert worked.accepted_at == after_noon(3)
    assert worked.contacted_at == after_noon(20)
    assert worked.reached_at == after_noon(20)
    assert worked.attempts == 2
    assert worked.attempted_at == (after_noon(20), after_noon(30))


def test_an_acceptance_is_that_of_the_hop_in_which_it_happened_first() -> None:
    accepted = progress(
        step(Change.REASSIGNED, 10, rep="linus", hop=2),
        step(Change.ACCEPTED, 12, rep="linus", hop=2),
        step(Change.CONTACTED, 15, rep="linus", hop=2),
    )

    assert (accepted.accepted_at, accepted.accepted_hop) == (after_noon(12), 2)
    assert progress(step(Change.REJECTED, 1)).accepted_hop is None


def test_the_instants_of_the_first_attempts_are_kept() -> None:
    calls = [step(Change.CONTACTED, minute) for minute in range(60, 0, -1)]

    called = progress(*calls)

    assert called.attempts == 60
    assert called.attempted_at == tuple(after_noon(minute) for minute in range(1, 51))


def test_a_contact_that_is_no_touch_and_no_attempt_is_an_acceptance_alone() -> None:
    noted = progress(step(Change.CONTACTED, 10, attempt=False, touch=False))

    assert noted.accepted_at == after_noon(10)
    assert noted.contacted_at is None
    assert noted.attempts == 0


def test_what_is_asked_of_a_customer_is_no_attempt() -> None:
    after_win = progress(
        step(Change.CONTACTED, 10), WON, step(Change.CONTACTED, 90, outcome="satisfied")
    )
    assert (after_win.attempts, after_win.contacted_at, after_win.outcome) == (
        1,
        after_noon(10),
        Outcome.WON,
    )


def test_a_win_is_an_acceptance_and_a_touch_of_a_person_who_was_reached() -> None:
    won = progress(WON)

    assert (won.accepted_at, won.contacted_at, won.reached_at) == (after_noon(60),) * 3
    assert (won.outcome, won.closed_at) == (Outcome.WON, after_noon(60))
    assert (won.amount_cents, won.currency) == (1_200_000, "EUR")


def test_the_rep_who_had_it_last_stays_after_it_is_given_back() -> None:
    returned = progress(
        step(Change.REASSIGNED, 10, rep="linus", hop=2), step(Change.RETURNED, 20, rep=None)
    )
    assert returned.rep == "linus"


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([step(Change.LOST, 9, reason="budget")], Outcome.LOST),
        ([step(Change.RETURNED, 9, reason="decayed")], Outcome.RETURNED),
        ([step(Change.RETURNED, 9, reason="merged")], Outcome.MERGED),
        ([step(Change.REJECTED, 9, reason="timing", recycle=True)], Outcome.RECYCLED),
        (
            [
                step(Change.REJECTED, 9, reason="timing", recycle=True, then="recycle"),
                step(Change.RETURNED, 9, reason="timing", recycle=True, then="recycle"),
            ],
            Outcome.RECYCLED,
        ),
        (
            [
                step(Change.REJECTED, 9, reason="student", then="disqualify"),
                step(Change.RETURNED, 9, reason="student", then="disqualify"),
            ],
            Outcome.DISQUALIFIED,
        ),
        ([step(Change.REJECTED, 9, reason="no_capacity")], None),
        ([step(Change.RETURNED, 9), step(Change.WAITING, 10, rep=None)], None),
        ([step(Change.LOST, 9, reason="budget"), WON], Outcome.WON),
    ],
    ids=[
        "lost", "returned", "merged", "rejected and recycled", "recycled", "disqualified",
        "rejected and open", "opened again", "won after all",
    ],
)  # fmt: skip
def test_the_last_change_that_closes_it_is_the_outcome(
    steps: list[HandoffChanged], outcome: Outcome | None
) -> None:
    assert progress(*steps).outcome == outcome


def test_reasons_are_those_of_the_last_rejection_and_of_a_loss() -> None:
    rejected = progress(
        step(Change.REJECTED, 5, reason="no_capacity"),
        step(Change.REASSIGNED, 6, rep="linus", hop=2),
        step(Change.REJECTED, 9, rep="linus", hop=2, reason="student"),
    )
    lost = progress(step(Change.LOST, 9, reason="budget"))

    assert (rejected.rejected_at, rejected.rejection_reason) == (after_noon(9), "student")
    assert rejected.loss_reason is None
    assert lost.loss_reason == "budget"


@pytest.mark.parametrize(
    ("fields", "cents"),
    [
        ({"amount": 0.0, "currency": "EUR"}, 0),
        ({"amount": 0.285, "currency": "EUR"}, 29),
        ({"amount": 1e12, "currency": "EUR"}, 10**14),
        ({"amount": 1e13, "currency": "EUR"}, None),
        ({"amount": -1.0, "currency": "EUR"}, None),
        ({"amount": 5.0}, None),
        ({}, None),
    ],
    ids=["nothing", "half a cent", "the most", "too much", "negative", "no currency", "no amount"],
)
def test_an_amount_is_known_in_cents_or_not_at_all(
    fields: dict[str, Any], cents: int | None
) -> None:
    won = progress(step(Change.WON, 9, **fields))

    assert won.outcome is Outcome.WON
    assert won.amount_cents == cents
    assert won.currency == (None if cents is None else "EUR")
