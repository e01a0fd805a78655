"""Each benchmark is explained, and each explanation has its benchmark."""

from __future__ import annotations

import re

from tests.conftest import ROOT

FOLDER = ROOT / "benchmarks"


def test_the_page_names_what_can_be_run() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    runnable = {it.stem for it in FOLDER.glob("*.py") if "\nif __name__ ==" in it.read_text()}

    assert len(explained) == len(set(explained))
    assert runnable <= set(explained)
