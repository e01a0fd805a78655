"""An installation after a year: many handoffs in SQL, and a few that the handlers themselves have made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from msgspec.structs import replace
from pydantic import SecretStr
from sqlalchemy import Engine, Table, select, text
from sqlalchemy.orm import Session

from benchmarks import people
from benchmarks.clocks import load as clocks
from benchmarks.installed import EXAMPLES
from benchmarks.leads import COUNTRIES, KEY, qualified
from benchmarks.machine import console
from services.routing.domain.reassignment import Reassignment
from services.routing.handlers import Assigner, on_leads_qualified
from services.routing.handlers.reroutes import plan_reroute
from services.routing.handlers.roster_import import import_reps
from services.routing.roster_file import RosterFile
from services.routing.tables import attempts, deliveries, handoffs
from services.scoring.tables import lead_words, stages
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.handoffs import on_handoffs_changed
from shared.agreement.store import Policies, publish
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.contracts.codec import P
from shared.contracts.payloads import HandoffChanged, LeadQualified
from shared.contracts.topic import Message, Record, Sent, Topic
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_QUALIFIED
from shared.db.session import Sessions, sessions_on
from shared.db.tables import outbox as outbox_table
from shared.messaging import outbox

CHUNK = 20_000
LIVE_PART = 50
"""One handoff of so many is live."""

CLOSED_CLOCKS, OPEN_CLOCKS = 1, 2
"""So many clocks for each handoff, and for each live one."""

YEAR = timedelta(days=365)
EVENTS_SINCE = timedelta(days=20)
EXAMPLES_MADE = 12
RARE_TEAM = "team_of_nobody"

_HANDOFFS = """
    insert into routing.handoffs (
        id, lead_id, qualification, state, team, rule, rep, hop, sequence, tier, tier_rank, qualified_at, assigned_at,
        closed_at, agreement_version, lead
    )
    select id, lead_id, 1, state, 'team_' || team, 'country_unknown',
        case when state <> 'waiting' then 'rep_' || team || '_' || n / 4 % 25 end, 1, 3,
        (array['hot', 'warm', 'standard'])[1 + n % 3], n % 3, at,
        case when state <> 'waiting' then at + interval '1 min' end,
        case when n >= :live then at + interval '2 h' end, 1,
        cast(replace(replace(replace(replace(replace(
            cast(:lead as text), '<n>', cast(n as text)), '<firm>', cast(n % 1000 as text)),
            '<source>', cast(n % 50 as text)), '<campaign>', cast(n % 100 as text)), '<lead>', cast(lead_id as text)
        ) as jsonb)
    from (
        select n, n % 4 as team, cast(md5('handoff' || n) as uuid) as id, cast(md5('person' || n) as uuid) as lead_id,
            cast(:now as timestamptz) - interval '1 day' - n * cast(:step as interval) as at,
            case when n >= :live then (array['won', 'lost', 'recycled', 'returned'])[1 + n / 4 % 4]
                when n / 4 % 20 = 0 then 'waiting'
                else (array['assigned', 'accepted', 'contacted'])[1 + n / 4 % 3] end as state
        from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
    ) as drawn
"""
_DELIVERIES = """
    insert into routing.deliveries (
        id, endpoint, handoff_id, hop, type, body, state, attempt_count, next_attempt_at, created_at, ended_at
    )
    select cast(md5('delivery' || n) as uuid), 'rep/rep_' || n % 4 || '_' || n / 4 % 25,
        cast(md5('handoff' || n) as uuid), 1, 'handoff.assigned', convert_to('{}', 'UTF8'),
        case when n % 1000 = 7 then 'exhausted' else 'delivered' end, 1, at, at, at
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n,
        lateral (select cast(:now as timestamptz) - interval '1 day' - n * cast(:step as interval)) as t (at)
