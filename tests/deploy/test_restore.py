"""A database restored to an earlier instant, as docs/operations.md says: events are kept, the rest happens anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest
from kafka import KafkaAdminClient
from sqlalchemy import make_url, text

from services.cli.processes import SCORING_API
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_QUALIFIED, SLA_CHANGED
from shared.db.session import engine_for
from shared.kafka.client import connecting
from tests.conftest import config_at
from tests.journey.world import World, event, until, world
from tests.kafka.server import ApacheKafka

pytestmark = [pytest.mark.kafka, pytest.mark.journey, pytest.mark.postgres]


def test_what_happened_since_the_backup_happens_anew(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with world(tmp_path_factory.mktemp("restore"), ApacheKafka) as running:
        early, late = running.fresh("early"), running.fresh("late")
        before = asks(running, early)
        with stopped_processes(running):
            in_postgres(running, "create database backup template leadbaton")
        second = asks(running, late)
        for handoff in (before, second):
            assert running.answer("ada", handoff, "accept").status_code == 200
        running.handoff(late, "accepted")

        with stopped_processes(running):
            in_postgres(running, "drop database leadbaton with (force)")
            in_postgres(running, "create database leadbaton template backup")
            forget_the_future(running)

        again = running.handoff(late, "assigned")  # the event is scored again, and given out again
        assert again["id"] == second
        lead = until(lambda: running.lead(late))
        events = running.get(SCORING_API, f"/v1/leads/{lead['id']}/events")["items"]
        assert len(events) == 1
        assert running.handoff(early, "assigned")["id"] == before  # the answer is lost, as is said
        for handoff in (before, second):
            assert running.answer("ada", handoff, "accept").status_code == 200
        for email in (early, late):
            until(partial(is_accepted, running, email), why=f"scoring hears of {email}")
        until(lambda: {"accept", "first_touch"} <= running.clocks(second).keys(), why="its clocks")
        assert "wrong" not in running.command("doctor")


def is_accepted(running: World, email: str) -> bool:
    """Whether scoring has heard that sales took the lead."""
    return (running.lead(email) or {}).get("stage") == "accepted"


def asks(running: World, email: str) -> str:
    """Somebody asks for a demonstration; the handoff that comes of it."""
    running.send([event(email, "demo_requested", "asks")])
    return str(running.handoff(email, "assigned")["id"])


@contextmanager
def stopped_processes(running: World) -> Iterator[None]:
    """No process of ours runs while the block does; the servers do."""
    running.neglect()
    assert running.installation.stop() == []
    yield
    running.installation.start(timeout_s=90)
    running.maintain()


def in_postgres(running: World, statement: str) -> None:
    """What an operator does to the database from outside."""
    url = make_url(running.installation.environment["LEADBATON_DATABASE_URL"]).set(
        database="postgres"
    )
    engine = engine_for(url.render_as_string(hide_password=False))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def forget_the_future(running: World) -> None:
    """Delete the topics that decisions were announced on, and make them again."""
    bootstrap = running.installation.environment["LEADBATON_KAFKA_BOOTSTRAP"]
    with connecting(config_at(bootstrap)) as options, closing(KafkaAdminClient(**options)) as admin:
        admin.delete_topics([it.name for it in (LEADS_QUALIFIED, HANDOFFS_CHANGED, SLA_CHANGED)])
    assert running.command("migrate").count("topics: ") == 3
