"""Tests of the heartbeat of a loop."""

from __future__ import annotations

from datetime import timedelta

import structlog
from prometheus_client import REGISTRY

from shared.process.heartbeat import Heartbeat
from tests.builders import NOON


def test_each_turn_is_on_the_gauge_and_a_line_a_minute_says_what_was_done() -> None:
    now = NOON
    heartbeat = Heartbeat("test", lambda: now)
    with structlog.testing.capture_logs() as lines:
        for second in (0, 20, 59, 61, 119, 121):
            now = NOON + timedelta(seconds=second)
            heartbeat.beat(second)

    assert [(it["event"], it["loop"], it["turns"], it["done"]) for it in lines] == [
        ("alive", "test", 1, 0),
        ("alive", "test", 3, 140),
        ("alive", "test", 2, 240),
    ]
    turned = REGISTRY.get_sample_value("leadbaton_loop_turned_timestamp_seconds", {"loop": "test"})
    assert turned == now.timestamp()
