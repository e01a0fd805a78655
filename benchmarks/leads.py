"""Qualified leads and reps for the benchmarks of routing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import text

from benchmarks.machine import DATABASE
from services.routing.handlers.roster_import import import_reps
from services.routing.roster_file import RosterFile
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.contracts.payloads import LeadContext, LeadQualified, Qualified, Reason, Scores, Touch
from shared.contracts.topic import Outgoing
from shared.contracts.topics import LEADS_QUALIFIED
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import PostgresServer

COUNTRIES = ("US", "GB", "DE", "FR", "NL", "CA")
TIERS = ("hot", "warm", "standard")
KEY = "YmVuY2htYXJrcy1rbm93LW5vLXJlYWwtc2VjcmV0cyE="
"""The secret key of benchmarks."""
TRACE = "00-{:032x}-00f067aa0ba902b7-01"


def qualified(count: int, *, seed: int, now: datetime) -> Iterator[Outgoing]:
    """`count` records of 2 KB as scoring writes them, each of a new lead; the leads depend on the seed."""
    chance = Random(seed)  # noqa: S311 - a benchmark draws the same again
    for number in range(count):
        id_ = UUID(int=chance.getrandbits(128), version=4)
        at = now - timedelta(seconds=chance.random() * 60)
        yield LEADS_QUALIFIED.encode(
            _lead(id_, number, at, chance),
            id=f"{id_}/1/became",
            source="leadbaton/scoring",
            at=at,
            traceparent=TRACE.format(number + 1),
        )


def _lead(id_: UUID, number: int, at: datetime, chance: Random) -> LeadQualified:
    country = chance.choice(COUNTRIES)
    recent = [
        Touch(id=f"{number}-{it}", type="page_viewed", time=at, title=f"Viewed page {it}",
              url=f"https://northwind.example.com/product/{it}", properties={"path": f"/product/{it}"})
        for it in range(3)
    ]  # fmt: skip
    return LeadQualified(
        lead_id=id_,
        qualification=1,
        change=Qualified.BECAME,
        at=at,
        tier=chance.choice(TIERS),
        cause="threshold",
        scores=Scores(fit=round(45 + chance.random() * 55, 2), engagement=48.25, grade="B2"),
        agreement_version=1,
        context=LeadContext(
            email=f"person{number}@firm{number % 1_000}.example.com",
            name=f"Ada Number {number}",
            company=f"Firm {number % 1_000}",
            account=f"firm{number % 1_000}.example.com",
            traits={"country": country, "employees": 200, "industry": "software",
                    "job_title": "Data Analyst", "seniority": "director", "language": "en"},
            why_now=recent[0],
            reasons=tuple(Reason(rule=it, label=it.replace("_", " "), points=12.5)
                          for it in ("company_size", "decides", "home_industry", "looked_at_pricing")),
            recent=tuple(recent),
            first_campaign={"source": "google", "medium": "cpc", "name": "autumn"},
            sources=("website",),
        ),
    )  # fmt: skip


def add_reps(
    server: PostgresServer,
    count: int,
    *,
    territories: int,
    url: str = "https://hooks.example.com/reps/{}",
) -> None:
    """Replace all reps by `count` of equal weight, each with `territories` of the countries."""
    reps = [
        {
            "id": f"rep_{number:04}",
            "name": f"Rep {number}",
            "email": f"rep{number}@example.com",
            "team": "inbound",
            "endpoint": {"url": url.format(number)},
            "territories": [COUNTRIES[(number + it) % len(COUNTRIES)] for it in range(territories)],
        }
        for number in range(count)
    ]
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        session.execute(
            text(
                "truncate routing.handoffs, routing.allocations, routing.assignments, routing.changes,"
                " routing.deliveries, routing.reps, routing.rosters, messaging.outbox"
            )
        )
        roster = RosterFile.model_validate({"reps": reps})
        import_reps(session, roster, vault=Vault(SecretStr(KEY)), now=utc_now())
    engine.dispose()


_OLD = """
    insert into routing.handoffs (
        id, lead_id, qualification, state, team, rule, rep, hop, sequence, tier, tier_rank, qualified_at, assigned_at,
        closed_at, agreement_version, lead
    )
    select md5('old' || n)::uuid, md5('lead' || n)::uuid, 1, 'won', 'inbound', 'everybody_else_by_territory',
        'rep_000' || n % 10, 1, 4, 'warm', 1, at, at, at + interval '1 day', 1, '{}'
    from generate_series(1, :count) as n,
        lateral (select now() - interval '30 days' - n * interval '1 minute') as t (at)
"""
_OLD_ASSIGNMENTS = """
    insert into routing.assignments (handoff_id, hop, rep, period, assigned_at, allocation_id)
    select id, 1, rep, to_char(assigned_at, 'YYYY-MM'), assigned_at, 0 from routing.handoffs where state = 'won'
"""


def add_old_handoffs(server: PostgresServer, count: int) -> None:
    """Add `count` handoffs that were won long ago."""
    engine = engine_for(server.url(DATABASE))
    with sessions_on(engine).begin() as session:
        session.execute(text(_OLD), {"count": count})
        session.execute(text(_OLD_ASSIGNMENTS))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze routing.handoffs, routing.assignments"))
    engine.dispose()