"""
_ATTEMPTS = """
    insert into routing.attempts (delivery_id, number, at, took_ms, status, detail)
    select cast(md5('delivery' || n) as uuid), 1, now(), 12, case when n % 1000 = 7 then 503 else 204 end, ''
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
"""
_WORDS = """
    insert into scoring.lead_words (lead_id, words)
    select cast(md5('person' || n) as uuid), cast(
        translate(left(md5('first' || n % 2000), 6), '0123456789', 'ghijklmnop') || ' '
        || translate(left(md5('last' || n % 20000), 8), '0123456789', 'ghijklmnop')
        || ' firm ' || n % 1000 || ' person' || n || ' firm' || n % 1000 || ' example com' as tsvector)
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
"""
_STAGES = """
    insert into scoring.stages (lead_id, stage, cause, at)
    select cast(md5('person' || n) as uuid), 'qualified', 'threshold',
        cast(:now as timestamptz) - interval '1 day' - n * cast(:step as interval)
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
"""
_FIRST_NAME = """
    select translate(left(md5('first0'), 6), '0123456789', 'ghijklmnop')
"""
_HELD = """
    update routing.reps set open = held.number from (
        select rep, count(*) as number from routing.handoffs where state in ('assigned', 'accepted', 'contacted')
        group by rep
    ) as held where held.rep = reps.id
"""


@dataclass(frozen=True, slots=True)
class Examples:
    """What the pages of one lead, handoff, clock and re-route are about, and words of a search."""

    lead: UUID
    handoff: UUID
    clock: UUID
    reroute: UUID
    half_a_name: str


def load(engine: Engine, count: int) -> Examples:
    """Fill the database with `count` leads that have qualified, with their handoffs, webhooks and clocks."""
    sessions, now = sessions_on(engine), utc_now()
    with sessions.begin() as session:
        _publish(session, now)
        _add_reps(session, now)
    console.print(f"[dim]loading {count:,} leads[/]")
    people.populate(sessions, count, apart=EVENTS_SINCE / count)
    live = count // LIVE_PART
    values = {"live": live, "now": now, "step": YEAR / count, "lead": _lead_text(now)}
    tables = {
        lead_words: _WORDS,
        stages: _STAGES,
        handoffs: _HANDOFFS,
        deliveries: _DELIVERIES,
        attempts: _ATTEMPTS,
    }
    for table, statement in tables.items():
        console.print(f"[dim]loading {table.fullname}[/]")
        _fill(engine, table, statement, count, values)
    clocks.load(engine, open_=OPEN_CLOCKS * live, closed=CLOSED_CLOCKS * count)
    with sessions.begin() as session:
        session.execute(text(_HELD))
    examples = _made(sessions, now)
    clocks.settle(engine, "vacuum analyze")
    clocks.settle(engine, "checkpoint")
    return examples


def _publish(session: Session, now: datetime) -> None:
    """Publish the example's agreement with the teams of the clocks."""
    teams = "".join(
        f"    - id: team_{it}\n      calendar: around_the_clock\n" for it in range(clocks.TEAMS)
    )
    source = (EXAMPLES / "agreement.yaml").read_text()
    source = source.replace("    - id: inbound\n", f"{teams}    - id: inbound\n", 1)
    source = source.replace("      team: inbound\n", "      team: team_0\n")
    publish(session, source, by="benchmark", now=now)


def _add_reps(session: Session, now: datetime) -> None:
    """Import the reps of the clocks."""
    reps = [
        {
            "id": f"rep_{team}_{number}",
            "name": f"Rep {number} of {team}",
            "email": f"rep{number}@team{team}.example.com",
            "team": f"team_{team}",
            "endpoint": {"url": f"https://hooks.example.com/reps/{team}/{number}"},
            "territories": COUNTRIES,
        }
        for team in range(clocks.TEAMS)
        for number in range(clocks.REPS_A_TEAM)
    ]
    roster = RosterFile.model_validate({"reps": reps})
    import_reps(session, roster, vault=Vault(SecretStr(KEY)), now=now)


