"""What is known of promises, in whatever order it is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.promises import promise_facts
from shared.contracts.payloads import ClockChange, SlaChanged
from tests.builders import an_id, sla_changed
from tests.services.alignment.builders import after_noon

CHANGES = [
    sla_changed(ClockChange.STARTED, at=after_noon(0)),
    sla_changed(ClockChange.BREACHED, at=after_noon(10)),
    sla_changed(ClockChange.RETRACTED, at=after_noon(20)),
    sla_changed(ClockChange.MET, at=after_noon(9), detected_at=after_noon(20)),
    sla_changed(ClockChange.BREACHED, at=after_noon(10), detected_at=after_noon(30)),
    sla_changed(ClockChange.MET, at=after_noon(5), policy="accept"),
]


@given(st.permutations(CHANGES), st.lists(st.sampled_from(CHANGES)))
def test_order_and_repetition_change_nothing(
    changes: list[SlaChanged], again: list[SlaChanged]
) -> None:
    accept, touch = sorted(promise_facts([*changes, *again]), key=lambda it: it.policy)

    assert accept.met_at == after_noon(5)
    assert accept.breached_at is None
    assert touch.handoff_id == an_id(f"{an_id('ada')}/1")
    assert touch.met_at == after_noon(20)
    assert touch.breached_at == after_noon(30)
    assert touch.retracted_at == after_noon(20)


def test_a_clock_that_only_runs_says_nothing_of_its_promise() -> None:
    assert promise_facts([sla_changed(ClockChange.STARTED)]) == []
