"""A round's bench is kept as little as it may be, and is the same again."""

from __future__ import annotations

import pytest

from services.routing.domain.assignment.records import Tally, differing, seated, tallied
from services.routing.domain.roster import RepLoad, Roster
from tests.builders import NOON
from tests.services.routing.builders import rep_load

FOUR = [rep_load(it, open=1, credit=0.1 + 0.2) for it in ("ada", "grace", "linus", "tim")]


def tallies(*loads: RepLoad) -> dict[str, Tally]:
    return tallied([*FOUR, *loads])


def test_a_bench_that_was_kept_is_the_same_again() -> None:
    loads = [*FOUR, rep_load("new", last_assigned_at=NOON, counted=False)]
    roster = Roster(1, {it.rep.id: it.rep for it in loads})

    assert seated(tallied(loads), roster) == loads


def test_where_little_differs_that_is_all_there_is_to_keep() -> None:
    one = tallies(rep_load("grace", open=2))

    other = differing(one, tallies())

    assert other == [one["grace"]]
    assert {**tallies(), **{it[0]: it for it in other}} == one
    assert differing(one, one) == []


@pytest.mark.parametrize(
    "now",
    [tallies(rep_load("ada", open=2), rep_load("tim", open=2)), tallied(FOUR[1:])],
    ids=["half of them", "somebody is gone"],
)
def test_where_much_differs_the_bench_is_kept_as_a_whole(now: dict[str, Tally]) -> None:
    assert differing(now, tallies()) is None


def test_somebody_from_elsewhere_is_only_one_more() -> None:
    guest = rep_load("guest", rep_fields={"team": "partners"})

    assert differing(tallies(guest), tallies()) == [tallied([guest])["guest"]]
