"""Decisions are in one index, and each says why, what follows, and what holds it."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

DECISIONS = ROOT / "docs" / "decisions"
INDEX = (DECISIONS / "README.md").read_text()
FILES = sorted(DECISIONS.glob("[0-9]*.md"))


@pytest.mark.parametrize("number", range(len(FILES)), ids=lambda it: FILES[it].stem)
def test_a_decision_has_all_parts_and_is_in_the_index_once(number: int) -> None:
    file = FILES[number]
    text = file.read_text()
    title = text.partition("\n")[0]

    assert file.name.startswith(f"{number + 1:03}-")
    assert title.startswith(f"# {number + 1}. ")
    assert re.findall(r"^> \*\*", text, re.MULTILINE) == ["> **"]
    assert re.search(r"^- ", text, re.MULTILINE)
    assert re.search(r"^Held by: ", text, re.MULTILINE)
    assert INDEX.count(f"| {number + 1} | [{title.partition('. ')[2]}]({file.name}) |") == 1
