"""Routers in threads, everything that happens to reps meanwhile, and a witness of it inside PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer, HandoffMoved
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.reroutes import RerouteEnded
from services.routing.domain.roster import OPEN_END, Absence, RecordedAbsence
from services.routing.handlers import (
    Assigner,
    on_answer,
    on_leads_merged,
    on_leads_qualified,
    on_reassignment,
    on_sla_changed,
    tick,
)
from services.routing.handlers.absences import record_absence
from services.routing.handlers.reroutes import RerouteRunning, confirm_reroute, plan_reroute
from services.routing.tables import handoffs
from shared.contracts.payloads import Change, ClockChange, LeadContext, LeadQualified
from shared.db.session import Sessions
from tests.builders import (
    DEFAULT_SECTIONS,
    NOON,
    lead_qualified,
    leads_merged,
    merged_message,
    qualified_message,
    sla_changed,
    sla_message,
)
from tests.seeds import random_of
from tests.services.routing.builders import entry, importing

ROUTERS = 8
LATER = NOON + timedelta(minutes=1)
BATCHES = 80
"""Into how many batches many leads come; few come in batches of MIN_BATCH."""
MIN_BATCH = 12

ROUTING = {
    **DEFAULT_SECTIONS["routing"],
    "teams": [{"id": it, "calendar": "office"} for it in ("sales", "enterprise")],
    "rules": [
        {"id": "kept", "when": 'lead.domain == "kept.example"', "team": "sales",
         "strategy": "owner", "else": "wait"},
        {"id": "owned", "when": 'lead.domain == "owned.example"', "team": "sales", "strategy": "owner"},
        {"id": "everybody", "when": True, "team": "sales", "sticky_across_teams": True},
    ],
}  # fmt: skip
DETAILS = {
    Change.REJECTED: {"reason": "no_capacity"},
    Change.CONTACTED: {"channel": "phone", "outcome": "no_answer"},
}
OWNERS = {"kept.example": "e_0", "owned.example": "e_1", "mine.example": "s_0"}
DOMAINS = ("kept.example", "owned.example", "mine.example", *["x.example"] * 9)

WITNESS = """
-- no lead goes to a rep who may not have it, by what is stored and not by what routers have loaded
create function routing.check_assignment() returns trigger language plpgsql as $$
declare holder record;
begin
    if new.state <> 'assigned' or (tg_op = 'UPDATE' and old.state = 'assigned' and old.hop = new.hop) then
        return null;
    end if;
    select * into strict holder from routing.reps where id = new.rep;
    if not holder.active then
        raise exception 'a lead was given to %, who is not active', new.rep;
    end if;
    if holder.team <> new.team then
        raise exception 'a lead of team % was given to % of team %', new.team, new.rep, holder.team;
    end if;
    if exists (
        select from jsonb_array_elements(holder.time_off) as period
        where (period ->> 0)::timestamptz <= new.assigned_at and new.assigned_at < (period ->> 1)::timestamptz
    ) then
        raise exception 'a lead was given to %, who is away', new.rep;
    end if;
    if holder.open_limit < (
        select count(*) from routing.handoffs
        where rep = new.rep and state in ('assigned', 'accepted', 'contacted')
    ) then
        raise exception '% is over capacity', new.rep;
    end if;
    return null;
