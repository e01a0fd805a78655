"""Ids that are derived from content, and which of equal events are retries."""

from __future__ import annotations

from datetime import datetime

import pytest

from services.scoring.domain.content_ids import (
    content_id,
    id_in_window_before,
    keys_in_window_before,
    without_retries,
)
from tests.builders import NOON, marketing_event, messages, minutes

DIGEST = "0f" * 32


def test_a_time_of_arrival_makes_an_id_of_its_window() -> None:
    assert content_id(DIGEST, None) == f"content-{DIGEST}"
    first, second = content_id(DIGEST, NOON), content_id(DIGEST, NOON + minutes(10))
    assert first != second
    assert id_in_window_before(second) == first
    assert content_id(DIGEST, NOON + minutes(9.9)) == first


@pytest.mark.parametrize("id", ["m-1", f"content-{DIGEST}", "content-x-1", f"content-{DIGEST}-x"])
def test_other_ids_have_no_window(id: str) -> None:
    assert id_in_window_before(id) is None
    assert keys_in_window_before(messages([marketing_event(id=id)])) == set()


@pytest.mark.parametrize(
    ("arrivals", "counted"),
    [
        ([0, 0.1], [0]),
        ([9, 12, 19], [9]),
        ([9, 12, 19.5], [9, 19.5]),
        ([9, 18, 27], [9, 27]),
        ([5, 65], [5, 65]),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
def test_equal_content_within_ten_minutes_is_a_retry(
    arrivals: list[float], counted: list[float], *, together: bool
) -> None:
    times = [NOON + minutes(it) for it in arrivals]
    events = [marketing_event(id=content_id(DIGEST, it), received_at=it) for it in times]
    ledger: dict[tuple[str, str], datetime] = {}
    for batch in [events] if together else [[event] for event in events]:
        for message in without_retries(messages(batch), ledger):
            event = message.payload
            ledger.setdefault((event.source, event.id), event.received_at)

    assert sorted(ledger.values()) == [NOON + minutes(it) for it in counted]
