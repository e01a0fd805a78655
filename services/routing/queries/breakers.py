"""Breakers: which hosts hang and which endpoints hang or fail, and when the next attempt to each may start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from services.routing.tables import breakers

HOST = "host/"
PROBE_PAUSE = timedelta(seconds=5)
"""After an attempt that hung or failed too, the next one starts this much later."""
FAILURES_TO_OPEN = 5
"""So many failed attempts of an endpoint, one after the other, open its breaker."""


@dataclass(frozen=True, slots=True)
class Hang:
    """An attempt without an answer in time."""

    endpoint: str
    host: str
    host_answers: bool
    """Whether the host answered another attempt meanwhile: then only the endpoint hangs."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Attempts to an endpoint that failed at once or were answered without a success, and none that succeeded."""

    endpoint: str
    count: int
    retry_at: datetime
    """When the endpoint may be asked again: later than after the usual pause where it has said so."""


def take_probes(
    session: Session, ids: Collection[str], *, now: datetime, until: datetime
) -> set[str]:
    """Reserve the probes of these open breakers until then; returns the breakers whose probe was free."""
    free = session.scalars(
        select(breakers.c.id)
        .where(breakers.c.id.in_(ids), breakers.c.probe_at <= now)
        .order_by(breakers.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    if free:
        session.execute(update(breakers).where(breakers.c.id.in_(free)).values(probe_at=until))
    return set(free)


def open_breakers(session: Session, hangs: Collection[Hang], *, now: datetime) -> None:
    """Allow one attempt at a time from now on. The first may start at once: another endpoint may answer."""
    ids = {it.endpoint for it in hangs}
    ids |= {host_breaker(it.host) for it in hangs if not it.host_answers}
    for id in sorted(ids):
        session.execute(_OPEN, {"id": id, "now": now, "later": now + PROBE_PAUSE})


def count_failures(session: Session, failures: Collection[Failures], *, now: datetime) -> None:
    """Count failures in a row; enough of them open the endpoint's breaker, and each postpones the next probe.

    An endpoint that has hung and answers again, if only with an error, is counted anew.
    """
    for failed in sorted(failures, key=lambda it: it.endpoint):
        later = max(failed.retry_at, now + PROBE_PAUSE)
        arguments = {"id": failed.endpoint, "count": failed.count, "limit": FAILURES_TO_OPEN}
        session.execute(_COUNT, {**arguments, "now": now, "later": later})


def free_probes(session: Session, ids: Collection[str], *, now: datetime) -> None:
    """Let the next attempt start at once, as the last one failed without a hang."""
    session.execute(update(breakers).where(breakers.c.id.in_(ids)).values(probe_at=now))


def close_breakers(session: Session, ids: Collection[str]) -> None:
    """Close breakers of what answers again, and forget failures. With a host's those of its hanging endpoints close."""
    closed = session.scalars(
        delete(breakers).where(breakers.c.id.in_(ids)).returning(breakers.c.id)
    ).all()
    hosts = [it.removeprefix(HOST) for it in closed if it.startswith(HOST)]
    if hosts:
        session.execute(_CLOSE_ENDPOINTS, {"hosts": hosts})


def host_breaker(host: str) -> str:
    """The id of a host's breaker."""
    return f"{HOST}{host}"


_OPEN = text("""
    insert into routing.breakers (id, opened_at, failures, hangs, probe_at)
    values (:id, :now, 1, true, :now)
    on conflict (id) do update set
        opened_at = coalesce(breakers.opened_at, :now),
        failures = case when breakers.hangs then breakers.failures + 1 else 1 end,
        hangs = true,
        probe_at = :later
""")

_COUNT = text("""
    insert into routing.breakers as breaker (id, opened_at, failures, hangs, probe_at)
    values (
        :id,
        case when cast(:count as integer) >= :limit then cast(:now as timestamptz) end,
        :count, false, :later
    )
    on conflict (id) do update set
        opened_at = case
            when breaker.hangs then excluded.opened_at
            when breaker.failures + excluded.failures >= :limit
                then coalesce(breaker.opened_at, cast(:now as timestamptz))
        end,
        failures = excluded.failures + case when breaker.hangs then 0 else breaker.failures end,
        hangs = false,
        probe_at = excluded.probe_at
""")

_CLOSE_ENDPOINTS = text("""
    delete from routing.breakers using routing.endpoints
    where breakers.id = endpoints.id and endpoints.host = any(:hosts) and breakers.hangs
""")
