"""Where accepted events go when Kafka, or the database, or both are away."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from psycopg.errors import CharacterNotInRepertoire
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from services.scoring.ingest import publishing
from services.scoring.ingest.errors import NowhereToPut
from services.scoring.ingest.publishing import Publishing
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.topic import Outgoing
from shared.db.session import Sessions, engine_for, sessions_on
from shared.db.tables import outbox
from shared.embedded.postgres import PostgresServer, free_port
from shared.kafka.producer import Producer
from shared.messaging.outbox import decoded_headers
from tests.conftest import config_at
from tests.services.scoring.ingest.conftest import NOON, Broker, api
from tests.services.scoring.ingest.formats.test_native import event

pytestmark = pytest.mark.postgres
RECORDS = [Outgoing("marketing.events", b"k", str(n).encode(), (("h", b"v"),)) for n in range(3)]


def stored(sessions: Sessions) -> list[Outgoing]:
    """What lies in the outbox, in order."""
    columns = outbox.c
    with sessions() as session:
        rows = session.execute(
            select(columns.topic, columns.key, columns.value, columns.headers).order_by(columns.id)
        )
        return [
            Outgoing(topic, key, value, decoded_headers(headers))
            for topic, key, value, headers in rows
        ]


@pytest.fixture
def nowhere() -> Iterator[Sessions]:
    """Sessions on a database that is not there."""
    engine = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    yield sessions_on(engine)
    engine.dispose()


def test_kafka_has_the_events_and_the_outbox_nothing(sessions: Sessions, broker: Broker) -> None:
    asyncio.run(Publishing(broker, sessions, keeps_log=True).publish(RECORDS))
    assert (broker.records, stored(sessions)) == (RECORDS, [])


@pytest.mark.parametrize("how", ["refuses", "known to be away", "keeps no log"])
def test_else_the_outbox_has_them(sessions: Sessions, broker: Broker, how: str) -> None:
    broker.refusals = int(how == "refuses")
    broker.known_away = how == "known to be away"
    to = Publishing(broker, sessions, keeps_log=how != "keeps no log")

    asyncio.run(to.publish(RECORDS))

    assert (broker.records, stored(sessions)) == ([], RECORDS)


def test_nothing_to_publish_is_published_anywhere(nowhere: Sessions, broker: Broker) -> None:
    asyncio.run(Publishing(broker, nowhere, keeps_log=False).publish([]))


def test_requests_that_arrive_during_a_commit_share_the_next(sessions: Sessions) -> None:
    to = Publishing(Broker(), sessions, keeps_log=False)

    async def at_once() -> None:
        await asyncio.gather(*(to.publish([record]) for record in RECORDS * 20))

    asyncio.run(at_once())

    assert sorted(it.value for it in stored(sessions)) == sorted(it.value for it in RECORDS * 20)
    with sessions() as session:
        transactions = session.scalar(
            text("select count(distinct xmin::text) from messaging.outbox")
        )
    assert transactions in (1, 2)


def test_both_away_is_said_at_once_to_everybody(nowhere: Sessions) -> None:
    broker = Broker()
    broker.known_away = True
    to = Publishing(broker, nowhere, keeps_log=True)

    async def many() -> list[BaseException | None]:
        first = await asyncio.gather(
            *(to.publish(RECORDS) for _ in range(50)), return_exceptions=True
        )
        return [*first, *await asyncio.gather(to.publish(RECORDS), return_exceptions=True)]

    assert {type(it) for it in asyncio.run(many())} == {NowhereToPut}


def test_no_more_waits_for_the_outbox_than_memory_allows(sessions: Sessions) -> None:
    to = Publishing(Broker(), sessions, keeps_log=False)
    large = [Outgoing("t", b"k", b"x" * (publishing.MAX_WAITING // 2), ())]

    async def three() -> list[BaseException | None]:
        return await asyncio.gather(*(to.publish(large) for _ in range(3)), return_exceptions=True)

    assert [type(it) for it in asyncio.run(three())] == [type(None), type(None), NowhereToPut]


def test_a_sender_that_leaves_loses_nothing_for_the_others(sessions: Sessions) -> None:
    to = Publishing(Broker(), sessions, keeps_log=False)

    async def one_leaves() -> None:
        leaving = asyncio.create_task(to.publish(RECORDS[:1]))
        staying = asyncio.create_task(to.publish(RECORDS[1:]))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying

    asyncio.run(one_leaves())
    assert stored(sessions) == RECORDS


def test_what_the_outbox_cannot_hold_fails_nobody_else_and_is_no_outage(sessions: Sessions) -> None:
    to = Publishing(Broker(), sessions, keeps_log=False)
    odd = [Outgoing("a\0b", b"k", b"v", ())]

    async def at_once() -> list[BaseException | None]:
        take_some = await asyncio.gather(
            *(to.publish(it) for it in ([RECORDS[0]], odd, [RECORDS[1]], odd)),
            return_exceptions=True,
        )
        await to.publish(RECORDS[2:])
        return take_some

    assert [type(it) for it in asyncio.run(at_once())] == [type(None), CharacterNotInRepertoire] * 2
    assert stored(sessions) == RECORDS


def test_a_fault_of_ours_is_loud_and_ends_no_later_request(engine: Engine) -> None:
    class Faulty(Session):
        """Raises once what no database raises."""

        faults = 1

        def execute(self, *args: Any, **kwargs: Any) -> Any:
            """As a session does, but for the first."""
            if Faulty.faults:
                Faulty.faults -= 1
                raise ZeroDivisionError
            return super().execute(*args, **kwargs)

    to = Publishing(Broker(), sessionmaker(engine, class_=Faulty), keeps_log=False)

    async def twice() -> None:
        with pytest.raises(ZeroDivisionError):
            await to.publish(RECORDS)
        await to.publish(RECORDS)

    asyncio.run(twice())
    assert stored(sessions_on(engine)) == RECORDS


def test_the_api_answers_ok_without_kafka_from_the_first_moment(
    sessions: Sessions, key: str
) -> None:
    config = config_at(f"127.0.0.1:{free_port()}")
    producer = Producer(config)
    try:
        app = api(sessions, producer)
        with TestClient(app, headers={"x-write-key": key}) as client:
            response = client.post("/v1/events", json=event())
    finally:
        producer.close()

    assert response.json() == {"results": {"1": {"status": "ok"}}}
    assert len(stored(sessions)) == 1


def refusal(response: Response) -> tuple[int, str, str]:
    """Status, when to try again, code: not the response, which holds on to what was sent."""
    return response.status_code, response.headers["retry-after"], response.json()["code"]


def test_both_away_is_503_with_flat_memory_until_one_is_back(
    mortal_postgres: PostgresServer, mortal_sessions: Sessions
) -> None:
    """A real server, really stopped. The key is known for a minute, nothing is accepted, nothing piles up."""
    now = NOON
    broker = Broker()
    broker.known_away = True
    app = api(mortal_sessions, broker, time_source=lambda: now)
    with mortal_sessions.begin() as session:
        key = create_key(session, scope=KeyScope.INGEST, subject="site", now=NOON)
    big = [event(str(number), properties={"text": "x" * 20_000}) for number in range(40)]

    with TestClient(app, headers={"x-write-key": key}) as client:
        assert client.post("/v1/events", json=event("first")).status_code == 200
        mortal_postgres.stop()
        try:
            now += timedelta(seconds=50)
            assert client.post("/v1/events", json=big).status_code == 503
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            answers = {refusal(client.post("/v1/events", json=big)) for _ in range(30)}
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()

            broker.known_away = False
            by_kafka = client.post("/v1/events", json=[event("second"), {"type": "bad"}])
            broker.known_away = True
        finally:
            mortal_postgres.start()
        now += timedelta(minutes=5)
        Event().wait(publishing.PAUSE_S)
        back = client.post("/v1/events", json=event("third"))

    assert answers == {(503, "2", "nowhere_to_put")}
    assert after - before < 2_000_000  # of 24 MB that were sent
    assert by_kafka.json()["results"]["second"] == {"status": "ok"}
    assert by_kafka.json()["results"]["#1"]["status"] == "rejected"
    assert back.json()["results"] == {"third": {"status": "ok"}}
    assert len(stored(mortal_sessions)) == 2
