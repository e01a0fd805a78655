"""An answer is remembered for what was read, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from shared.agreement.cel.cache import Memory, attributes_read


def asked(source: str, *several: Mapping[str, Any], limit: int = 100) -> int:
    """How often an answer had to be worked out."""
    memory, worked_out = Memory(source, limit=limit), 0

    def work(facts: Mapping[str, Any]) -> Callable[[], Any]:
        def out() -> Any:
            nonlocal worked_out
            worked_out += 1
            return facts

        return out

    for facts in several:
        memory.recall(facts, work(facts))
    return worked_out


@pytest.mark.parametrize(
    ("source", "several", "times"),
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
def test_what_is_read_decides(source: str, several: tuple[dict[str, Any], ...], times: int) -> None:
    assert asked(source, *({"event": it} for it in several)) == times


def test_memory_has_an_end() -> None:
    several = [{"event": {"path": path}} for path in ("a", "b", "c", "a")]
    assert asked("event.path", *several, limit=2) == 4


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("lead.country in rep.territories", {"territories"}),
        ("rep . skills.exists(it, it == lead.x) || rep.id == 'a'", {"skills", "id"}),
        ("lead.rep == 'x' && reps.id == 1", set()),
        ("rep['id'] == 'a' && lead.country in rep.territories", None),
    ],
)
def test_what_a_source_may_read_of_a_name(source: str, expected: set[str] | None) -> None:
    assert attributes_read(source, of="rep") == expected
