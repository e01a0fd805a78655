"""How long each page of the console takes, how large the first one is, and the statements behind the slowest parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from statistics import median, quantiles
from time import perf_counter

import httpx
import psycopg
from psycopg.sql import SQL, Composed, Literal
from sqlalchemy.orm import Session

from benchmarks.board.load import RARE_TEAM, Examples
from benchmarks.board.site import Site
from benchmarks.machine import Figure, console, takes
from services.routing.queries.counts import closed_counts, live_counts
from services.scoring.domain.naming import words_in
from services.scoring.queries.search import matching_leads
from services.sla_monitor.queries.counts import due_soon_counts, open_counts
from services.sla_monitor.queries.lists import ClockFilter
from shared.clock import utc_now
from shared.db.session import sessions_on

PAGE_S = 0.15
SEARCH_S = 0.15
COUNT_S = 0.01
FIRST_PAGE_BYTES = 60_000
FIRST_PAGE = ("/", "/static/console.css", "/static/console.js")
NO_API = "/sign-in"
"""A page for which no API is asked: the floor of all others."""

WARMING = 3


def page_times(site: Site, *, times: int) -> Iterator[Figure]:
    """The 95th percentile of each page, one request after the other, each in a session that exists."""
    with site.visit() as client:
        floor_s = _p95(client, NO_API, times)
        for name, path in _pages(site.examples).items():
            took_s = _p95(client, path, times)
            console.print(f"[dim]{name}: {took_s * 1e3:.0f} ms[/]")
            yield takes(f"{name}, p95", took_s, at_most_s=PAGE_S, floor_s=floor_s)


def _pages(examples: Examples) -> Mapping[str, str]:
    """Every page by its name, and lists by filters that few or none meet."""
    handoff = f"/handoffs/{examples.handoff}"
    return {
        "Now": "/",
        "Leads": "/leads",
        "Leads, by half a name": f"/leads?q={examples.half_a_name}",
        "a lead's story": f"/leads/{examples.lead}",
        "Handoffs": "/handoffs",
        "Handoffs, accepted": "/handoffs?state=accepted&sort=oldest",
        "Handoffs, won and of one rep": "/handoffs?state=won&rep=rep_1_7",
        "Handoffs, of no team": f"/handoffs?team={RARE_TEAM}",
        "Handoffs, of a tier that is none": "/handoffs?tier=none",
        "Handoffs, of a rare source": "/handoffs?source=source_nowhere",
        "Handoffs, of a rare campaign": "/handoffs?campaign=campaign_nowhere",
        "Handoffs, older than a week": "/handoffs?age=older_7d",
        "a handoff": handoff,
        "why this rep": f"{handoff}/why",
        "a re-route": f"/reroutes/{examples.reroute}",
        "Promises": "/sla",
        "Promises, of one rep": "/sla?rep=rep_1_7",
        "Promises, of no team": f"/sla?team={RARE_TEAM}",
        "Promises, of a tier that is none": "/sla?tier=none",
        "a promise": f"/sla/clocks/{examples.clock}",
        "attainment": "/sla/attainment",
        "Deliveries": "/deliveries",
        "Deliveries, exhausted": "/deliveries?state=exhausted",
        "Deliveries, of a status that none has": "/deliveries?status=3xx",
        "Reps": "/reps",
        "Agreement": "/agreement",
        "Events": "/events",
        "Events, of a rare type": "/events?type=never_sent",
        "Events, of a rare source": "/events?source=never_sent",
    }


def _p95(client: httpx.Client, path: str, times: int) -> float:
    took_s = [_timed(partial(_load, client, path)) for _ in range(WARMING + times)]
    return quantiles(took_s[WARMING:], n=20, method="inclusive")[-1]


def _load(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200 or "does not answer" in response.text:
        raise RuntimeError(f"{path}: {response.status_code} {response.text[:500]}")


def first_page(site: Site) -> Figure:
    """The bytes of the first page with its style sheet and its script, as they are sent, beside what they unpack to."""
    sent = unpacked = 0
    with site.visit() as client:
        for path in FIRST_PAGE:
            with client.stream("GET", path) as response:
                unpacked += len(response.read())
                sent += response.num_bytes_downloaded
    return Figure(
        "first page with style sheet and script",
        f"{sent / 1e3:.1f} kB",
        f"{unpacked / 1e3:.1f} kB",
        unpacked / sent,
        f"≤ {FIRST_PAGE_BYTES / 1e3:.0f} kB",
        sent <= FIRST_PAGE_BYTES,
    )


def statements(site: Site, *, times: int) -> Iterator[Figure]:
    """The median time of a search and of the counts at the database, their rows made into values."""
    first_day = datetime.combine(utc_now().date(), time(), UTC) - timedelta(days=6)
    half = site.examples.half_a_name
    reads: dict[str, tuple[Callable[[Session], object], SQL | Composed, float | None]] = {
        "search by half a name": (partial(_search, half), _floor_of_search(half), SEARCH_S),
        "search by what every lead has": (partial(_search, "firm"), _floor_of_search("firm"), None),
        "counts of live handoffs": (
            lambda session: list(live_counts(session)),
            SQL(
                "select count(*) from routing.handoffs where state in ('assigned', 'accepted', 'contacted')"
            ),
            COUNT_S,
        ),
        "counts of closed handoffs, 7 days": (
            partial(closed_counts, since=first_day),
            SQL("select count(*) from routing.handoffs where closed_at >= current_date - 6"),
            COUNT_S,
        ),
        "counts of open clocks": (
            _open_clocks,
            SQL("select sum(count) from sla.open_counts"),
            COUNT_S,
        ),
    }
    sessions = sessions_on(site.engine)
    with psycopg.connect(site.server.url(), autocommit=True) as bare:
        for name, (read, floor, at_most_s) in reads.items():

            def once(read: Callable[[Session], object] = read) -> None:
                with sessions() as session:
                    read(session)

            floor_s = _median(partial(_bare, bare, floor), times)
            yield takes(name, _median(once, times), at_most_s=at_most_s, floor_s=floor_s)


def _search(half: str, session: Session) -> None:
    matches = matching_leads(session, words_in(half), rep=None, before=None, limit=51)
    if not matches:
        raise RuntimeError("the search matches nothing")


def _floor_of_search(half: str) -> Composed:
    statement = SQL("select lead_id from scoring.lead_words where words @@ {} limit 51")
    return statement.format(Literal(f"{half}:*"))


def _open_clocks(session: Session) -> None:
    open_counts(session, ClockFilter())
    due_soon_counts(session, ClockFilter(), now=utc_now())


def _bare(connection: psycopg.Connection, statement: SQL | Composed) -> None:
    connection.execute(statement).fetchall()


def _median(do: Callable[[], None], times: int) -> float:
    return median(_timed(do) for _ in range(times))


def _timed(do: Callable[[], None]) -> float:
    began_s = perf_counter()
    do()
    return perf_counter() - began_s
