"""What the tests of commands share that run in this process."""

from __future__ import annotations

import pytest


@pytest.fixture
def database_environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of commands on the test's database, and a wide terminal."""
    monkeypatch.setenv("LEADBATON_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "250")
