"""What every template keeps to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.console import rendering

TEMPLATES = sorted((Path(rendering.__file__).parent / "templates").glob("*.html"))
TABLE = re.compile(r"<table\b")
SCROLLED_TABLE = re.compile(
    r'<div class="scroll" tabindex="0" role="group" aria-label(?:ledby)?="[^>]+">\s*<table\b'
)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: it.name)
def test_a_table_scrolls_by_itself_and_by_the_keyboard(template: Path) -> None:
    source = template.read_text()
    assert len(TABLE.findall(source)) == len(SCROLLED_TABLE.findall(source))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: it.name)
def test_nothing_stands_in_a_template_that_the_policy_forbids(template: Path) -> None:
    source = template.read_text()
    assert re.findall(r"""\s(?:style|on[a-z]+)=["']|<style|javascript:|https?://""", source) == []
    assert re.findall(r"<script(?! type=\"module\" src=\"/static/)", source) == []