def _lead_text(now: datetime) -> str:
    """A qualification as scoring announces it, with names in brackets for what differs from lead to lead."""
    [record] = qualified(1, seed=1, now=now)
    lead = orjson.loads(record.value)
    lead["lead_id"] = "<lead>"
    lead["context"] |= {
        "email": "person<n>@firm<firm>.example.com",
        "name": "Ada Number <n>",
        "company": "Firm <firm>",
        "sources": ["website", "source_<source>"],
        "last_campaign": {"source": "google", "name": "campaign_<campaign>"},
    }
    return orjson.dumps(lead).decode()


def _fill(
    engine: Engine, table: Table, statement: str, count: int, values: dict[str, object]
) -> None:
    """Insert the rows without the table's indexes, except its key and what is unique, then create these."""
    with _without_indexes(engine, table):
        for first in range(0, count, CHUNK):
            last = min(first + CHUNK, count) - 1
            with engine.begin() as connection:
                connection.exec_driver_sql("set local synchronous_commit = off")
                used = {it: values[it] for it in values if f":{it}" in statement}
                connection.execute(text(statement), {"first": first, "last": last, **used})


@contextmanager
def _without_indexes(engine: Engine, table: Table) -> Iterator[None]:
    indexes = sorted((it for it in table.indexes if not it.unique), key=lambda it: str(it.name))
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    yield
    with engine.begin() as connection:
        connection.exec_driver_sql("set local maintenance_work_mem = '512MB'")
        for index in indexes:
            index.create(connection)


def _made(sessions: Sessions, now: datetime) -> Examples:
    """Let some leads qualify again, by the handlers, so that decisions and clocks can be explained; plan a re-route."""
    assigner = Assigner("http://127.0.0.1:8002")
    with sessions.begin() as session:
        closed = select(handoffs.c.lead_id).where(handoffs.c.state == "won").limit(EXAMPLES_MADE)
        leads = session.scalars(closed).all()
        messages = _qualified_again(leads, now)
        on_leads_qualified(session, messages, now, assigner=assigner)
        changes = _announced(session)
        on_handoffs_changed(session, changes, now, policies=Policies(SlaPolicy))
        session.execute(text("truncate messaging.outbox"))
        handoff = changes[0].payload
        clock = session.execute(
            text("select id from sla.clocks where handoff_id = :id"), {"id": handoff.handoff_id}
        )
        command = Reassignment("ops/benchmark")
        reroute = plan_reroute(session, "rep_0_0", command=command, assigner=assigner, now=now)
        name = str(session.scalar(text(_FIRST_NAME)))
        return Examples(
            handoff.lead_id, handoff.handoff_id, clock.scalars().all()[0], reroute.id, name[:3]
        )


def _qualified_again(leads: Sequence[UUID], now: datetime) -> list[Message[LeadQualified]]:
    """The second qualification of these leads."""
    messages = (_message(LEADS_QUALIFIED, it) for it in qualified(len(leads), seed=2, now=now))
    return [
        message._replace(payload=replace(message.payload, lead_id=lead, qualification=2))
        for message, lead in zip(messages, leads, strict=True)
    ]


def _announced(session: Session) -> list[Message[HandoffChanged]]:
    """What the outbox has of handoffs."""
    rows = outbox_table.c
    of_handoffs = select(rows.key, rows.value, rows.headers).where(
        rows.topic == HANDOFFS_CHANGED.name
    )
    return [
        _message(
            HANDOFFS_CHANGED,
            Sent(HANDOFFS_CHANGED.name, row.key, row.value, outbox.decoded_headers(row.headers)),
        )
        for row in session.execute(of_handoffs.order_by(rows.id))
    ]


def _message(topic: Topic[P], sent: Sent) -> Message[P]:
    return topic.decode(Record(topic.name, 0, 0, sent.key, sent.value, sent.headers))
