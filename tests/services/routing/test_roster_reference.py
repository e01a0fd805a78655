"""The reference of the file of reps has every field, with a description."""

from __future__ import annotations

import re
from pathlib import Path

from services.routing.roster_file import RosterFile
from services.routing.roster_reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reps.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == reference(), "run: leadbaton docs generate"


def test_every_field_is_there_and_described() -> None:
    rows = [line for line in reference().split("\n") if re.match(r"\| `\w+` \|", line)]
    names = {row.split("`")[1] for row in rows}

    assert names >= {*RosterFile.model_fields, "from", "to", "weight", "per_day", "url", "fallback"}
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_link_leads_to_a_section_that_is_there_once() -> None:
    titles = [line[3:].lower() for line in reference().split("\n") if line.startswith("## ")]

    assert sorted(titles) == sorted(set(titles))
    assert {match[1] for match in re.finditer(r"\(#(\w+)\)", reference())} <= set(titles)
