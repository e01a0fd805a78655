"""A database of an older version: after its upgrade every day is stale, and what older processes change marks days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, text

from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from tests.databases import create_database
from tests.services.alignment.folding import check_reports, count_all
from tests.shared.db.test_models import config_on

pytestmark = pytest.mark.postgres

HANDOFFS = """
    insert into alignment.handoffs
        (lead_id, qualification, handoff_id, qualified_at, accepted_at, team, promises, category_id)
    select gen_random_uuid(), 1, gen_random_uuid(), '2026-11-01 23:30:00+00'::timestamptz + day * interval '1 day',
        '2026-11-20 12:00:00+00', 'emea', '{"accept": [1, 0]}', 'older'
    from generate_series(0, 4) as day
"""
PROMISES = """
    insert into alignment.promises (clock_id, handoff_id, policy, met_at, due_on)
    select gen_random_uuid(), handoff_id, 'accept', now(), '2026-12-01' from alignment.handoffs
"""
DAYS = "select distinct cast(day as text) from alignment.stale_days order by 1"


@pytest.fixture
def older(postgres: PostgresServer) -> Iterator[Engine]:
    """A database as the version before left it."""
    create_database(postgres, "older_alignment")
    engine = engine_for(postgres.url("older_alignment"))
    with engine.begin() as connection:
        command.upgrade(config_on(connection), "alignment_07")
        connection.execute(text(HANDOFFS))
        connection.execute(text(PROMISES))
    yield engine
    engine.dispose()
    server = engine_for(postgres.url("postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("drop database older_alignment with (force)"))
    server.dispose()


def test_an_upgrade_makes_all_days_stale_and_reports_right(older: Engine) -> None:
    with older.begin() as connection:
        command.upgrade(config_on(connection), "head")
    days = [*(f"2026-11-0{it}" for it in range(1, 6)), "2026-11-20", "2026-12-01"]

    with sessions_on(older).begin() as session:
        assert session.scalars(text(DAYS)).all() == days
        check_reports(session)
        assert count_all(session) == len(days)
        check_reports(session)

    with sessions_on(older).begin() as session:
        session.execute(
            text("update alignment.handoffs set category_id = null where team = 'emea'")
        )
        assert session.scalars(text(DAYS)).all() == days[:-1]
        check_reports(session)


def test_the_way_back_leaves_the_older_version_its_tables(older: Engine) -> None:
    with older.begin() as connection:
        command.upgrade(config_on(connection), "head")
    with older.begin() as connection:
        command.downgrade(config_on(connection), "alignment_07")
        connection.execute(text("update alignment.handoffs set team = 'amer'"))
        connection.execute(text("delete from alignment.promises"))