end $$;
create constraint trigger check_assignment after insert or update on routing.handoffs
deferrable initially deferred for each row execute function routing.check_assignment();
"""


class Held(NamedTuple):
    """A handoff, and the rep who has it."""

    id: UUID
    hop: int
    rep: str


@dataclass(frozen=True)
class Installation:
    """The database, and what routers do there."""

    sessions: Sessions
    assigner: Assigner
    limit: int
    """The capacity of each rep."""

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction; on a slow machine it waits for locks for longer than those of a router."""
        with self.sessions.begin() as session:
            session.execute(text("set local lock_timeout = '2min'"))
            yield session

    def arrive(self, leads: Sequence[LeadQualified]) -> None:
        with self.begin() as session:
            messages = [qualified_message(it) for it in leads]
            on_leads_qualified(session, messages, NOON, assigner=self.assigner)

    def merge(self, number: int) -> None:
        payload = leads_merged(stays=f"lead-{number}", goes=f"lead-{number + 1}")
        with self.begin() as session:
            on_leads_merged(session, [merged_message(payload)], NOON, assigner=self.assigner)

    def tick(self) -> None:
        with self.begin() as session:
            tick(session, LATER, assigner=self.assigner)

    def answer(self, change: Change, seed: int) -> None:
        details = DETAILS.get(change, {})
        for held in self._held(seed):
            with suppress(HandoffMoved), self.begin() as session:
                on_answer(
                    session,
                    held.id,
                    Answer(change, details=details),
                    actor=Actor("ops", "tests"),
                    assigner=self.assigner,
                    now=LATER,
                )

    def breach(self, seed: int) -> None:
        """Promises are broken, and steps of their ladders take the leads from their reps; each is announced twice."""
        steps = [
            sla_changed(change, handoff_id=held.id, hop=held.hop, rep=held.rep, step=step)
            for held in self._held(seed)
            for change, step in (
                (ClockChange.BREACHED, "team"),
                (ClockChange.ESCALATED, "return_to_pool" if seed % 5 == 0 else "reassign"),
            )
        ]
        for messages in ([sla_message(it) for it in steps], [sla_message(it) for it in steps]):
            with self.begin() as session:
                on_sla_changed(session, messages, LATER, assigner=self.assigner)

    def reassign(self, seed: int) -> None:
        """Ops take some leads from their reps."""
        for held in self._held(seed):
            with suppress(HandoffMoved), self.begin() as session:
                on_reassignment(
                    session,
                    held.id,
                    Reassignment("ops/olga", "another"),
                    hop=held.hop,
                    assigner=self.assigner,
                    now=LATER,
                )

    def away(self, rep: str) -> None:
        recorded = RecordedAbsence(Absence(NOON - timedelta(hours=1), OPEN_END), "ops/olga")
        with self.begin() as session:
            record_absence(session, rep, recorded, now=LATER)

    def back(self, rep: str) -> None:
        with self.begin() as session:
            record_absence(session, rep, None, now=LATER)

    def deactivate(self, rep: str) -> None:
        """The rep is not in the file any more."""
        with self.begin() as session:
            self.import_reps(session, inactive=rep)

    def reroute(self, rep: str) -> None:
        """Everything that the rep holds is given to others by the next ticks."""
        with self.begin() as session:
            planned = plan_reroute(
                session, rep, command=Reassignment("ops/olga"), assigner=self.assigner, now=LATER
            )
        with suppress(RerouteRunning, RerouteEnded), self.begin() as session:
            confirm_reroute(session, planned.id, now=LATER)

    def activate(self) -> None:
        with self.begin() as session:
            self.import_reps(session)

    def import_reps(self, session: Session, *, inactive: str | None = None) -> None:
        teams = {"s": "sales", "e": "enterprise"}
        everybody = [f"s_{it}" for it in range(8)] + [f"e_{it}" for it in range(4)]
        entries = [
            entry(it, team=teams[it[0]], capacity={"open": self.limit}, active=it != inactive)
            for it in everybody
        ]
        importing(session, *entries, now=LATER, accounts=OWNERS)

    def _held(self, seed: int) -> list[Held]:
        """Some handoffs that reps have not accepted."""
        with self.sessions() as session:
            statement = select(handoffs.c.id, handoffs.c.hop, handoffs.c.rep)
            assigned = session.execute(statement.where(handoffs.c.state == "assigned"))
            rows = [Held(row.id, row.hop, row.rep) for row in assigned]
        chance = random_of(seed)
        return chance.sample(rows, min(6, len(rows)))


def leads_of(count: int) -> list[LeadQualified]:
    """Leads of several accounts; each tenth person qualifies twice."""
    leads = []
    for number in range(count):
        domain = DOMAINS[number % len(DOMAINS)]
        context = LeadContext(email=f"l{number}@{domain}", account=domain, traits={})
        fields: dict[str, Any] = {"lead": f"lead-{number}", "context": context}
        leads.append(lead_qualified(**fields))
        if number % 10 == 0:
            leads.append(lead_qualified(**fields, qualification=2))
    return leads


def batches_of(leads: Sequence[LeadQualified]) -> list[Sequence[LeadQualified]]:
    """The leads as they come."""
    size = max(MIN_BATCH, len(leads) // BATCHES)
    return [leads[start : start + size] for start in range(0, len(leads), size)]


def work_of(
    installation: Installation, leads: Sequence[LeadQualified]
) -> Iterator[Callable[[], None]]:
    """Everything that happens, in the order in which it begins."""
    batches = batches_of(leads)
    answers = (Change.WON, Change.REJECTED, Change.ACCEPTED, Change.CONTACTED)
    reps_in_turn = [f"s_{it}" for it in range(8)] + ["e_0", "e_1"]
    for number, batch in enumerate(batches):
        rep = reps_in_turn[number % len(reps_in_turn)]
        yield partial(installation.arrive, batch)
        yield partial(installation.answer, answers[number % len(answers)], number)
        yield installation.tick
        if number % 3 == 0:
            yield partial(installation.arrive, batch)  # once more, as after a crash
            yield partial(installation.away, rep)
        if number % 3 == 2:
            yield partial(installation.back, rep)
            yield partial(installation.back, reps_in_turn[(number - 2) % len(reps_in_turn)])
            yield partial(installation.breach, number)
            yield installation.tick
            if number % 2 == 0:  # of the same leads
                yield partial(installation.answer, Change.ACCEPTED, number)
            yield partial(installation.reassign, number + 1)
        if number % 7 == 3:
            yield partial(installation.merge, number * MIN_BATCH)
        if number % 10 == 5:
            yield partial(installation.deactivate, rep)
            yield partial(installation.reroute, rep)
        if number % 10 == 9:
            yield installation.activate


def at_once(work: Iterable[Callable[[], None]]) -> None:
    """Run these in the order in which they come, in as many threads as there are routers."""
    with ThreadPoolExecutor(ROUTERS) as routers:
        for done in [routers.submit(it) for it in work]:
            done.result()
