"""What a rep may see of a handoff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import State
from services.routing.domain.visibility import decisions_for, handoff_for, steps_for
from shared.contracts.payloads import Change
from tests.builders import NOON
from tests.services.routing.builders import handoff

LATER = NOON + timedelta(hours=1)


def step(change: Change, rep: str | None, hop: int) -> PastStep:
    """A step after which this rep holds the handoff."""
    return PastStep(change, NOON, "leadbaton", hop, rep)


ASSIGNED = step(Change.ASSIGNED, "grace", 1)
REJECTED = step(Change.REJECTED, None, 1)
REASSIGNED = step(Change.REASSIGNED, "linus", 2)
ACCEPTED = step(Change.ACCEPTED, "linus", 2)
RETURNED = step(Change.RETURNED, None, 1)
RULING = {"team": "sales", "rule": "everybody", "agreement_version": 1}


@pytest.mark.parametrize(
    ("rep", "holder", "past", "visible"),
    [
        ("grace", "grace", [ASSIGNED], [ASSIGNED]),
        ("linus", "grace", [ASSIGNED], []),
        ("linus", "linus", [ASSIGNED, REJECTED, REASSIGNED], [ASSIGNED, REJECTED, REASSIGNED]),
        ("grace", "linus", [ASSIGNED, REJECTED, REASSIGNED], [ASSIGNED, REJECTED]),
        ("grace", None, [ASSIGNED, REJECTED], [ASSIGNED, REJECTED]),
        (
            "grace",
            "linus",
            [ASSIGNED, REASSIGNED, ACCEPTED],
            [ASSIGNED, step(Change.REASSIGNED, None, 1)],
        ),
    ],
    ids=["holder", "never", "holder of hop 2", "rejected", "waits", "taken in one step"],
)
def test_a_rep_sees_the_steps_up_to_the_one_that_took_the_handoff(
    rep: str, holder: str | None, past: list[PastStep], visible: list[PastStep]
) -> None:
    assert steps_for(rep, handoff(rep=holder), past) == visible


def test_a_holder_sees_the_handoff_as_it_is() -> None:
    held = handoff(hop=2)
    assert handoff_for("grace", held, [ASSIGNED], []) is held


def test_an_earlier_rep_sees_the_handoff_as_it_left_them() -> None:
    after = handoff(
        State.WON, rep="linus", hop=2, closed_at=LATER, team="partners", agreement_version=2
    )

    visible = handoff_for("grace", after, [ASSIGNED, REJECTED], [RULING])

    assert (visible.state, visible.rep, visible.hop, visible.closed_at) == (
        State.WAITING,
        None,
        1,
        None,
    )
    assert (visible.team, visible.rule, visible.agreement_version) == ("sales", "everybody", 1)


def test_an_earlier_rep_sees_the_end_but_not_the_other_handoff() -> None:
    after = handoff(State.MERGED, rep=None, closed_at=LATER, merged_into=UUID(int=1))

    visible = handoff_for("grace", after, [ASSIGNED, RETURNED], [])

    assert (visible.state, visible.closed_at, visible.merged_into) == (State.MERGED, LATER, None)


def test_a_rep_sees_their_own_row_of_decisions_up_to_their_hop() -> None:
    rows: list[dict[str, Any]] = [{"rep": "grace", "open": 1}, {"rep": "linus", "open": 2}]
    decisions: list[dict[str, Any]] = [
        {"hop": 1, "candidates": rows},
        {"hop": 2, "candidates": rows},
        {"hop": 3},
    ]

    own = [{"rep": "linus", "open": 2, "nearest_change": None}]
    assert decisions_for("linus", decisions, hop=2) == [
        {"hop": 1, "margin": None, "candidates": own},
        {"hop": 2, "margin": None, "candidates": own},
    ]
    assert decisions_for("linus", [{"hop": 1}], hop=1) == [
        {"hop": 1, "margin": None, "candidates": []}
    ]
