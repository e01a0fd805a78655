"""Each model divides each amount exactly, and as the formulas say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alignment.domain.attribution import (
    CreditBy,
    Group,
    Terms,
    Touch,
    Win,
    add_credit,
    counted_touches,
    credits_of,
    no_credit,
)
from shared.agreement.model import AttributionModel as Model
from tests.builders import NOON, days

TERMS = Terms(window=days(90), half_life=days(7))
START = NOON
VECTOR = (0, 5, 12, 30, 38)
"""The days of five touches; the lead is won on the last one."""


def win(
    *touched_on: float,
    cents: int = 1_200_000,
    known_on: float | None = 38,
    qualified_on: float = 38,
    won_on: float = 38,
) -> Win:
    """A win with touches on these days."""
    known_at = None if known_on is None else START + days(known_on)
    touches = [Touch(START + days(day), "email", f"day {day:g}") for day in touched_on]
    return Win(START + days(won_on), START + days(qualified_on), known_at, "EUR", cents, touches)


def divided(win: Win, model: Model) -> list[float]:
    """The credit of each touch that counts, in units of the currency."""
    touches = counted_touches(win, TERMS.window)
    return [cents / 100 for cents in credits_of(win, touches, model, TERMS)]


@pytest.mark.parametrize(
    ("model", "credit"),
    [
        (Model.FIRST, [12_000, 0, 0, 0, 0]),
        (Model.LAST, [0, 0, 0, 0, 12_000]),
        (Model.LINEAR, [2_400] * 5),
        (Model.TIME_DECAY, [175.19, 287.44, 574.88, 3_417.04, 7_545.45]),
        (Model.U_SHAPED, [4_800, 800, 800, 800, 4_800]),
        (Model.W_SHAPED, [3_600, 400, 400, 400, 7_200]),
        (Model.FULL_PATH, [2_700, 400, 400, 400, 8_100]),
    ],
    ids=str,
)
def test_a_path_of_five_touches(model: Model, credit: Sequence[float]) -> None:
    assert divided(win(*VECTOR), model) == credit


def test_each_point_has_its_own_touch() -> None:
    path = win(*VECTOR, known_on=6, qualified_on=31)

    assert divided(path, Model.U_SHAPED) == [4_800, 4_800, 800, 800, 800]
    assert divided(path, Model.W_SHAPED) == [3_600, 3_600, 600, 3_600, 600]
    assert divided(path, Model.FULL_PATH) == [2_700, 2_700, 1_200, 2_700, 2_700]


@pytest.mark.parametrize("model", Model, ids=str)
def test_a_single_touch_gets_all_of_it(model: Model) -> None:
    assert divided(win(3), model) == [12_000]


def test_where_no_touch_is_left_over_the_points_share_its_part() -> None:
    assert divided(win(0, 38), Model.U_SHAPED) == [6_000, 6_000]
    assert divided(win(0, 38), Model.W_SHAPED) == [4_000, 8_000]


@pytest.mark.parametrize("known_on", [None, -1], ids=["never known", "known before any touch"])
def test_a_point_without_a_touch_leaves_its_part_to_the_others(known_on: float | None) -> None:
    assert divided(win(0, 10, known_on=known_on), Model.U_SHAPED) == [8_000, 4_000]


def test_touches_outside_the_window_or_after_the_win_do_not_count() -> None:
    path = win(-60, 0, 20, 39)
    assert [it.campaign for it in counted_touches(path, TERMS.window)] == ["day 0", "day 20"]


@given(
    st.integers(0, 10**14),
    st.lists(st.floats(-50, 38), min_size=1, max_size=30),
    st.floats(-60, 50) | st.none(),
    st.floats(-60, 50),
    st.sampled_from(Model),
    st.timedeltas(timedelta(minutes=1), timedelta(days=400)),
)
def test_credit_sums_to_the_amount_in_cents(
    cents: int,
    touched_on: list[float],
    known_on: float | None,
    qualified_on: float,
    model: Model,
    half_life: timedelta,
) -> None:
    path = win(*touched_on, cents=cents, known_on=known_on, qualified_on=qualified_on)
    touches = counted_touches(path, TERMS.window)

    credit = credits_of(path, touches, model, Terms(TERMS.window, half_life))

    assert sum(credit) == cents
    assert all(it >= 0 for it in credit)
    assert len(credit) == len(touched_on)


def test_credit_is_summed_by_currency_and_group_and_wins_without_touches_stand_apart() -> None:
    sums = no_credit([CreditBy.CAMPAIGN])
    for added in (win(0, 38), win(0), win(cents=500)):
        add_credit(sums, added, TERMS)

    credit = sums[CreditBy.CAMPAIGN]
    assert credit.keys() == {
        Group("EUR", is_touched=True, name="day 0"),
        Group("EUR", is_touched=True, name="day 38"),
        Group("EUR", is_touched=False, name=None),
    }
    first, untouched = (
        credit[Group("EUR", is_touched=bool(name), name=name)] for name in ("day 0", None)
    )
    assert (first.cents[Model.LINEAR], first.wins[Model.LINEAR]) == (1_800_000, 2)
    assert (first.cents[Model.LAST], first.wins[Model.LAST]) == (1_200_000, 1)
    assert untouched.cents == dict.fromkeys(Model, 500)
    for model in Model:
        assert sum(it.cents[model] for it in credit.values()) == 2_400_500


def test_a_name_that_is_empty_is_none_and_a_win_of_nothing_is_no_part_of_any() -> None:
    touched = replace(win(cents=0), touches=[Touch(START, "", "")])
    sums = no_credit()
    add_credit(sums, touched, TERMS)

    for groups in sums.values():
        [(group, credit)] = groups.items()
        assert group == Group("EUR", is_touched=True, name=None)
        assert (sum(credit.cents.values()), sum(credit.wins.values())) == (0, 0)


def test_terms_that_differ_have_keys_that_differ() -> None:
    keys = {Terms(days(window), days(half)).key for window in (1, 7) for half in (1, 7, 1e-5)}
    assert len(keys) == 6
