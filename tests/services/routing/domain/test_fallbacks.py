"""When the fallback is notified: before the accept clock runs out, and of one cause only once."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from services.routing.domain.fallbacks import Undelivered, fallback_time, is_clock_nearer
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.notifications import Notification
from tests.builders import NOON
from tests.services.routing.builders import handoff

DUE = NOON + timedelta(minutes=10)


def notification(endpoint: str = "rep/grace", *, due: bool = True) -> Notification:
    id = UUID(int=1)
    return Notification(
        id, endpoint, id, 1, "handoff.assigned", b"{}", accept_due_at=DUE if due else None
    )


@pytest.mark.parametrize(
    ("attempted_s", "next_s", "held", "nearer"),
    [
        (0, 5, handoff(), False),
        (0, 599, handoff(), False),
        (0, 600, handoff(), True),
        (599, 605, handoff(), True),
        (600, 605, handoff(), False),
        (0, 700, handoff(State.ACCEPTED), False),
        (0, 700, handoff(hop=2), False),
        (0, 700, None, False),
    ],
    ids=[
        "in time",
        "just in time",
        "at the due time",
        "after it",
        "it has run out before",
        "accepted",
        "another hop",
        "not held",
    ],
)
def test_the_clock_is_nearer_where_it_runs_out_before_the_next_attempt(
    attempted_s: int, next_s: int, held: Handoff | None, *, nearer: bool
) -> None:
    assert nearer is is_clock_nearer(
        notification(),
        held,
        attempted_at=NOON + timedelta(seconds=attempted_s),
        next_attempt_at=NOON + timedelta(seconds=next_s),
    )


def test_without_an_accept_clock_no_fallback_is_notified_early() -> None:
    assert not is_clock_nearer(
        notification(due=False), handoff(), attempted_at=NOON, next_attempt_at=DUE
    )
    assert fallback_time(None, now=NOON) is None


def test_the_fallback_has_half_of_the_time_to_accept() -> None:
    assert fallback_time(DUE, now=NOON) == NOON + timedelta(minutes=5)
    assert fallback_time(DUE, now=DUE) is None


@pytest.mark.parametrize(
    ("endpoint", "team", "above"),
    [
        ("rep/grace", "sales", ["team/sales", "ops"]),
        ("team/sales", "sales", ["ops"]),
        ("ops", "sales", []),
        ("rep/grace", None, ["ops"]),
    ],
)
def test_the_endpoints_above_are_the_teams_and_that_of_ops(
    endpoint: str, team: str | None, above: list[str]
) -> None:
    assert Undelivered(notification(endpoint), 0, team).endpoints_above() == above
