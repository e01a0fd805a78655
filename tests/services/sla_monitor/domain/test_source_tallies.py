"""What a clock adds to the counts of its sources and of its campaign."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from services.sla_monitor.domain.clocks import Clock, State
from services.sla_monitor.domain.source_tallies import (
    SourceTally,
    source_differences,
    source_tallies_of,
    source_tally_changes,
)
from services.sla_monitor.domain.tallies import EVERY
from shared.contracts.payloads import Change
from tests.services.sla_monitor.builders import DUE_CLOCK, TOUCH, derived_clocks, ended, step

BROKEN = DUE_CLOCK._replace(breached_at=DUE_CLOCK.due_at, sources=("ads", "web"), campaign="q4")


def names(clock: Clock | None) -> list[tuple[str, str, str]]:
    return [(it.field, it.name, it.measure) for it in source_tallies_of(clock)]


def test_a_clock_counts_under_each_source_and_under_its_campaign() -> None:
    assert names(BROKEN) == [
        ("source", "ads", "overdue"),
        ("source", "web", "overdue"),
        ("campaign", "q4", "overdue"),
    ]
    assert names(BROKEN._replace(sources=("ads", "ads"))) == [
        ("source", "ads", "overdue"),
        ("campaign", "q4", "overdue"),
    ]


def test_an_answer_counts_with_its_times() -> None:
    met = ended(BROKEN._replace(breached_at=None, sources=("ads",)), State.MET, 20, by="contacted")
    assert names(met) == [
        (field, name, measure)
        for field, name in (("source", "ads"), ("campaign", "q4"))
        for measure in ("met", "business", "wall")
    ]


@pytest.mark.parametrize(
    "clock",
    [None, BROKEN._replace(sources=None), BROKEN._replace(breached_at=None)],
    ids=["none", "of an older version", "in time"],
)
def test_what_counts_for_nothing(clock: Clock | None) -> None:
    assert names(clock) == []


def test_leads_without_a_source_or_a_campaign_are_a_group_too() -> None:
    assert names(BROKEN._replace(sources=(), campaign=None)) == [
        ("source", "", "overdue"),
        ("campaign", "", "overdue"),
    ]


def test_counts_change_by_what_changes() -> None:
    known = BROKEN._replace(sources=("ads",), campaign=None)
    unknown = known._replace(sources=None)
    assert source_tally_changes([(known, known)]) == Counter()
    assert source_tally_changes([(unknown, known)]) == Counter(source_tallies_of(known))
    assert set(source_tally_changes([(known, None)]).values()) == {-1}


def test_differences_are_those_of_each_count_and_of_the_sums() -> None:
    tally = SourceTally(
        "campaign", "hot", date(2026, 11, 18), "q4", "sales", "accept", "hop", "met", 0
    )
    of_all = tally._replace(tier=EVERY)
    stored = {tally: 1, of_all: 5, tally._replace(measure="late"): 0}
    assert source_differences(stored, Counter({tally: 2})) == {tally: 1, of_all: -3}


def test_a_clock_keeps_a_bounded_part_of_sources_and_campaign() -> None:
    sources = tuple(f"{n}" + "x" * 500 for n in range(30))
    long = step(Change.ASSIGNED, sources=sources, campaign="y" * 500)
    clock = derived_clocks([long], TOUCH)["touch/1"]
    assert clock.sources is not None
    assert (len(clock.sources), {len(it) for it in clock.sources}) == (20, {400})
    assert clock.campaign == "y" * 400
    assert derived_clocks([step(Change.ASSIGNED, campaign="")], TOUCH)["touch/1"].campaign is None
