"""Which rows of a report are listed, and which are summed."""

from __future__ import annotations

import pytest

from services.alignment.domain.ranking import split


@pytest.mark.parametrize(
    ("limit", "listed", "others"),
    [
        (5, "ab?cd", ""),
        (4, "ab?cd", ""),
        (3, "ab?cd", ""),
        (2, "ab?", "cd"),
        (1, "a?", "bcd"),
    ],
)
def test_rows_without_a_name_and_a_single_other_one_are_listed(
    limit: int, listed: str, others: str
) -> None:
    parts = split("ab?cd", limit, lambda it: None if it == "?" else it)

    assert [sorted(it) for it in parts] == [sorted(listed), sorted(others)]
