"""A database restored to an earlier instant, as docs/operations.md says: events are kept, the rest happens anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from kafka import KafkaAdminClient
from sqlalchemy import make_url, text

from services.cli.processes import SCORING_API
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_QUALIFIED, SLA_CHANGED
from shared.db.session import engine_for
from tests.journey.world import World, event, until, world
from tests.kafka.server import ApacheKafka

pytestmark = [pytest.mark.kafka, pytest.mark.journey, pytest.mark.postgres]


def test_what_happened_since_the_backup_happens_anew(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with world(tmp_path_factory.mktemp("restore"), ApacheKafka) as here:
        early, late = here.fresh("early"), here.fresh("late")
        before = asks(here, early)
        with standing_still(here):
            in_postgres(here, "create database backup template leadbaton")
        asked = asks(here, late)
        for handoff in (before, asked):
            assert here.answer("ada", handoff, "accept").status_code == 200
        here.handoff(late, "accepted")

        with standing_still(here):
            in_postgres(here, "drop database leadbaton with (force)")
            in_postgres(here, "create database leadbaton template backup")
            forget_the_future(here)

        again = here.handoff(late, "assigned")  # the event is scored again, and given out again
        assert again["id"] == asked
        lead = until(lambda: here.lead(late))
        events = here.get(SCORING_API, f"/v1/leads/{lead['id']}/events")["items"]
        assert len(events) == 1
        assert here.handoff(early, "assigned")["id"] == before  # the answer is lost, as is said
        for handoff in (before, asked):
            assert here.answer("ada", handoff, "accept").status_code == 200
        for email in (early, late):
            until(partial(is_accepted, here, email), why=f"scoring hears of {email}")
        until(lambda: {"accept", "first_touch"} <= here.clocks(asked).keys(), why="its clocks")
        assert "wrong" not in here.here.command("doctor")


def is_accepted(here: World, email: str) -> bool:
    """Whether scoring has heard that sales took the lead."""
    return (here.lead(email) or {}).get("stage") == "accepted"


def asks(here: World, email: str) -> str:
    """Somebody asks for a demonstration; the handoff that comes of it."""
    here.send([event(email, "demo_requested", "asks")])
    return str(here.handoff(email, "assigned")["id"])


@contextmanager
def standing_still(here: World) -> Iterator[None]:
    """No process of ours runs while the block does; the servers do."""
    here.neglect()
    assert here.here.stop() == []
    yield
    here.here.start(timeout_s=90)
    here.tend()


def in_postgres(here: World, statement: str) -> None:
    """What an operator does to the database from outside."""
    url = make_url(here.here.environment["LEADBATON_DATABASE_URL"]).set(database="postgres")
    engine = engine_for(url.render_as_string(hide_password=False))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def forget_the_future(here: World) -> None:
    """Delete the topics that decisions were announced on, and make them again."""
    admin = KafkaAdminClient(bootstrap_servers=here.here.environment["LEADBATON_KAFKA_BOOTSTRAP"])
    admin.delete_topics([it.name for it in (LEADS_QUALIFIED, HANDOFFS_CHANGED, SLA_CHANGED)])
    admin.close()
    assert here.here.command("migrate").count("topics: ") == 3
