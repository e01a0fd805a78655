"""Handoffs for the benchmark of alignment: their news as records, and the facts that many of them leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

import orjson
from msgspec import structs
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.promises import PromiseFacts
from services.alignment.handlers.counting import count_oldest_day
from services.alignment.queries.promises import add_promises
from shared.agreement.store import Policies
from shared.contracts.payloads import (
    Change,
    ClockChange,
    HandoffChanged,
    LeadContext,
    LeadQualified,
    Qualified,
    Scope,
    Scores,
    SlaChanged,
)
from shared.contracts.topic import Message, Outgoing, Record
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_QUALIFIED, LEADS_TOUCHED, SLA_CHANGED
from shared.contracts.touches import LeadTouched, MarketingTouch, TouchCause
from shared.db.session import Sessions, sessions_on
from shared.db.time_range import TimeRange

END = datetime(2026, 11, 30, tzinfo=UTC)
DAYS, TEAMS, REPS_A_TEAM, CAMPAIGNS = 91, 4, 25, 40
CHANNELS = ("paid_search", "paid_social", "email", "event", "organic_search", "referral")
SOURCES = ("website", "crm", "webinars")
PERSONAS = ("", "champion", "economic_buyer", "user")
TIERS = ("hot", "warm", "standard")
CHUNK = 20_000
NEWS_OF_A_LEAD = (Change.ASSIGNED, Change.DELIVERED, Change.ACCEPTED, Change.CONTACTED)
RESET = (
    "truncate alignment.handoffs, alignment.changes, alignment.promises, alignment.touches, "
    "alignment.daily_tallies, alignment.stale_days, alignment.stale_handoffs"
)


def truncate(sessions: Sessions) -> None:
    """Delete everything that alignment stores."""
    with sessions.begin() as session:
        session.execute(text(RESET))


def _id(chance: Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


def _campaign(chance: Random) -> int:
    """A campaign; few have most leads."""
    return min(int(chance.paretovariate(0.7)) - 1, CAMPAIGNS - 1)


def news(leads: int, *, seed: int) -> list[Record]:
    """What is announced of so many leads, in an order as it comes: eight records of each."""
    chance = Random(seed)  # noqa: S311 - a benchmark draws the same again
    rows = [_of_lead(chance, END - timedelta(seconds=leads - it)) for it in range(leads)]
    return [
        Record(outgoing.topic, 0, 0, outgoing.key, outgoing.value, outgoing.headers)
        for first in range(0, leads, 500)
        for step in zip(*rows[first : first + 500], strict=True)
        for outgoing in step
    ]


def _of_lead(chance: Random, at: datetime) -> list[Outgoing]:
    lead_id, campaign, tier = _id(chance), _campaign(chance), chance.choice(TIERS)
    name = f"campaign_{campaign}"
    context = LeadContext(
        last_campaign={"name": name},
        sources=(SOURCES[campaign % 3],),
        persona=chance.choice(PERSONAS),
    )
    qualified = LeadQualified(
        lead_id=lead_id, qualification=1, change=Qualified.BECAME, at=at, tier=tier, cause="threshold",
        scores=Scores(fit=60.0, engagement=50.0, grade="B2"), agreement_version=1, context=context,
        traits={"company": "Acme", "country": "DE", "job_title": "Analyst"},
    )  # fmt: skip
    touched = LeadTouched(
        lead_id=lead_id, qualification=1, cause=TouchCause.QUALIFIED, occurred_at=at,
        touches=tuple(
            MarketingTouch(id=str(it), occurred_at=at - timedelta(days=9 - it), channel=CHANNELS[campaign % 6],
                           campaign=name, source="website", type="page_viewed")
            for it in range(5)
        ),
    )  # fmt: skip
    return [
        LEADS_QUALIFIED.encode(qualified, id=f"{lead_id}/q", source="bench", at=at),
        LEADS_TOUCHED.encode(touched, id=f"{lead_id}/t", source="bench", at=at),
        *_of_handoff(chance, qualified, name),
    ]


def _of_handoff(chance: Random, lead: LeadQualified, campaign: str) -> list[Outgoing]:
    lead_id, at, tier, handoff_id = lead.lead_id, lead.at, lead.tier, _id(chance)
    team = chance.randrange(TEAMS)
    of_handoff: dict[str, Any] = {
        "handoff_id": handoff_id, "lead_id": lead_id, "qualification": 1, "hop": 1, "team": f"team_{team}",
        "rep": f"rep_{team}_{chance.randrange(REPS_A_TEAM)}", "tier": tier, "qualified_at": at,
        "agreement_version": 1, "campaign": campaign,
    }  # fmt: skip
    changes = [
        HandoffChanged(sequence=number, change=it, occurred_at=at, recorded_at=at, **of_handoff)
        for number, it in enumerate(NEWS_OF_A_LEAD, start=1)
    ]
    clocks = [
        SlaChanged(
            clock_id=_id(chance), handoff_id=handoff_id, lead_id=lead_id, hop=1, policy=policy, kind=policy,
            scope=Scope.HOP, change=chance.choice((ClockChange.MET, ClockChange.BREACHED)), occurred_at=at,
            detected_at=at, due_at=at, team=f"team_{team}", tier=tier, agreement_version=1,
        )
        for policy in ("accept", "first_touch")
    ]  # fmt: skip
    return [
        *(
            HANDOFFS_CHANGED.encode(it, id=f"{handoff_id}/{it.sequence}", source="bench", at=at)
            for it in changes
        ),
        *(SLA_CHANGED.encode(it, id=f"{it.clock_id}/1", source="bench", at=at) for it in clocks),
    ]


class Floor:
    """What a worker cannot do without: one row a record, by its natural key."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        with sessions.begin() as session:
            session.execute(text("drop schema if exists floor cascade"))
            session.execute(text("create schema floor"))
            session.execute(text("create table floor.facts (key text primary key, facts jsonb)"))

    def upsert(self, messages: Sequence[Message[Any]]) -> None:
        """Add or replace a row for each message, and commit."""
        rows = {it.id: {"key": it.id, "facts": structs.asdict(it.payload)} for it in messages}
        with self._sessions.begin() as session:
            session.execute(
                text(
                    "insert into floor.facts select * from json_populate_recordset(null::floor.facts,"
                    " cast(:rows as json)) on conflict (key) do update set facts = excluded.facts"
                ),
                {"rows": orjson.dumps(list(rows.values()), default=structs.asdict).decode()},
            )


