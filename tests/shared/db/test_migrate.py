"""Migrations run once, in order, whoever starts them and however many at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, Row, TextClause, text
from sqlalchemy.orm import Session

from services.routing.queries.roster import Crews
from services.routing.queries.rounds import Benches
from shared.db.locks import AdvisoryLock
from shared.db.migrate import MigrationWaits, NewerDatabase, pending, upgrade
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer
from shared.kafka.config import KafkaConfig
from shared.kafka.producer import Producer
from tests.builders import marketing_event
from tests.conftest import ROOT
from tests.engine import post, record, relaying, until
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


def test_no_two_locks_have_one_number_and_nobody_takes_a_lock_without_a_name() -> None:
    assert len(AdvisoryLock) == len(AdvisoryLock.__members__) == len({*map(int, AdvisoryLock)})
    users = [
        it
        for folder in ("services", "shared", "migrations")
        for it in (ROOT / folder).rglob("*.py")
        if re.search(r"pg_(try_)?advisory", it.read_text())
    ]
    assert users
    for it in users:
        assert "AdvisoryLock." in it.read_text(), f"{it} takes a lock that shared/db/locks.py lacks"


def test_a_relay_at_work_does_not_hold_up_a_migrator(
    empty: Engine, broker: KafkaConfig, producer: Producer
) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        command.downgrade(config_on(connection), "-1")
    sessions = sessions_on(empty)
    with relaying(sessions, producer, broker):
        post(sessions, [record(marketing_event(id="one"))])
        until(lambda: relay_leads(empty))

        assert len(upgrade(empty, patience_s=5)) == 1


def relay_leads(engine: Engine) -> bool:
    """Whether a relay works, which it does only with its lock."""
    with engine.connect() as connection:
        published = text("select count(*) from messaging.outbox where published_at is not null")
        return bool(connection.scalar(published))


def test_a_migrator_that_waits_in_vain_says_for_what(empty: Engine) -> None:
    with empty.connect() as other, other.begin():
        other.execute(text(f"select pg_advisory_xact_lock({int(AdvisoryLock.MIGRATION)})"))
        with pytest.raises(MigrationWaits, match="another `leadbaton migrate` has run"):
            upgrade(empty, patience_s=0.05)


def test_a_table_in_use_is_no_database_that_is_away(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        command.downgrade(config_on(connection), "sla_01")
    with empty.connect() as other, other.begin():
        other.execute(text("lock table routing.deliveries, sla.clocks"))
        with pytest.raises(MigrationWaits, match=r"a table is in use.*run it again"):
            upgrade(empty)


def test_a_database_that_a_newer_version_migrated_is_named_as_one(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'routing_99'"))

    with pytest.raises(NewerDatabase, match=r"newer than this version.*routing_99"):
        upgrade(empty)


_OLD_KEYS = text("""
    insert into messaging.api_keys (id, secret_hash, scope, subject) values
        ('a', '', 'rep', 'grace'), ('b', '', 'rep', 'linus'), ('c', '', 'rep', 'nobody'), ('d', '', 'ops', 'linus');
    insert into routing.reps (
        id, name, email, team, position, territories, languages, skills, segments, weight, time_off, active
    ) select id, id, id, 'sales', 0, '{}', '{}', '{}', '{}', 1, '[]', active
    from (values ('grace', true), ('linus', false)) as it (id, active)
