"""The page of the reference is what the models say now."""

from __future__ import annotations

import re
from pathlib import Path

from shared.agreement.model import Agreement
from shared.agreement.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "agreement.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == reference(), "run: leadbaton agreement reference > docs/agreement.md"


def test_every_field_has_a_description() -> None:
    rows = [
        line for line in reference().split("\n") if re.match(r"\| `\w+` \| .* \| .* \| .*\|", line)
    ]
    assert len(rows) > 50
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_link_leads_to_a_section() -> None:
    page = reference()
    titles = {line[3:].lower() for line in page.split("\n") if line.startswith("## ")}
    assert {match[1] for match in re.finditer(r"\(#(\w+)\)", page)} <= titles
    assert set(Agreement.model_fields) <= titles | {
        "leadbaton",
        "name",
        "traits",
        "personas",
        "lead_card",
    }


def test_bounds_and_defaults_are_shown() -> None:
    page = reference()
    for cell in ("`14d`", "number, > 0, < 1 | `0.8`", "≥ -1000, ≤ 1000", "`notify: team`", "`0s`"):
        assert cell in page
