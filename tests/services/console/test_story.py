"""The rows of a story say in words what each service answered."""

from __future__ import annotations

from typing import Any

import pytest

from services.console.apis import Gap
from services.console.pages.story import Handoff, story

AT = "2026-11-18T12:00:00Z"
LATER = "2026-11-18T13:00:00Z"


def event(**fields: Any) -> dict[str, Any]:
    return {
        "source": "website", "id": "e-1", "type": "page_viewed", "time": AT, "received_at": AT,
        "properties": {}, "traits": {}, "context": {}, "marks": (), "points": [], **fields,
    }  # fmt: skip


def clock(**fields: Any) -> dict[str, Any]:
    return {
        "id": "c-1", "kind": "first_touch", "policy": "touch", "scope": "hop", "team": "sales",
        "rep": "amira", "due_at": LATER, "target_s": 3600.0, "started_at": AT, "breached_at": None,
        "ended_at": None, "outcome": "running", **fields,
    }  # fmt: skip


def handoff(*steps: dict[str, Any], clocks: Any = None, **fields: Any) -> Handoff:
    details = {
        "id": "h-1", "team": "sales", "tier": "hot", "cause": "hand_raise", "qualified_at": AT,
        "agreement_version": 3, "scores": {"fit": 40.0, "engagement": 50.0, "grade": "B2"},
        "lead": {}, "decisions": [], "deliveries": [], "escalations": [], "history": list(steps), **fields,
    }  # fmt: skip
    return Handoff(details, Gap("away") if clocks is None else {"items": clocks})


def step(change: str, **fields: Any) -> dict[str, Any]:
    return {
        "change": change, "rep": "amira", "hop": 1, "actor": "rep/amira", "occurred_at": AT,
        "recorded_at": AT, "details": {}, **fields,
    }  # fmt: skip


def texts(*handoffs: Handoff, events: Any = (), steps: Any = ()) -> list[str]:
    rows = story({"steps": steps}, {"items": list(events)}, list(handoffs))
    return [row.text for row in rows]


def test_without_answers_there_is_no_story() -> None:
    assert story(Gap("away"), Gap("away"), []) == []


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "Page viewed"),
        ({"context": {"page": {"path": "/pricing"}}}, "Page viewed: /pricing"),
        ({"context": {"page": "x"}}, "Page viewed"),
        (
            {"points": [{"label": "Page", "points": 5.0}, {"label": "Price", "points": -1.5}]},
            "Page viewed (+5 Page, -1.5 Price)",
        ),
    ],
)
def test_an_event_says_what_it_was_worth(fields: dict[str, Any], text: str) -> None:
    assert texts(events=[event(**fields)]) == [text]


def test_nested_values_of_an_event_are_facts() -> None:
    [row] = story(
        Gap("away"),
        {"items": [event(properties={"a": 1}, context={"page": {"url": "u", "tags": [1, 2]}})]},
        [],
    )
    facts = {name: it for name, it in row.facts.items() if name.startswith(("prop", "context"))}
    assert facts == {"property a": 1, "context page.url": "u", "context page.tags": "[1,2]"}


@pytest.mark.parametrize(
    ("one_step", "text"),
    [
        (step("waiting", rep=None), "Waits for a rep of sales"),
        (step("assigned"), "Assigned to amira"),
        (step("reassigned", rep="linus"), "Taken from its rep, and given to linus"),
        (step("reassigned", rep=None), "Taken from its rep"),
        (step("won"), "Won by amira"),
        (step("unheard"), "unheard"),
    ],
)
def test_a_step_is_a_sentence(one_step: dict[str, Any], text: str) -> None:
    assert texts(handoff(one_step)) == ["Qualified as hot, by hand raise", text]


def test_a_choice_names_the_rule_and_why_others_were_excluded() -> None:
    decision = {
        "hop": 1, "rule": "everybody", "strategy": "fair_share",
        "candidates": [
            {"rep": "amira", "excluded": []},
            {"rep": "jonas", "excluded": [{"reason": "full", "detail": "25 of 25"}]},
        ],
    }  # fmt: skip
    rows = story(Gap("away"), Gap("away"), [handoff(step("assigned"), decisions=[decision])])
    assert rows[1].facts["rule"] == "everybody"
    assert rows[1].facts["jonas"] == "25 of 25"
    assert rows[1].links == {"why this rep": "/handoffs/h-1/why"}


def test_a_late_report_is_a_fact() -> None:
    rows = story(Gap("away"), Gap("away"), [handoff(step("contacted", recorded_at=LATER))])
    assert rows[1].facts["reported"] == LATER


def test_a_delivery_shows_its_attempts() -> None:
    delivery = {
        "id": "d-1", "type": "handoff.assigned", "endpoint": "rep/amira", "state": "delivered",
        "created_at": AT, "attempt_count": 1,
        "attempts": [{"number": 1, "status": None, "took_ms": 15.2, "detail": "timed out"}],
    }  # fmt: skip
    rows = story(Gap("away"), Gap("away"), [handoff(deliveries=[delivery])])
    assert rows[1].text == "handoff.assigned to rep/amira: delivered, 1 attempt"
    assert rows[1].facts["attempt 1"] == "no response after 15 ms: timed out"


def test_a_clock_starts_breaks_and_ends() -> None:
    kept = clock(ended_at=LATER, outcome="met")
    broken = clock(id="c-2", breached_at=LATER, ended_at="2026-11-18T14:00:00Z", outcome="late")
    assert texts(handoff(clocks=[kept, broken])) == [
        "Qualified as hot, by hand raise",
        "Promised: first touch",
        "Promised: first touch",
        "First touch: met",
        "Broken: first touch",
        "First touch: late",
    ]


def test_stages_stand_between_what_caused_them() -> None:
    steps = [{"stage": "qualified", "cause": "website/e-1", "at": AT}]
    assert texts(events=[event()], steps=steps) == ["Page viewed", "Became qualified"]


@pytest.mark.parametrize(
    ("fields", "at", "text"),
    [
        (
            {"outcome": "returned_to_pool", "done_at": LATER},
            LATER,
            "Ladder: return to pool; it is in the pool",
        ),
        ({"outcome": None, "done_at": None}, AT, "Ladder: return to pool; pending"),
    ],
    ids=["done", "pending"],
)
def test_a_step_of_a_ladder_is_a_row(fields: dict[str, Any], at: str, text: str) -> None:
    escalation = {
        "step": "return_to_pool", "policy": "accept", "hop": 2, "rep": "amira", "due_at": AT, **fields
    }  # fmt: skip
    [row] = [
        it
        for it in story(
            Gap("away"), Gap("away"), [handoff(escalations=[escalation])], {"amira": "Amira"}
        )
        if it.kind == "ladder"
    ]
    assert (row.at, row.text) == (at, text)
    assert (row.facts["against"], row.facts["hop"]) == ("Amira", 2)
