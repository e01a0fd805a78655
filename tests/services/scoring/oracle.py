"""Scores computed from all events at once by their definition, which incremental scores must equal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.agreement.model import Agreement, Scoring, Signal
from shared.contracts.payloads import MarketingEvent
from tests.builders import DEFAULT_SECTIONS, NOON, marketing_event

SCORING: dict[str, Any] = {
    "fit": DEFAULT_SECTIONS["scoring"]["fit"],
    "groups": {"content": {"max": 22}},
    "signals": [
        {"id": "page", "on": "page_viewed", "points": 5, "half_life": "7d", "daily_max": 12},
        {
            "id": "pricing",
            "on": "page_viewed",
            "when": 'event.path == "/pricing"',
            "points": 9,
            "half_life": "36h",
            "max": 20,
            "group": "content",
        },
        {"id": "paper", "on": "downloaded", "points": 15, "half_life": "14d", "group": "content"},
        {"id": "flash", "on": "downloaded", "points": 3, "half_life": "60s", "daily_max": 4},
        {"id": "trial", "on": "trial_started", "points": 8, "half_life": "never", "daily_max": 8},
        {"id": "gone", "on": "unsubscribed", "points": -6, "half_life": "30d", "daily_max": 9},
    ],
}
"""Signals with every kind of bound, short and long half-lives, and points that are taken."""


def engagement(events: Sequence[MarketingEvent], scoring: Scoring, now: datetime) -> float:
    """Engagement by its definition, event by event."""
    per_signal = {signal.id: _signal(events, signal, now) for signal in scoring.signals}
    total = sum(per_signal[it.id] for it in scoring.signals if it.group is None)
    for group_id, group in scoring.groups.items():
        inside = sum(per_signal[it.id] for it in scoring.signals if it.group == group_id)
        total += max(-group.max, min(group.max, inside))
    return max(0.0, min(100.0, total))


def _signal(events: Sequence[MarketingEvent], signal: Signal, now: datetime) -> float:
    per_day: dict[Any, list[MarketingEvent]] = defaultdict(list)
    for event in events:
        facts = {"event": {"path": event.properties.get("path", ""), "type": event.type}}
        if event.type == signal.on and (signal.when is None or signal.when.holds(facts)):
            per_day[event.time.date()].append(event)
    total = 0.0
    for of_day in per_day.values():
        raw = abs(signal.points) * len(of_day)
        share = min(1.0, (signal.daily_max or raw) / raw)
        total += share * sum(_decayed(event, signal, now) for event in of_day)
    return total if signal.max is None else max(-signal.max, min(signal.max, total))


def _decayed(event: MarketingEvent, signal: Signal, now: datetime) -> float:
    if signal.half_life is None:
        return signal.points
    age: float = (now - event.time) / signal.half_life
    return float(signal.points * 0.5**age) if age < 1000 else 0.0


def fit(events: Sequence[MarketingEvent], agreement: Agreement) -> float:
    """The fit rules of the tests' agreement, written in Python, on the latest value of each trait."""
    latest: dict[str, Any] = {}
    for event in sorted(events, key=lambda it: (it.time, f"{it.source}/{it.id}")):
        latest.update(event.traits)
    assert {rule.id for rule in agreement.scoring.fit} == {
        "large_company",
        "home_market",
        "student",
    }
    points = 40.0 if (latest.get("company_size") or 0) >= 200 else 0.0
    points += 20.0 if latest.get("country") == "DE" else 0.0
    points -= 30.0 if latest.get("title") == "Student" else 0.0
    return max(0.0, min(100.0, points))


@st.composite
def happenings(draw: st.DrawFn, /, **identity: Any) -> MarketingEvent:
    """An event of the last forty days; often several have the same time."""
    ago = draw(
        st.one_of(
            st.integers(0, 40).map(lambda it: timedelta(days=it)),
            st.integers(0, 3_456_000).map(lambda it: timedelta(seconds=it)),
            st.integers(0, 300).map(lambda it: timedelta(seconds=it)),
        )
    )
    traits = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "country": st.sampled_from(["DE", "FR", None]),
                "company_size": st.sampled_from([10, 500]),
                "title": st.sampled_from(["Student", "CTO"]),
            },
        )
    )
    return marketing_event(
        draw(
            st.sampled_from(["page_viewed", "downloaded", "trial_started", "unsubscribed", "other"])
        ),
        time=NOON - ago,
        traits=traits,
        properties={"path": draw(st.sampled_from(["/pricing", "/blog"]))},
        **identity,
    )
