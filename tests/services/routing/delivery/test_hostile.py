"""What becomes of a webhook with a hostile receiver: an outcome in bounded time, and no other webhook waits for it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from services.routing.delivery.send import post_webhook
from services.routing.domain.attempts import Delivered, GaveUp, Outcome, Retry, judge
from services.routing.queries.endpoints import disabled_endpoints
from shared.db.session import Sessions
from shared.http.outbound import BODY_S, guarded_client
from tests.builders import NOON
from tests.services.routing.delivery import hostile
from tests.services.routing.delivery.hostile import (
    PATIENCE_S,
    SHORT_PATIENCE_S,
    Behaviour,
    answers,
    serving,
)
from tests.services.routing.delivery.post import LOOPBACK, Post, delivering, endpoint, notify, until
from tests.services.routing.delivery.receiver import receiving

AGAIN = Retry(NOON + timedelta(seconds=5))
IN_TWO_MINUTES = format_datetime(NOON + timedelta(minutes=2), usegmt=True)
TOMORROW = format_datetime(NOON + timedelta(days=1), usegmt=True)
YESTERDAY = format_datetime(NOON - timedelta(days=1), usegmt=True)


def after(**pause: float) -> Retry:
    return Retry(NOON + timedelta(**pause))


@dataclass(frozen=True)
class Case:
    """A hostile receiver, and what an attempt to it comes to."""

    name: str
    receiver: Callable[[Path], AbstractContextManager[str]]
    status: int | None
    outcome: Outcome = AGAIN
    detail: str = ""
    """A pattern of the detail that is recorded."""


def case(
    behaviour: Behaviour, status: int | None, outcome: Outcome = AGAIN, detail: str = ""
) -> Case:
    """A receiver that reads the request and then behaves so."""
    name = behaviour.__name__.replace("_", " ")
    return Case(name, lambda _: serving(behaviour), status, outcome, detail)


def answer(status: str, header: str, outcome: Outcome) -> Case:
    """A receiver that answers properly, with a header that matters."""
    behaviour = answers(status, *([header] if header else []))
    name = f"{status}, {header}" if header else status
    return Case(name, lambda _: serving(behaviour), int(status[:3]), outcome)


TOO_LATE = "no answer within"
CASES = [
    case(hostile.never_answers, None, detail=TOO_LATE),
    case(hostile.answers_too_late, None, detail=TOO_LATE),
    case(hostile.drips_the_head, None, detail=TOO_LATE),
    case(hostile.sends_hints_for_ever, None, detail=TOO_LATE),
    case(hostile.has_an_endless_head, None, detail="RemoteProtocolError|ReadError"),
    case(hostile.has_a_huge_header, None, detail="RemoteProtocolError|ReadError"),
    case(hostile.speaks_no_http, None, detail="RemoteProtocolError"),
    case(hostile.closes_without_an_answer, None, detail="RemoteProtocolError"),
    case(hostile.resets_the_connection, None, detail="ReadError"),
    case(hostile.switches_protocols, None, detail="RemoteProtocolError"),
    case(hostile.has_large_headers, 204, Delivered()),
    case(hostile.has_an_endless_body, 200, Delivered(), detail="^(wait)+$"),
    case(hostile.has_a_compressed_body, 200, Delivered()),
    Case("unknown certificate", hostile.with_an_unknown_certificate, None, detail="certificate"),
    Case("no TLS", hostile.without_tls, None, detail="ConnectError"),
    Case("hanging handshake", hostile.with_a_hanging_handshake, None, detail="ConnectTimeout"),
    Case("nobody listens", hostile.without_a_server, None, detail="ConnectError"),
    Case("unknown host", hostile.without_a_name, None, detail="ConnectError"),
    Case(
        "forbidden address", hostile.at_a_forbidden_address, None, detail="LEADBATON_ALLOW_NETWORKS"
    ),
    Case("redirect to loopback", hostile.redirecting_to_loopback, 302),
    answer("410 Gone", "", GaveUp(gone=True)),
    answer("404 Not Found", "", AGAIN),
    answer("429 Slowly", "", AGAIN),
    answer("429 Slowly", "retry-after: 120", after(seconds=120)),
    answer("503 Away", "retry-after: 120", after(seconds=120)),
    answer("429 Slowly", f"retry-after: {IN_TWO_MINUTES}", after(seconds=120)),
    answer("503 Away", f"retry-after: {IN_TWO_MINUTES}", after(seconds=120)),
    answer("429 Slowly", "retry-after: 86400", after(hours=1)),
    answer("503 Away", f"retry-after: {TOMORROW}", after(hours=1)),
    answer("503 Away", f"retry-after: {YESTERDAY}", AGAIN),
    answer("429 Slowly", "retry-after: 1" + "0" * 5000, after(hours=1)),
    answer("429 Slowly", "retry-after: soon", AGAIN),
    answer("429 Slowly", "retry-after: -120", AGAIN),
    answer("500 Oh", "retry-after: 120", AGAIN),
]


@pytest.mark.parametrize("case", CASES, ids=lambda it: it.name[:60])
def test_an_attempt_has_this_outcome_in_bounded_time(case: Case, tmp_path: Path) -> None:
    within_s = SHORT_PATIENCE_S if case.detail == TOO_LATE else PATIENCE_S

    async def attempt(url: str) -> None:
        async with guarded_client(LOOPBACK, connections=1) as client:
            client.timeout = httpx.Timeout(PATIENCE_S, connect=SHORT_PATIENCE_S)
            response = await post_webhook(client, url, headers={}, body=b"{}", within_s=within_s)
        assert response.status == case.status, response
        assert re.search(case.detail, response.detail), response
        assert judge(response, number=1, now=NOON, chance=0.0) == case.outcome

    with case.receiver(tmp_path) as url:
        began_s = time.monotonic()
        asyncio.run(attempt(url))
        took_s = time.monotonic() - began_s

    assert took_s < within_s + 2 * BODY_S + 1


@contextmanager
def all_receivers(folder: Path) -> Iterator[dict[str, str]]:
    """Every hostile receiver at once; yields the URL of each by an endpoint's id."""
    with ExitStack() as stack:
        urls = {}
        for number, case in enumerate(CASES):
            own = folder / str(number)
            own.mkdir()
            urls[f"rep/{number:02}"] = stack.enter_context(case.receiver(own))
        yield urls


