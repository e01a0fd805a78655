"""The story of one lead: told from records, and whole."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from services.demo.lead_history import LeadHistory, print_history

CLOCK: dict[str, Any] = {
    "policy": "inbound_accept",
    "kind": "accept",
    "target_s": 20.0,
    "calendar": "around_the_clock",
    "zone": "UTC",
    "rep": "priya",
    "state": "late",
    "started_at": "2026-11-22T10:00:00Z",
    "due_at": "2026-11-22T10:00:20Z",
    "breached_at": "2026-11-22T10:00:20Z",
    "detected_at": "2026-11-22T10:00:20.012Z",
    "ended_at": "2026-11-22T10:00:33Z",
    "ended_by": "accepted",
}
CANDIDATES = [
    {"rep": "amira", "open": 3, "shortfall": -0.5, "excluded": []},
    {"rep": "jonas", "open": 25, "shortfall": None, "excluded": [{"detail": "holds 25 of 25"}]},
    {"rep": "priya", "open": 1, "shortfall": 0.5, "excluded": []},
]
HANDOFF: dict[str, Any] = {
    "lead_id": "7a0c6f7e-4c0e-5f2e-9d5f-0b8f5a3a6d30",
    "cause": "hand_raise",
    "tier": "hot",
    "scores": {"fit": 85.0, "engagement": 71.4, "grade": "A1"},
    "lead": {
        "name": "Ines Castillo",
        "company": "Tidewater Analytics",
        "email": "ines@tidewater-analytics.com",
        "traits": {"job_title": "RevOps Manager"},
        "reasons": [{"label": "Asked to talk to us", "points": 40.0}],
    },
    "decisions": [
        {
            "rule": "by_territory",
            "team": "inbound",
            "strategy": "fair_share",
            "picked": "priya",
            "agreement_version": 1,
            "candidates": CANDIDATES,
        }
    ],
    "deliveries": [
        {
            "created_at": "2026-11-22T10:00:00Z",
            "endpoint": "rep/priya",
            "type": "handoff.assigned",
            "state": "delivered",
            "attempts": [
                {"status": None, "detail": "refused", "took_ms": 3.0},
                {"status": 204, "took_ms": 8.2},
            ],
        }
    ],
    "history": [
        {"occurred_at": "2026-11-22T10:00:00Z", "change": "assigned", "actor": "leadbaton"},
        {"occurred_at": "2026-11-22T10:00:33Z", "change": "accepted", "actor": "rep/priya"},
    ],
}


def printed(**clock: Any) -> str:
    events: list[dict[str, Any]] = [
        {
            "time": f"2026-11-{day:02d}T09:00:00Z",
            "type": "page_viewed",
            "properties": {"path": f"/p{day}"},
        }
        for day in range(1, 21)
    ]
    events.append({"time": "2026-11-21T09:00:00Z", "type": "identified", "properties": None})
    history = LeadHistory(events=events, handoff=HANDOFF, clock=CLOCK | clock)
    console = Console(width=120)
    with console.capture() as capture:
        print_history(history, console)
    return capture.get()


def test_every_section_is_printed() -> None:
    history = printed()

    for fact in (
        "Ines Castillo, RevOps Manager, Tidewater Analytics",
        "21 events",
        "/p1 ",
        "… 13 more …",
        "grade A1; qualified by hand_raise, tier hot",
        "+40.0",
        "Why priya: rule by_territory names team inbound, picked by fair_share",
        "holds 25 of 25",
        "lacks 0.50 to a fair share, holds 1",
        "has 0.50 more than a fair share, holds 3",
        "delivered: refused in 3 ms, 204 in 8 ms",
        "accept within 20 s of around_the_clock",
        "breached; detected 12.0 ms later",
        "late: accepted at last",
        "rep/priya",
    ):
        assert fact in history


def test_a_promise_that_is_still_open_has_no_end() -> None:
    assert "at last" not in printed(ended_at=None, ended_by=None, state="running")
