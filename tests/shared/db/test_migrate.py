"""Migrations run once, in order, whoever starts them and however many at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, Row, TextClause, text

from shared.db.migrate import pending, upgrade
from shared.db.session import engine_for
from shared.embedded.postgres import PostgresServer
from tests.shared.db.test_models import config_on

pytestmark = pytest.mark.postgres


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Engine]:
    """A database without anything in it."""
    server = engine_for(postgres.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("drop database if exists empty"))
        connection.execute(text("create database empty"))
    server.dispose()
    engine = engine_for(postgres.url("empty"))
    yield engine
    engine.dispose()


def lacks(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return pending(connection)


def test_an_empty_database_gets_everything_and_says_what(empty: Engine) -> None:
    missing = lacks(empty)

    assert upgrade(empty) == missing
    assert missing[0].startswith("messaging_01: ")
    assert lacks(empty) == []
    assert upgrade(empty) == []


def test_two_migrators_at_once_do_the_work_of_one(empty: Engine) -> None:
    missing = lacks(empty)

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(upgrade, [empty, empty]))

    assert sorted(done, key=len) == [[], missing]


_OLD_CLOCK = text("""
    insert into sla.clocks (
        id, handoff_id, lead_id, hop, policy, kind, scope, team, tier, calendar, agreement_version, target,
        started_at, warn_at, due_at, due_on, ladder, state, warned_at, breached_at, detected_at, escalated, fire_at
    )
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'touch', 'first_touch', 'hop', 'inbound',
        'hot', 'office', 1, '1 h', due_at - interval '1 h', due_at, due_at, '2026-11-22', '[]', 'running',
        due_at, case when broken then due_at end, case when broken then due_at end, cast(broken as int),
        case when not broken then due_at end
    from (values (timestamptz '2026-11-22 09:00Z', true), ('2026-11-22 10:00Z', false)) as it (due_at, broken)
""")
_IN_CLOCKS = text("""
    select id, warned_at, breached_at, detected_at, retracted_at, escalated, fire_at
    from sla.clocks order by due_at
""")
_IN_TIMERS = text("""
    select clock_id, warned_at, breached_at, detected_at, retracted_at, escalated, fire_at
    from sla.timers join sla.clocks on id = clock_id order by due_at
""")


def test_timers_move_to_their_own_table_and_back_with_all_they_know(empty: Engine) -> None:
    def found(statement: TextClause) -> list[Row[Any]]:
        return list(connection.execute(statement).all())

    with empty.begin() as connection:
        command.upgrade(config_on(connection), "routing_02")
        connection.execute(_OLD_CLOCK)
        before = found(_IN_CLOCKS)

        command.upgrade(config_on(connection), "head")
        moved = found(_IN_TIMERS)

        command.downgrade(config_on(connection), "routing_02")
        assert before == moved == found(_IN_CLOCKS)
    assert [it.escalated for it in before] == [1, 0]
