"""The work of a condition is estimated before it is evaluated; too much work is false, and counted, at once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared.agreement.cel.condition import Condition
from shared.agreement.cel.cost import Cost, Size, cost_of, program_length, size_of
from shared.agreement.cel.failures import FAILURES, Cause
from shared.http.metrics import exposed

TAGS = "event.properties.tags"
LONG = ["t"] * 9_000
TEXT = "a" * 30_000


def failures(rule: str) -> dict[Cause, int]:
    """How often the rule failed so far."""
    return {cause: total for (name, cause), total in FAILURES.totals().items() if name == rule}


def held(source: str, rule: str, **properties: Any) -> bool:
    facts = {"event": {"type": "x", "properties": properties, "context": {}}}
    return Condition(source, rule).holds(facts)


@pytest.mark.parametrize(
    ("source", "properties"),
    [
        (f"{TAGS}.all(t, !('x' in {TAGS}))", {"tags": LONG}),
        (f"{TAGS}.all(t, {TAGS} == {TAGS})", {"tags": LONG}),
        (f"{TAGS}.map(t, {TAGS} + {TAGS}).size() > 0", {"tags": LONG}),
        (f"{TAGS}.all(t, {TAGS}.all(u, {TAGS}.all(v, v == u)))", {"tags": LONG[:500]}),
        (f"{TAGS}.all(t, !t.matches('(a{{0,100}}){{0,9}}b'))", {"tags": LONG}),
        (f"{TAGS}.all(t, !event.properties.a.matches('^a+b'))", {"tags": LONG, "a": TEXT}),
        (f"{TAGS}.map(t, t + t + t + t).map(t, t + t + t + t).size() > 0", {"tags": [TEXT] * 50}),
        ("event.properties.a.matches('((a{0,100}){0,9}b){0,9}')", {"a": TEXT}),
        ("event.properties.a.matches(event.properties.p)", {"a": TEXT, "p": "(a?){1000}"}),
        (
            "event.properties.all(k, event.properties.all(j, event.properties[k] != j))",
            {f"k{number}": "v" for number in range(900)},
        ),
    ],
)
def test_too_much_work_is_not_begun(source: str, properties: dict[str, Any]) -> None:
    rule = f"work {source}"
    before = failures(rule).get(Cause.WORK, 0)
    began = time.process_time()

    assert held(source, rule, **properties) is False

    assert time.process_time() - began < 1
    assert failures(rule) == {Cause.WORK: before + 1}


@pytest.mark.parametrize(
    ("source", "properties"),
    [
        (f"{TAGS}.exists(t, t == 'x')", {"tags": [*LONG, "x"]}),
        (f"'x' in {TAGS}", {"tags": [*LONG * 3, "x"]}),
        (f"{TAGS}.exists(t, t in event.properties.more)", {"tags": LONG[:200], "more": ["a", "t"]}),
        (f"{TAGS}.exists(t, event.properties.more.exists(m, m == t))", {"tags": ["t"] * 90, "more": ["t"] * 90}),
        ("event.properties.a.matches('(?i)data|analytics|revenue')", {"a": TEXT + "data"}),
        ("event.properties.a.matches('[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}')", {"a": "x 01234567-89ab-cdef"}),
        (f"{TAGS}.exists(t, true) || !has({TAGS}.more)", {"tags": {}}),
        (f"{TAGS}.filter(t, t.startsWith('t')).size() > 8000", {"tags": LONG}),
    ],
)  # fmt: skip
def test_work_within_the_limit_is_done(source: str, properties: dict[str, Any]) -> None:
    assert held(source, f"done {source}", **properties) is True
    assert failures(f"done {source}") == {}


@pytest.mark.parametrize(
    ("source", "properties", "cause"),
    [
        (f"{TAGS}.exists(t, t == 'x')", {"tags": ["t"] * 15_000}, Cause.ITERATIONS),
        ("1 / event.properties.n == 1", {"n": 0}, Cause.ERROR),
        ("event.properties.n + 1 > 0", {"n": 2**63 - 1}, Cause.ERROR),
        ("int(event.properties.n) > 1", {"n": "many"}, Cause.ERROR),
        ("event.properties.a.matches(event.properties.p)", {"a": "a", "p": "("}, Cause.ERROR),
        ("timestamp(event.properties.n) > timestamp('2026-01-01T00:00:00Z')", {"n": "x"}, Cause.ERROR),
        ('{event.properties.n: 1, "a": 2}.a == 1', {"n": "a"}, Cause.ERROR),
    ],
)  # fmt: skip
def test_a_failure_is_false_and_counted_for_the_rule(
    source: str, properties: dict[str, Any], cause: Cause
) -> None:
    rule = f"fails {source}"

    for times in (1, 2):
        assert held(source, rule, **properties) is False
        assert failures(rule) == {cause: times}


@pytest.mark.parametrize(
    ("source", "properties"),
    [
        ("event.properties.x == 1", {}),
        ("event.properties.x > 1", {"x": "text"}),
        ("event.properties.x.y == 1", {"x": "text"}),
        ("event.properties.x[3] == 1", {"x": [1]}),
        ("event.properties.x[0] == 1", {"x": "text"}),
        ("event.properties.x", {"x": "UNKNOWN: No value with name"}),
        ("event.properties[event.properties.x] == 1", {"x": "UNKNOWN: No value with name"}),
    ],
)
def test_what_is_missing_or_of_another_kind_is_no_failure(
    source: str, properties: dict[str, Any]
) -> None:
    assert held(source, f"missing {source}", **properties) is False
    assert failures(f"missing {source}") == {}


def test_failures_are_a_metric_by_rule_and_cause() -> None:
    labels = {"rule": "metric", "cause": "iterations"}
    held(f"{TAGS}.exists(t, t == 'x')", "metric", tags=["t"] * 15_000)

    assert REGISTRY.get_sample_value("leadbaton_condition_failures_total", labels) == 1
    assert b'leadbaton_condition_failures_total{cause="iterations",rule="metric"}' in exposed()[0]


def test_a_text_that_is_read_like_a_mapping_makes_the_condition_false() -> None:
    assert held(f"{TAGS}.more.exists(t, true)", "text", tags="text") is False


def test_a_mapping_in_a_loop_is_not_mistaken_for_a_missing_one() -> None:
    condition = Condition('event.properties.exists(k, k == "x")')

    assert not condition.holds({"event": {"properties": {"y": 1}}})
    assert condition.holds({"event": {"properties": {"x": 1}}})


@pytest.mark.parametrize(
    ("source", "depth", "loops"),
    [
        ("lead.a == 1", 0, 0),
        ("lead.a.exists(x, x == 1)", 0, 1),
        ("lead.a.exists(x, x == lead.b)", 1, 1),
        ("lead.a.exists(x, lead.b.exists(y, y == x))", 1, 2),
        ("lead.a.exists(x, lead.b.exists(y, y == lead.c))", 2, 2),
        ("lead.a.exists(x, true) && lead.b.all(x, x == 'lead.c.all(y, lead.d)')", 0, 1),
        ("lead.a.all(lead, lead.x == 1)", 1, 1),
        ("lead.a.all(x, x", 0, 1),
        ("lead.`a b`.all(x, x == lead.c)", 1, 1),
    ],
)
def test_loops_are_seen(source: str, depth: int, loops: int) -> None:
    cost = cost_of(source)
    assert (cost.depth, cost.loops) == (depth, loops)
    assert cost.is_bounded is (loops == 0)


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("abc", 3),
        ("a{3}", 3),
        ("(ab){3}", 9),
        ("(a{2,4}){0,5}", 25),
        ("a{2,}", 2),
        ("a{0}", 1),
        ("a{99999999}", 1000),
        ("[a-z]{2}", 40),
        ("[]a]{2}", 40),
        (".", 20),
        (r"\d", 10),
        (r"\pL\p{Lu}", 1000),
        ("a)", 2),
        ("((", 0),
    ],
)
def test_the_length_of_a_pattern_counts_repetitions(pattern: str, length: int) -> None:
    assert program_length(pattern) == length


def test_everything_is_counted_at_any_depth() -> None:
    facts = {"ab": ["cde", {"f": ("g", None, 1.5)}, {"h"}]}

    assert size_of([facts]) == Size(elements=10, characters=2 + 3 + 1 + 1 + 1)
    assert Cost(0, 0, 1, 0, Size(0, 0), reads_facts=False).work_ns(Size(2, 10)) == 1400
