"""Tests of the coverage gate."""

from __future__ import annotations

import pytest

from tests.coverage_gate import gaps, line_of


def report(percent: float) -> dict[str, object]:
    return {
        "summary": {"percent_covered": percent},
        "missing_lines": [7],
        "missing_branches": [[9, 12], [9, -1]],
    }


def test_a_file_below_the_line_is_named_with_the_gaps() -> None:
    files = {"services/cli/up.py": report(94.9), "shared/clock.py": report(95.0)}

    assert list(gaps(files)) == [
        "services/cli/up.py: 94.9 % of 95 %, not tried: 7, 9->12, 9->-1",
    ]


@pytest.mark.parametrize(
    ("path", "percent"),
    [
        ("services/scoring/domain/score.py", 100),
        ("services/sla_monitor/domain/clock/state.py", 100),
        ("shared/calendar/windows.py", 100),
        ("services/scoring/handlers.py", 95),
    ],
)
def test_what_is_pure_is_tried_completely(path: str, percent: int) -> None:
    assert line_of(path) == percent
