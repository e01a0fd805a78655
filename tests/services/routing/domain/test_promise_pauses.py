"""The pauses of a promise, from the steps of its handoff."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing.domain.answers import PastStep
from services.routing.domain.promise_pauses import promise_pauses
from shared.agreement.model import PauseReason, Policy
from shared.contracts.payloads import Change
from tests.builders import NOON, minutes

REASONS = [PauseReason.model_validate({"id": "later", "kinds": ["first_touch"], "longest": "1h"})]


def past(
    change: Change, at: float, *, hop: int = 1, rep: str | None = "grace", **details: Any
) -> PastStep:
    return PastStep(change, NOON + minutes(at), f"rep/{rep}", hop, rep, details)


def paused(at: float, *, hop: int = 1, reason: str = "later") -> PastStep:
    return past(Change.PAUSED, at, hop=hop, reason=reason, resumes_at=NOON + minutes(at + 60))


def promise(**fields: Any) -> Policy:
    usual = {
        "id": "touch",
        "kind": "first_touch",
        "scope": "hop",
        "anchor": "assigned",
        "target": "1h",
    }
    return Policy.model_validate({**usual, **fields})


STEPS = [
    past(Change.ASSIGNED, 0),
    paused(10),
    past(Change.REJECTED, 30, rep=None),
    past(Change.REASSIGNED, 40, hop=2, rep="linus"),
    paused(50, hop=2),
    past(Change.RESUMED, 55, hop=2),
    paused(100, hop=2, reason="unknown"),
]


@pytest.mark.parametrize(
    ("fields", "spans"),
    [
        ({}, [(50, 55)]),
        ({"scope": "journey"}, [(10, 30), (50, 55)]),
        ({"kind": "accept"}, []),
    ],
    ids=["hop", "journey", "another kind"],
)
def test_the_pauses_of_a_promise(fields: dict[str, Any], spans: list[tuple[float, float]]) -> None:
    pauses = promise_pauses(STEPS, promise(**fields), REASONS, hop=2)
    assert [
        ((it.since - NOON) / minutes(1), (it.until - NOON) / minutes(1)) for it in pauses
    ] == spans
