"""Which promises the steps of a handoff have kept already."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import State
from services.routing.domain.kept_promises import is_kept
from shared.agreement.model import Policy
from shared.contracts.payloads import Change
from tests.builders import NOON, minutes
from tests.services.routing.builders import handoff


def contact(at: float, *, hop: int = 1, **details: Any) -> PastStep:
    return PastStep(Change.CONTACTED, NOON + minutes(at), "rep/grace", hop, "grace", details)


def promise(kind: str, **fields: Any) -> Policy:
    usual = {"id": "any", "kind": kind, "scope": "hop", "anchor": "assigned", "target": "1h"}
    return Policy.model_validate({**usual, **fields})


MEETING = promise("meeting", outcomes=["meeting_booked"])
TRIES = promise("attempts", count=2, spread="30m")
WON = PastStep(Change.WON, NOON + minutes(30), "rep/grace", 1, "grace")
HAPPY = promise("satisfaction", anchor="won", outcomes=["satisfied"])
OF_ALL = promise("attempts", count=2, scope="journey")


@pytest.mark.parametrize(
    ("policy", "state", "steps", "kept"),
    [
        (promise("accept"), State.ASSIGNED, [], False),
        (promise("accept"), State.ACCEPTED, [], True),
        (promise("first_touch"), State.ACCEPTED, [], False),
        (promise("first_touch"), State.CONTACTED, [contact(1)], True),
        (promise("outcome"), State.CONTACTED, [contact(1)], False),
        (MEETING, State.CONTACTED, [contact(1, outcome="no_answer")], False),
        (MEETING, State.CONTACTED, [contact(1, outcome="meeting_booked")], True),
        (MEETING, State.ASSIGNED, [contact(1, outcome="meeting_booked", hop=2)], False),
        (TRIES, State.ACCEPTED, [], False),
        (TRIES, State.CONTACTED, [contact(1), contact(20)], False),
        (TRIES, State.CONTACTED, [contact(31), contact(1)], True),
        (TRIES, State.CONTACTED, [contact(31, attempt=False), contact(1)], False),
        (TRIES, State.CONTACTED, [contact(1, reached=True)], True),
        (TRIES, State.ASSIGNED, [contact(1, hop=2), contact(40)], False),
        (OF_ALL, State.ASSIGNED, [contact(1, hop=2), contact(40)], True),
        (HAPPY, State.WON, [contact(1, outcome="satisfied"), WON], False),
        (HAPPY, State.WON, [WON, contact(40, outcome="no_answer")], False),
        (HAPPY, State.WON, [WON, contact(40, outcome="satisfied")], True),
    ],
)
def test_a_promise_is_kept_by_what_its_kind_asks_for(
    policy: Policy, state: State, steps: list[PastStep], *, kept: bool
) -> None:
    assert is_kept(policy, handoff(state, rep="grace", hop=1), steps) is kept
