"""The sending: everything in its order, within the seconds that there are, until somebody stops it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from services.demo.activities import Activity, Channel, activities_of
from services.demo.platforms import Mailings
from services.demo.sending import send_paced

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTS = activities_of(7, 30, until=NOON, run="run")


def test_weeks_are_sent_in_order_within_seconds() -> None:
    sent: list[Activity] = []

    class Keeping(Mailings):
        def send(self, activities: Any) -> None:
            sent.extend(activities)

    instants = iter(NOON + timedelta(seconds=number) for number in range(100))
    senders = {it: Keeping("http://127.0.0.1:9", "key") for it in Channel}
    mixed = [replace(activity, channel=Channel.MAILINGS) for activity in ACTS]
    progress = list(
        send_paced(mixed, senders, seconds=4, time_source=lambda: next(instants), stop=Event())
    )

    assert sent == mixed
    assert progress == sorted(progress)
    assert progress[-1] == len(ACTS)
    assert len(progress) == 4


def test_a_stop_ends_the_sending() -> None:
    stopped = Event()
    stopped.set()

    assert list(send_paced(ACTS, {}, seconds=60, time_source=lambda: NOON, stop=stopped)) == []
