"""A database of an older version: after its upgrade every day is stale, and what older processes change marks days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, text

from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from tests.databases import create_database
from tests.services.alignment.folding import check_attainment, check_reports, count_all
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
COUNT_CLOCKS = """
    insert into alignment.daily_clocks (counted_on, policy, team, tier, met, broken)
    select due_on, policy, '', '', count(*), 0 from alignment.promises group by due_on, policy
"""
OLDER_CLOCKS = "select policy, team, met, broken from alignment.daily_clocks"
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


@pytest.fixture
def before_facts(older: Engine) -> Engine:
    """A database of the version that counted clocks by team and tier, which has counted its days."""
    with older.begin() as connection:
        command.upgrade(config_on(connection), "alignment_10")
        connection.execute(text("delete from alignment.stale_days"))
        connection.execute(text("delete from alignment.stale_handoffs"))
        connection.execute(text(COUNT_CLOCKS))
    return older


def test_an_upgrade_makes_due_dates_stale_and_an_older_process_may_count_them(
    before_facts: Engine,
) -> None:
    with before_facts.begin() as connection:
        command.upgrade(config_on(connection), "head")

    with sessions_on(before_facts).begin() as session:
        assert session.scalars(text(DAYS)).all() == ["2026-12-01"]
        check_attainment(session)
        assert count_all(session) == 1
        assert session.execute(text(OLDER_CLOCKS)).all() == [("accept", "emea", 5, 0)]

        # an older process counts the day, and later finds none of its clocks
        for clocks in (COUNT_CLOCKS, "delete from alignment.promises"):
            session.execute(text("delete from alignment.stale_days"))
            session.execute(text("delete from alignment.daily_clocks"))
            session.execute(text(clocks))
            assert "2026-12-01" in session.scalars(text(DAYS)).all()
            check_attainment(session)
        count_all(session)
        check_attainment(session)
        assert session.execute(text(OLDER_CLOCKS)).all() == []


def test_the_way_back_leaves_the_older_version_its_tables(older: Engine) -> None:
    with older.begin() as connection:
        command.upgrade(config_on(connection), "head")
    with older.begin() as connection:
        command.downgrade(config_on(connection), "alignment_07")
        connection.execute(text("update alignment.handoffs set team = 'amer'"))
        connection.execute(text("delete from alignment.promises"))
