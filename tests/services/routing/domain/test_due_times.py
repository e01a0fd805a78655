"""Due times by what has happened to a handoff: in earlier hops too, and after a win."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from services.routing.domain.answers import PastStep
from services.routing.domain.due_times import DueTimes
from services.routing.domain.handoff import Handoff, State
from shared.contracts.payloads import Change
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, minutes
from tests.services.routing.builders import build_policy, handoff
from tests.services.routing.domain.test_promise_pauses import past, paused

ROUTING = {
    **DEFAULT_SECTIONS["routing"],
    "pause_reasons": [{"id": "later", "kinds": ["first_touch"], "longest": "1h"}],
}
HOP_1 = [past(Change.ASSIGNED, 0), past(Change.ACCEPTED, 5), paused(10)]
HOP_2 = [
    *HOP_1,
    past(Change.REJECTED, 30, rep=None),
    past(Change.REASSIGNED, 40, hop=2, rep="linus"),
    past(Change.ACCEPTED, 50, hop=2, rep="linus"),
]
WON = [*HOP_1, past(Change.WON, 60)]
SECOND = handoff(rep="linus", hop=2, assigned_at=NOON + minutes(40))


def due_minutes(held: Handoff, steps: Sequence[PastStep], **fields: Any) -> list[float]:
    """How many minutes after noon a promise of an hour is due."""
    promise = {"id": "p", "kind": "first_touch", "scope": "journey", "target": "1h", **fields}
    sla = {**DEFAULT_SECTIONS["sla"], "policies": [promise]}
    sections = {"routing": ROUTING, "sla": sla}
    due_times = DueTimes(agreement(**sections), build_policy(**sections))
    return [_minutes(at) for _, at in due_times.of(held, steps)]


def _minutes(at: datetime) -> float:
    return (at - NOON) / minutes(1)


@pytest.mark.parametrize(
    ("held", "steps", "fields", "due"),
    [
        (handoff(), (), {"anchor": "qualified"}, [60]),
        (handoff(), HOP_1, {"anchor": "qualified"}, [120]),
        (SECOND, HOP_2, {"anchor": "qualified"}, [80]),
        (SECOND, HOP_2, {"anchor": "assigned"}, [80]),
        (SECOND, HOP_2, {"anchor": "accepted"}, [85]),
        (SECOND, HOP_2, {"anchor": "qualified", "scope": "hop"}, [100]),
        (SECOND, HOP_2, {"anchor": "assigned", "scope": "hop"}, [100]),
        (SECOND, HOP_2, {"anchor": "accepted", "scope": "hop"}, [110]),
        (SECOND, HOP_2[:-1], {"anchor": "accepted", "scope": "hop"}, []),
        (SECOND, HOP_2, {"anchor": "won"}, []),
        (handoff(State.WON), WON, {"anchor": "won"}, [120]),
        (handoff(State.WON), WON, {"anchor": "won", "scope": "hop"}, [120]),
        (handoff(State.WON), WON, {"anchor": "qualified"}, []),
    ],
    ids=[
        "first hop", "paused", "paused in an earlier hop", "since the first assignment", "since the first acceptance",
        "hop, qualified", "hop, assigned", "hop, accepted", "not accepted in this hop", "not won", "won",
        "won by this rep", "over with the win",
    ],
)  # fmt: skip
def test_promises_are_due_by_their_anchor_and_the_pauses_of_their_scope(
    held: Handoff, steps: Sequence[PastStep], fields: dict[str, Any], due: list[float]
) -> None:
    assert due_minutes(held, steps, **fields) == due
