"""Each measure by its formula, and what it says of nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.alignment.domain import measures
from services.alignment.domain.groups import GroupCount
from services.alignment.domain.measures import Counted, Figure
from shared.agreement.model import LeadValue

HOT = LeadValue.model_validate(
    {"when": 'tier == "hot"', "close_rate": 0.25, "average_deal": 333.33}
)
OTHERS = LeadValue.model_validate({"when": True, "close_rate": 0.06, "average_deal": 9_000})


def test_the_worth_of_leads_is_added_by_the_first_condition_that_holds() -> None:
    counts = [GroupCount(("hot",), 3), GroupCount(("",), 2)]

    figure = measures.qualified_value(["tier"], counts, [HOT, OTHERS], "EUR")

    assert figure == Figure(3 * 83.33 + 2 * 540, "EUR", 5)


def test_a_lead_of_unknown_worth_makes_no_wrong_sum() -> None:
    counts = [GroupCount(("hot",), 3), GroupCount(("cold",), 2)]

    figure = measures.qualified_value(["tier"], counts, [HOT], "EUR")

    assert (figure.value, figure.n, figure.is_unknown) == (None, 5, True)
    assert "2 leads" in str(figure.why)


@pytest.mark.parametrize(
    "figure",
    [
        measures.share_of(Counted(0, 0)),
        measures.time_within(0, None),
        measures.attempts_per_lead(0, 0),
    ],
    ids=["share", "time", "attempts"],
)
def test_of_nothing_there_is_no_value_and_that_is_known(figure: Figure) -> None:
    assert (figure.value, figure.n, figure.is_unknown) == (None, 0, False)


def test_figures_have_their_units() -> None:
    assert measures.qualified(7) == Figure(7, "leads", 7)
    assert measures.share_of(Counted(4, 3)) == Figure(0.75, "share", 4)
    assert measures.time_within(2, timedelta(minutes=5)) == Figure(300.0, "seconds", 2)
    assert measures.attempts_per_lead(5, 2) == Figure(2.5, "attempts", 2)
