"""What a try came to."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from services.routing.domain.attempts import (
    SCHEDULE,
    Delivered,
    GaveUp,
    Outcome,
    Response,
    Retry,
    judge,
)
from tests.builders import NOON

IN_5_S = Retry(NOON + timedelta(seconds=5))


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(200, ""), Delivered()),
        (Response(299, ""), Delivered()),
        (Response(199, ""), IN_5_S),
        (Response(302, ""), IN_5_S),
        (Response(404, ""), IN_5_S),
        (Response(410, ""), GaveUp(gone=True)),
        (Response(None, "ConnectError"), IN_5_S),
        (Response(503, "", "60"), Retry(NOON + timedelta(seconds=60))),
        (Response(429, "", " 60 "), Retry(NOON + timedelta(seconds=60))),
        (Response(429, "", "1"), IN_5_S),
        (Response(429, "", "9" * 30), Retry(NOON + timedelta(hours=1))),
        (Response(429, "", "9" * 5_000), Retry(NOON + timedelta(hours=1))),
        (Response(429, "", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), IN_5_S),
        (Response(500, "", "60"), IN_5_S),
        (Response(503, "", None), IN_5_S),
        (Response(503, "", "soon"), IN_5_S),
        (
            Response(503, "", format_datetime(NOON + timedelta(minutes=2), usegmt=True)),
            Retry(NOON + timedelta(minutes=2)),
        ),
        (
            Response(503, "", "Wed, 18 Nov 2026 12:02:00 -0000"),
            Retry(NOON + timedelta(minutes=2)),
        ),
        (
            Response(503, "", format_datetime(NOON + timedelta(days=2), usegmt=True)),
            Retry(NOON + timedelta(hours=1)),
        ),
        (Response(503, "", format_datetime(NOON - timedelta(days=2), usegmt=True)), IN_5_S),
    ],
)
def test_each_response_has_its_outcome(response: Response, expected: Outcome) -> None:
    assert judge(response, number=1, now=NOON, chance=0.0) == expected


def test_pauses_follow_the_schedule_with_jitter_until_the_delivery_is_given_up() -> None:
    failed = Response(500, "")
    for number, wait in enumerate(SCHEDULE, start=1):
        assert judge(failed, number=number, now=NOON, chance=0.0) == Retry(NOON + wait)
        assert judge(failed, number=number, now=NOON, chance=0.5) == Retry(NOON + wait * 1.1)

    assert judge(failed, number=len(SCHEDULE) + 1, now=NOON, chance=0.0) == GaveUp()
