"""An allocation stores as few rep loads as it can, and they are the same again."""

from __future__ import annotations

import pytest

from services.routing.domain.roster import RepLoad, Roster
from services.routing.queries.allocations import (
    StoredLoad,
    difference_of,
    rep_loads_of,
    stored_loads,
)
from tests.builders import NOON
from tests.services.routing.builders import rep_load

FOUR = [rep_load(it, open=1, credit=0.1 + 0.2) for it in ("ada", "grace", "linus", "tim")]


def four_and(*loads: RepLoad) -> dict[str, StoredLoad]:
    return stored_loads([*FOUR, *loads])


def test_stored_loads_are_the_same_again() -> None:
    loads = [*FOUR, rep_load("new", last_assigned_at=NOON, counted=False)]
    roster = Roster(1, {it.rep.id: it.rep for it in loads})

    assert rep_loads_of(stored_loads(loads), roster) == loads


def test_where_little_differs_the_difference_is_stored() -> None:
    loads = four_and(rep_load("grace", open=2))

    difference = difference_of(loads, four_and())

    assert difference == [loads["grace"]]
    assert {**four_and(), **{rep: (rep, *counts) for rep, *counts in difference}} == loads
    assert difference_of(loads, loads) == []


@pytest.mark.parametrize(
    "loads",
    [four_and(rep_load("ada", open=2), rep_load("tim", open=2)), stored_loads(FOUR[1:])],
    ids=["half of them", "somebody is gone"],
)
def test_where_much_differs_all_loads_are_stored(loads: dict[str, StoredLoad]) -> None:
    assert difference_of(loads, four_and()) is None


def test_a_rep_of_another_team_is_one_more_load() -> None:
    guest = rep_load("guest", rep_fields={"team": "partners"})

    assert difference_of(four_and(guest), four_and()) == [stored_loads([guest])["guest"]]
