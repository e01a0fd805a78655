"""An answer is kept by the values that the condition reads, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.agreement.cel.cache import AnswerCache


def computations(source: str, *facts: Mapping[str, Any], limit: int = 100) -> int:
    """How many of the answers for these facts, in order, are computed and not recalled."""
    answers, count = AnswerCache(source, limit=limit), 0

    def compute() -> bool:
        nonlocal count
        count += 1
        return True

    for each in facts:
        answers.recall(each, compute)
    return count


@pytest.mark.parametrize(
    ("source", "events", "times"),
    [
        ("event.path == '/x'", ({"path": "/x"}, {"path": "/x", "more": 1}), 1),
        ("event.path == '/x'", ({"path": "/x"}, {"path": "/y"}), 2),
        ("event.path == '/x'", ({"path": "/x"}, {}), 2),
        ("event.path == '/x'", ({"path": None}, {}), 2),
        ("event.n == 1", ({"n": 1}, {"n": True}), 2),
        ("event.n == 1.5", ({"n": 1.5}, {"n": 1.5}), 2),
        ("event.n == 1.5", ({"n": 2.0}, {"n": 2.0}), 1),
        ("event.n == 1.5", ({"n": 2.0}, {"n": 2}), 2),
        ("event.path.startsWith('/x')", ({"path": "/x/1"}, {"path": "/x/1"}), 1),
        ("event . path == '/x'", ({"path": "/x"}, {"path": "/x"}), 1),
        ("event['path'] == '/x'", ({"path": "/x"}, {"path": "/x"}), 2),
        (".event.path == '/x'", ({"path": "/x"}, {"path": "/y"}), 2),
        ("'x' in event.words", ({"words": ["x", "y"]}, {"words": ["x", "y"]}), 1),
        ("'x' in event.words", ({"words": ["x", "y"]}, {"words": ["y", "x"]}), 2),
        ("1 in event.numbers", ({"numbers": [1]}, {"numbers": [1]}), 2),
        ("has(event.a) && event.b == 2", ({"a": 1, "b": 2}, {"a": 1, "b": 3}), 2),
    ],
)
def test_the_values_that_are_read_decide(
    source: str, events: tuple[dict[str, Any], ...], times: int
) -> None:
    assert computations(source, *({"event": it} for it in events)) == times


def test_a_full_cache_begins_anew() -> None:
    facts = [{"event": {"path": path}} for path in ("a", "b", "c", "a")]
    assert computations("event.path", *facts, limit=2) == 4