""")


def test_keys_of_reps_who_had_left_before_are_suspended(empty: Engine) -> None:
    with empty.begin() as connection:
        command.upgrade(config_on(connection), "routing_07")
        connection.execute(_OLD_KEYS)

        command.upgrade(config_on(connection), "head")

        suspended = text(
            "select id from messaging.api_keys where suspended_at is not null order by id"
        )
        assert list(connection.scalars(suspended)) == ["b", "c"]


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


_OLD_ROUTING = text("""
    insert into routing.reps (
        id, name, email, team, position, territories, languages, skills, segments, weight, time_off, active
    ) values ('grace', 'Grace', 'grace@example.com', 'sales', 0, '{DE}', '{}', '{}', '{}', 1,
        '[["2026-12-24T00:00:00+00:00", "2026-12-27T00:00:00+00:00"]]', true);
    insert into routing.shares values ('sales', '2026-10', 'grace', 9, 0), ('sales', '2026-11', 'grace', 2, 0.5);
    insert into routing.handoffs (
        id, lead_id, qualification, state, team, rule, rep, hop, sequence, tier, heat, qualified_at,
        assigned_at, agreement_version, lead
    )
    select id, id, 1, state, 'sales', 'everybody', 'grace', 1, 1, 'standard', 1, now(), now(), 1, '{}'
    from (values (gen_random_uuid(), 'assigned'), (gen_random_uuid(), 'won')) as it (id, state);
    insert into routing.rounds (team, decided_at, agreement_version, bench, picks)
    select 'sales', now(), 1, jsonb_build_array(jsonb_build_object(
        'rep', (to_jsonb(reps) - 'last_assigned_at') || '{"time_off": [
            {"since": "2026-12-24T00:00:00+00:00", "until": "2026-12-27T00:00:00+00:00"}]}',
        'open', number, 'today', 0, 'assigned', number, 'credit', 0.5, 'last_assigned_at', null, 'counted', true
    )), '{grace}'
    from routing.reps, generate_series(0, 1) as number;
    insert into routing.rounds (team, decided_at, agreement_version, bench, picks)
    values ('partners', now(), 1, '[]', '{}');
    insert into routing.hops (handoff_id, hop, rep, period, assigned_at, round_id, decision)
    select handoffs.id, 1, 'grace', '2026-11', now(), rounds.id,
        '{"place": 0, "by": "sticky", "rule": "everybody", "agreement_version": 1, "previous_rep": "grace"}'
    from routing.handoffs, routing.rounds where picks <> '{}' and (state = 'won') = (rounds.id % 2 = 0);
    insert into routing.changes (handoff_id, sequence, change, occurred_at, recorded_at, actor, said)
    select id, 1, 'won', now(), now(), 'rep/grace',
        '{"hop": 1, "rep": "grace", "recycle": false, "amount": 12.5, "currency": "EUR", "team": "sales"}'
    from routing.handoffs where state = 'won'
""")
_COUNTED = text("select open, today, period, assigned, credit from routing.reps")
_SHARED = text("select team, period, rep, assigned, credit from routing.shares")
_EXPLAINED = text(
    "select place, by, rule, agreement_version, previous_rep, decision from routing.hops"
)
_CHANGED = text("select hop, rep, details from routing.changes")
_BENCHES = text("select bench from routing.rounds order by id")


def test_what_routing_has_counted_and_decided_is_known_after_it_is_kept_otherwise(
    empty: Engine,
) -> None:
    def found(statement: TextClause) -> list[Row[Any]]:
        return list(connection.execute(statement).all())

    with empty.begin() as connection:
        command.upgrade(config_on(connection), "routing_04")
        connection.execute(_OLD_ROUTING)
        before = found(_BENCHES)

        command.upgrade(config_on(connection), "head")
        assert found(_COUNTED) == [(1, 2, "2026-11", 2, 0.5)]
        assert found(_EXPLAINED) == [(0, "sticky", "everybody", 1, "grace", None)] * 2
        assert found(_CHANGED) == [(1, "grace", {"amount": 12.5, "currency": "EUR"})]
        benches = Benches(Crews())
        rounds = [benches.round_of(Session(connection), it) for it in (1, 2, 3)]
        assert [[(it.rep.id, it.open) for it in round_.bench] for round_ in rounds] == [
            [("grace", 0)],
            [("grace", 1)],
            [],
        ]
        assert rounds[0].bench[0].rep == Crews().current(Session(connection)).reps["grace"]

        command.downgrade(config_on(connection), "routing_04")
        assert found(_BENCHES) == before
        assert found(_SHARED) == [("sales", "2026-11", "grace", 2, 0.5)]


_HELD = text("""
    insert into scoring.leads (
        id, since, version, known, stage, armed, qualification, fit, live, profile, joined_into
    )
    select id, now(), 1, true, 'known', true, 0, 0, '{}', '{}', joined_into from (values
        (cast(:stays as uuid), null), (:goes, cast(:stays as uuid)), (:free, null)
    ) as lead (id, joined_into);
""")
_HANDOFFS = text("""
    insert into routing.handoffs (
        id, lead_id, qualification, state, team, rule, rep, hop, sequence, tier, heat, qualified_at,
        agreement_version, lead
    )
    select gen_random_uuid(), id, 1, 'x', 'sales', 'everybody', rep, 1, 1, 'standard', 1, now(), 1, '{}'
    from (values (cast(:goes as uuid), 'grace'), (:free, null)) as it (id, rep)
""")


def test_who_holds_a_lead_at_the_upgrade_is_known_by_the_lead_that_it_is_now(
    empty: Engine,
) -> None:
    stays, goes, free = (uuid4() for _ in range(3))
    with empty.begin() as connection:
        command.upgrade(config_on(connection), "routing_07")
        connection.execute(_HELD, {"stays": stays, "goes": goes, "free": free})
        connection.execute(_HANDOFFS, {"goes": goes, "free": free})

        command.upgrade(config_on(connection), "head")

        held = connection.execute(text("select rep, lead_id, until from scoring.holdings")).all()
        assert [tuple(row) for row in held] == [("grace", stays, None)]