def load(engine: Engine, count: int) -> TimeRange:
    """Store the facts of so many handoffs of 13 weeks, and count all days; returns the time in which they qualified."""
    sessions = sessions_on(engine)
    facts = _facts(count)
    while chunk := list(islice(facts, CHUNK)):
        with sessions.begin() as session:
            _add(session, chunk)
    _analyze(engine)
    count_all(sessions)
    _analyze(engine)
    return TimeRange(END - timedelta(days=DAYS), END)


def count_all(sessions: Sessions) -> None:
    """Count all stale days, one after the other."""
    is_counted = True
    while is_counted:
        with sessions.begin() as session:
            is_counted = count_oldest_day(session, Policies(AlignmentPolicy))


def make_stale(sessions: Sessions, number: int) -> None:
    """Make the last days stale."""
    with sessions.begin() as session:
        session.execute(
            text(
                "insert into alignment.stale_days (day) select cast(:last as date) - it from generate_series(1, :n) it"
            ),
            {"last": END, "n": number},
        )


def _analyze(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def _add(session: Session, facts: Sequence[HandoffFacts]) -> None:
    session.execute(
        text(
            "insert into alignment.handoffs select * from json_populate_recordset("
            "null::alignment.handoffs, cast(:rows as json))"
        ),
        {"rows": orjson.dumps([{**it._asdict(), "promises": {}} for it in facts]).decode()},
    )
    add_promises(session, [_promise(it) for it in facts])


def _promise(facts: HandoffFacts) -> PromiseFacts:
    """What became of the promise to accept the handoff: it was broken where the handoff was rejected."""
    handoff_id, at = facts.handoff_id or facts.lead_id, facts.assigned_at or END
    met_at, breached_at = (at, None) if facts.accepted_at else (None, at)
    return PromiseFacts(
        facts.lead_id, handoff_id, "accept", met_at, breached_at, detected_at=at, due_on=at.date()
    )


def _facts(count: int) -> Iterator[HandoffFacts]:
    chance = Random(count)  # noqa: S311 - a benchmark draws the same again
    for number in range(count):
        yield _handoff(chance, END - timedelta(days=DAYS * (number + 1) / count))


def _handoff(chance: Random, at: datetime) -> HandoffFacts:
    campaign, team, fate = _campaign(chance), chance.randrange(TEAMS), chance.random()
    later = at + timedelta(minutes=5)
    return HandoffFacts(
        _id(chance), 1, handoff_id=_id(chance), is_announced=True, qualified_at=at, agreement_version=1,
        tier=chance.choice(TIERS), source=SOURCES[campaign % 3], campaign=f"campaign_{campaign}",
        channel=CHANNELS[campaign % 6], persona=chance.choice(PERSONAS) or None, team=f"team_{team}",
        rep=f"rep_{team}_{chance.randrange(REPS_A_TEAM)}", assigned_at=later,
        accepted_at=later if fate < 0.8 else None, rejected_at=later if fate >= 0.8 else None,
        contacted_at=later if fate < 0.7 else None, closed_at=later if fate < 0.05 else None,
        outcome="won" if fate < 0.05 else None, amount_cents=1_250_000 if fate < 0.05 else None,
        currency=chance.choice(("EUR", "USD")) if fate < 0.05 else None,
    )  # fmt: skip
