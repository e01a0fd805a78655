"""The pages of the documentation name only files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)")
FOLDERS = "alignment|benchmarks|deploy|docs|examples|migrations|routing|scoring|services|shared|sla_monitor|tests"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]+)`")


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda it: str(it.relative_to(ROOT)))
def test_links_and_paths_lead_to_files(page: Path) -> None:
    text = page.read_text()
    links = [it for it in LINK.findall(text) if not (page.parent / it).exists()]
    paths = [
        it
        for it in PATH.findall(text)
        if not any((ROOT / start / it).exists() for start in (".", "services"))
    ]

    assert (links, paths) == ([], [])
