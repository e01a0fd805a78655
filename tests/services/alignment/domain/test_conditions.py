"""Conditions over what is known of handoffs."""

from __future__ import annotations

import pytest

from services.alignment.domain.conditions import MAX_GROUPS, BadCondition, condition_of, matching
from services.alignment.domain.groups import FIELDS, Group

EMEA = ("emea", "hot", "website", "autumn", "email", "champion")
AMER = ("amer", "hot", "website", "", "email", "champion")


@pytest.mark.parametrize(
    ("source", "members"),
    [
        ('team == "emea"', [EMEA]),
        ('campaign == ""', [AMER]),
        ('channel in ["email"] && tier != "warm"', [EMEA, AMER]),
        ('persona.startsWith("ch") && source.matches("^web")', [EMEA, AMER]),
        ('team == "apac"', []),
        ("true", [EMEA, AMER]),
    ],
)
def test_a_condition_reads_what_is_known_of_handoffs(source: str, members: list[Group]) -> None:
    assert matching(condition_of(source), FIELDS, [EMEA, AMER]) == (FIELDS, tuple(members))


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


def test_a_condition_is_evaluated_for_so_many_groups_at_most() -> None:
    many = [(f"campaign {number}",) for number in range(MAX_GROUPS + 1)]

    with pytest.raises(BadCondition, match="different values of campaign: name a shorter one"):
        matching(condition_of('campaign == "autumn"'), ("campaign",), many)
    with pytest.raises(BadCondition, match="too much work"):
        matching(condition_of('campaign.matches("(a|b)*c{50}")'), ("campaign",), many[:15_000])
