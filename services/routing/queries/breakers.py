"""Breakers: which hosts and endpoints hang, and when the next attempt to each may start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from services.routing.tables import breakers

HOST = "host/"
PROBE_PAUSE = timedelta(seconds=5)
"""After an attempt that hung too, the next one starts this much later."""


@dataclass(frozen=True, slots=True)
class Hang:
    """An attempt without an answer in time."""

    endpoint: str
    host: str
    host_answers: bool
    """Whether the host answered another attempt meanwhile: then only the endpoint hangs."""


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


def free_probes(session: Session, ids: Collection[str], *, now: datetime) -> None:
    """Let the next attempt start at once, as the last one failed without a hang."""
    session.execute(update(breakers).where(breakers.c.id.in_(ids)).values(probe_at=now))


def close_breakers(session: Session, ids: Collection[str]) -> None:
    """Close breakers of what answers again. The breaker of a host closes with those of its endpoints."""
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
    insert into routing.breakers (id, opened_at, failures, probe_at) values (:id, :now, 1, :now)
    on conflict (id) do update set failures = breakers.failures + 1, probe_at = :later
""")

_CLOSE_ENDPOINTS = text("""
    delete from routing.breakers using routing.endpoints
    where breakers.id = endpoints.id and endpoints.host = any(:hosts)
""")
