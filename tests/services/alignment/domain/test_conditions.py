"""Conditions over what is known of handoffs."""

from __future__ import annotations

import pytest

from services.alignment.domain.conditions import (
    MAX_CATEGORIES,
    BadCondition,
    condition_of,
    matching,
)
from services.alignment.domain.tallies import Category

EMEA = Category("emea", "hot", "website", "autumn", "email", "champion")
AMER = EMEA._replace(team="amer", campaign="")


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        ('team == "emea"', ["1"]),
        ('campaign == ""', ["2"]),
        ('channel in ["email"] && tier != "warm"', ["1", "2"]),
        ('persona.startsWith("ch") && source.matches("^web")', ["1", "2"]),
        ('team == "apac"', []),
        ("true", ["1", "2"]),
    ],
)
def test_a_condition_reads_what_is_known_of_handoffs(source: str, ids: list[str]) -> None:
    assert matching({"1": EMEA, "2": AMER}, condition_of(source)) == ids


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('team = "emea"', "at character 6: `=` does not compare; write `==`"),
        ('tema == "emea"', "at character 1: "),
        ('rep == "grace"', "at character 1: "),
        ("team ==", "ends too early"),
        ("team", "at character 1: "),
        ("team > 3", "at character 6: "),
        ("", "at character 1: "),
        ("(" * 300, "at character"),
        ('team.matches("(")', "at character"),
    ],
)
def test_a_bad_condition_is_refused_at_its_character(source: str, message: str) -> None:
    with pytest.raises(BadCondition, match="`where`, at character") as refusal:
        condition_of(source)
    assert message in str(refusal.value)


def test_a_condition_is_evaluated_for_so_many_categories_at_most() -> None:
    many = {
        str(number): EMEA._replace(campaign=str(number)) for number in range(MAX_CATEGORIES + 1)
    }

    with pytest.raises(BadCondition, match="a shorter one"):
        matching(many, condition_of('team == "emea"'))
    with pytest.raises(BadCondition, match="too much work"):
        matching(dict(list(many.items())[:15_000]), condition_of('campaign.matches("(a|b)*c{50}")'))
