"""The page on clients lists what it explains; tests/journey/test_connect.py runs its code."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.journey.test_connect import CLIENTS, code_of

BROWSER_CLIENT = "@segment/analytics-next"


def test_each_client_of_the_list_has_a_section_with_code() -> None:
    page = (ROOT / "docs" / "connect.md").read_text()
    listed = re.findall(r"^\| \[(.+?)\]\(#", page, re.MULTILINE)

    assert sorted(listed) == sorted([*CLIENTS, BROWSER_CLIENT])
    for client in CLIENTS:
        _, code = code_of(client)
        assert len(code.splitlines()) <= 12
    assert f"\n## {BROWSER_CLIENT}\n" in page
