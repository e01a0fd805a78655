"""The pause that reports of pauses and resumptions leave."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from services.routing.domain.pauses import Pause, PauseReport, last_pause
from shared.contracts.payloads import Change
from tests.builders import NOON, minutes

KINDS = {"on_leave": ["first_touch"], "no_budget": ["meeting"], "ill": ["first_touch", "meeting"]}


def paused(at: float, longest: float = 60, reason: str = "on_leave") -> PauseReport:
    details = {"reason": reason, "resumes_at": NOON + minutes(at + longest)}
    return PauseReport(NOON + minutes(at), Change.PAUSED, details)


def resumed(at: float) -> PauseReport:
    return PauseReport(NOON + minutes(at), Change.RESUMED, {})


def until(at: float) -> datetime:
    return NOON + timedelta(minutes=at)


@pytest.mark.parametrize(
    ("reports", "pause"),
    [
        ([], None),
        ([resumed(5)], None),
        ([paused(0)], Pause(until(60), "on_leave")),
        ([paused(0), paused(30)], Pause(until(60), "on_leave")),
        ([paused(0), paused(60, reason="ill")], Pause(until(120), "ill")),
        ([paused(0), resumed(10)], None),
        ([paused(0), resumed(0)], None),
        ([paused(0), resumed(10), paused(20)], Pause(until(80), "on_leave")),
        ([paused(0), resumed(10), resumed(15), paused(12)], None),
        ([paused(0), paused(5), resumed(3)], Pause(until(65), "on_leave")),
        ([paused(0), paused(30, 20, reason="no_budget")], Pause(until(60), "on_leave")),
        ([paused(0), paused(30, 90, reason="no_budget")], Pause(until(120), "no_budget")),
        ([paused(0, 90, reason="no_budget"), paused(80), paused(95, reason="ill")], Pause(until(155), "ill")),
        ([paused(0), paused(30, 90, reason="no_budget"), resumed(40)], None),
        ([paused(0, reason="unknown")], None),
    ],
    ids=[
        "nothing", "only resumed", "paused", "paused twice", "paused again after its end", "resumed",
        "resumed at once", "paused again", "all over", "paused again after an earlier resumption",
        "another kind for less", "another kind for longer", "several kinds by one reason", "all kinds resumed",
        "not agreed on",
    ],
)  # fmt: skip
def test_what_happened_last_counts_in_whatever_order_it_is_learned(
    reports: list[PauseReport], pause: Pause | None
) -> None:
    assert all(last_pause(it, KINDS) == pause for it in permutations(reports))