@pytest.mark.postgres
def test_hostile_receivers_delay_no_other_webhook_and_each_attempt_is_recorded(
    sessions: Sessions, tmp_path: Path
) -> None:
    with receiving() as receiver, all_receivers(tmp_path) as urls:
        post = Post(sessions, receiver)
        with sessions.begin() as session:
            endpoint(session, "rep/healthy", receiver.url("/healthy"))
            for id, url in urls.items():
                endpoint(session, id, url)
            notify(session, *urls, *["rep/healthy"] * 4, now=post.now())
        with delivering(replace(post.dispatcher, patience_s=PATIENCE_S)):
            receiver.wait(lambda got: sum(it.path == "/healthy" for it in got) == 4)
            until(lambda: all(it.attempts for it in post.deliveries() if it.endpoint in urls))

    deliveries = {it.endpoint: it for it in post.deliveries()}
    for id, case in zip(urls, CASES, strict=True):
        first = deliveries[id].attempts[0]
        assert (case.name, first.status) == (case.name, case.status)
        assert re.search(case.detail, first.detail), (case.name, first.detail)
        assert (case.name, deliveries[id].state) == (case.name, STATES[type(case.outcome)])
    with sessions() as session:
        gone = [id for id, it in zip(urls, CASES, strict=True) if it.outcome == GaveUp(gone=True)]
        assert list(disabled_endpoints(session)) == gone


STATES: dict[type[Outcome], str] = {Delivered: "delivered", Retry: "pending", GaveUp: "exhausted"}
