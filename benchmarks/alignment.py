"""Alignment: its worker beside a floor, and reports over 13 weeks of many handoffs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from benchmarks.handoffs import Floor, count_all, load, make_stale, news, truncate
from benchmarks.machine import Figure, console, does, postgres, print_figures, print_machine, takes
from services.alignment.domain.conditions import MAX_GROUPS, condition_of, matching
from services.alignment.domain.groups import Groups, fields_read
from services.alignment.handlers.handoffs import on_handoffs_changed
from services.alignment.handlers.promises import on_sla_changed
from services.alignment.handlers.qualifications import on_leads_qualified
from services.alignment.handlers.touches import on_leads_touched
from services.alignment.queries.reports import funnels_by
from services.alignment.queries.selection import GroupBy, Selection
from services.alignment.queries.tallies import groups_in
from shared.clock import utc_now
from shared.contracts.topic import Record
from shared.contracts.topics import HANDOFFS_CHANGED, LEADS_QUALIFIED, LEADS_TOUCHED, SLA_CHANGED
from shared.db.session import Sessions, engine_for, sessions_on
from shared.db.time_range import TimeRange
from shared.messaging.batch import Subscription

BATCH = 2_000
RATIO, AT_MOST_S, TIMES, ROUNDS, STALE = 0.5, 0.2, 10, 3, 3
ALL: tuple[Subscription[Any], ...] = (
    Subscription(LEADS_QUALIFIED, on_leads_qualified),
    Subscription(LEADS_TOUCHED, on_leads_touched),
    Subscription(HANDOFFS_CHANGED, on_handoffs_changed),
    Subscription(SLA_CHANGED, on_sla_changed),
)
SUBSCRIPTIONS = {it.topic.name: it for it in ALL}


def worker_per_s(sessions: Sessions, records: Sequence[Record]) -> float:
    """Records/s of the handlers, each batch decoded and committed, with the counting of the days that became stale."""
    began_s = time.monotonic()
    for first in range(0, len(records), BATCH):
        with sessions.begin() as session:
            for name, subscription in SUBSCRIPTIONS.items():
                batch = [it for it in records[first : first + BATCH] if it.topic == name]
                messages = [subscription.topic.decode(it) for it in batch]
                if messages:
                    subscription.handle(session, messages, utc_now())
    count_all(sessions)
    return len(records) / (time.monotonic() - began_s)


def floor_per_s(sessions: Sessions, records: Sequence[Record]) -> float:
    """Records/s of the floor: decode, one upsert a record, commit."""
    floor = Floor(sessions)
    began_s = time.monotonic()
    for first in range(0, len(records), BATCH):
        batch = records[first : first + BATCH]
        floor.upsert([SUBSCRIPTIONS[it.topic].topic.decode(it) for it in batch])
    return len(records) / (time.monotonic() - began_s)


def speed(engine: Engine, leads: int) -> Figure:
    """The worker beside the floor, the best of some rounds in turns, each with leads of its own."""
    sessions = sessions_on(engine)
    ours, lowest = [], []
    for seed in range(ROUNDS):
        records = news(leads, seed=seed)
        lowest.append(floor_per_s(sessions, records))
        ours.append(worker_per_s(sessions, records))
    return does("worker", max(ours), unit=" messages/s", floor=max(lowest), ratio_at_least=RATIO)


def reports(engine: Engine, handoffs: int) -> Iterator[Figure]:
    """The time of each report over 13 weeks, while no day is stale, and while the last days are."""
    sessions = sessions_on(engine)
    truncate(sessions)
    quarter = Selection(load(engine, handoffs))
    yield from _reports(sessions, f"{handoffs:,} handoffs", quarter)
    make_stale(sessions, STALE)
    yield from _reports(sessions, f"{handoffs:,} handoffs, {STALE} stale days", quarter)


def _reports(sessions: Sessions, of: str, quarter: Selection) -> Iterator[Figure]:
    for group_by in GroupBy:
        yield _report(sessions, f"{of}, by {group_by}", quarter, group_by)
    of_team = replace(quarter, team="team_1")
    yield _report(sessions, f"{of}, of a team, by channel", of_team, GroupBy.CHANNEL)
    chosen = replace(quarter, groups=_groups(sessions, quarter.times))
    yield _report(sessions, f"{of}, by a condition, by campaign", chosen, GroupBy.CAMPAIGN)
    began_s = time.monotonic()
    _groups(sessions, quarter.times)
    yield takes(f"{of}, the groups of a condition", time.monotonic() - began_s)


def _report(sessions: Sessions, name: str, selection: Selection, group_by: GroupBy) -> Figure:
    took_s = []
    with sessions() as session:
        funnels_by(session, selection, group_by)
        for _ in range(TIMES):
            began_s = time.monotonic()
            funnels_by(session, selection, group_by)
            took_s.append(time.monotonic() - began_s)
    return takes(name, median(took_s), at_most_s=AT_MOST_S)


def _groups(sessions: Sessions, times: TimeRange) -> Groups:
    condition = condition_of('team != "team_1" && channel in ["email", "event"]')
    fields = fields_read([condition])
    with sessions() as session:
        groups = groups_in(session, times, fields, limit=MAX_GROUPS)
    return matching(condition, fields, groups)


def main(
    leads: Annotated[int, typer.Option(help="Leads whose news the worker reads.")] = 10_000,
    sizes: Annotated[str, typer.Option(help="Handoffs of the reports.")] = "10000,100000,1000000",
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    print_machine()
    figures = []
    with postgres() as server:
        engine = engine_for(server.url())
        figures.append(speed(engine, leads))
        for size in map(int, sizes.split(",")):
            for figure in reports(engine, size):
                console.print(f"[dim]{figure.name}: {figure.measured}[/]")
                figures.append(figure)
        engine.dispose()
    raise typer.Exit(print_figures("Alignment: the worker, and reports over 13 weeks", figures))


if __name__ == "__main__":
    typer.run(main)
