"""The chapter for both teams shows parts of the example that the product reads, and its sums are right."""

from __future__ import annotations

import re

import pytest
import yaml

from shared.agreement.load import parse
from shared.agreement.model import Measure
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "two-teams.md").read_text()
SOURCE = (ROOT / "examples" / "agreement.yaml").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def is_part_of(part: object, whole: object) -> bool:
    """Whether all keys of the part have the same values in the whole."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(it in whole and is_part_of(part[it], whole[it]) for it in part)
    return part == whole


@pytest.mark.parametrize("block", BLOCKS, ids=lambda it: str(it).partition(":")[0])
def test_each_example_is_a_part_of_the_example_file(block: str) -> None:
    assert is_part_of(yaml.safe_load(block), yaml.safe_load(SOURCE))


def test_every_promise_of_the_example_is_explained() -> None:
    promises = parse(SOURCE).promises
    parts = [yaml.safe_load(it)["promises"] for it in BLOCKS if it.startswith("promises")]

    assert [it["id"] for it in parts[0]["marketing"]] == [it.id for it in promises.marketing]
    assert [it["id"] for it in parts[1]["sales"]] == [it.id for it in promises.sales]
    assert {it.measure for it in (*promises.marketing, *promises.sales)} <= set(Measure)


def test_the_sums_follow_from_the_example() -> None:
    money = parse(SOURCE).money
    assert money is not None
    assert money.quota is not None
    revenue = money.quota.amount * money.quota.marketing_share
    worths = [it.close_rate * it.average_deal for it in money.value]

    assert f"= {revenue:,.0f} a quarter" in PAGE
    for worth in worths:
        assert f"= {worth:,.0f} for" in PAGE
    hot, ordinary = (revenue / it for it in worths)
    assert f"= {ordinary:,.0f} a quarter if none is hot, {hot:,.0f} if all are" in PAGE
