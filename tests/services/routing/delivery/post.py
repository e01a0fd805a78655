"""An installation with a receiver, and a dispatcher whose time source can be put forward."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from services.routing.delivery import Dispatcher, deliver
from services.routing.domain.endpoints import host_of
from services.routing.domain.formats import Format
from services.routing.domain.notifications import Notification
from services.routing.main import run_delivery
from services.routing.queries import deliveries, delivery_lists, endpoints
from services.routing.queries.delivery_lists import AttemptRecord, Delivery
from services.routing.queries.endpoints import EncryptedAddress
from shared.clock import utc_now
from shared.db.session import Sessions
from shared.http.probes import Probes
from shared.process.destinations import destinations
from tests.builders import lead_qualified
from tests.services.routing.builders import (
    build_assigner,
    entry,
    importing,
    qualifying,
    vault,
)
from tests.services.routing.delivery.receiver import Receiver

LOOPBACK = destinations([ip_network("127.0.0.0/8")])
GRACE = "/reps/grace"


def promised(target: str) -> dict[str, Any]:
    """The section of an agreement by which reps accept within this time, at any hour."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    calendar = {"id": "office", "zone": "UTC", "hours": {day: ["00:00-24:00"] for day in days}}
    policy = {"id": "accept", "kind": "accept", "scope": "hop", "anchor": "assigned"}
    return {"calendars": [calendar], "policies": [{**policy, "target": target}]}


class Post:
    """An installation with a receiver, and a dispatcher whose time source can be put forward."""

    def __init__(self, sessions: Sessions, receiver: Receiver, **sections: Any) -> None:
        self.sessions, self.receiver = sessions, receiver
        self.time_offset = timedelta(0)
        self.dispatcher = Dispatcher(sessions, vault(), LOOPBACK, self.now, lambda: 0.0)
        with sessions.begin() as session:
            self.assigner = build_assigner(session, **sections)
            self.secrets = importing(
                session,
                entry("grace", endpoint={"url": receiver.url(GRACE)}),
                fallback=receiver.url("/teams/sales"),
                ops=receiver.url("/ops"),
                now=utc_now(),
            ).secrets

    def now(self) -> datetime:
        return utc_now() + self.time_offset

    def assign(self, *leads: str) -> None:
        with self.sessions.begin() as session:
            messages = [lead_qualified(lead=it, at=self.now()) for it in leads or ("ada",)]
            qualifying(session, self.assigner, *messages, now=self.now())

    def run(self, *, until: int, dispatcher: Dispatcher | None = None) -> None:
        """Deliver until so many requests have come, all told, and been recorded."""
        stop = threading.Event()

        async def main() -> None:
            wake_event = asyncio.Event()
            task = asyncio.create_task(
                deliver(
                    dispatcher or self.dispatcher,
                    stop=stop,
                    wake_event=wake_event,
                    beat=lambda: None,
                )
            )
            await asyncio.to_thread(self.receiver.wait, lambda got: len(got) >= until)
            stop.set()
            wake_event.set()
            await task

        asyncio.run(main())

    def deliveries(self) -> list[Delivery]:
        with self.sessions() as session:
            return delivery_lists.list_deliveries(session, limit=99)[::-1]

    def states(self) -> list[tuple[str, str, str]]:
        return [(it.endpoint, it.type, it.state) for it in self.deliveries()]

    def attempts(self) -> list[AttemptRecord]:
        return [attempt for it in self.deliveries() for attempt in it.attempts]


@contextmanager
def delivering(dispatcher: Dispatcher) -> Iterator[None]:
    """The dispatcher at work, woken by whatever is committed, until the block ends."""
    stop = threading.Event()
    engine = dispatcher.sessions.kw["bind"]
    thread = threading.Thread(
        target=lambda: asyncio.run(run_delivery(dispatcher, engine, stop=stop, probe=Probes()))
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def endpoint(session: Session, id: str, url: str) -> None:
    """An endpoint that no roster names."""
    address = EncryptedAddress(vault().encrypt(url.encode()), host_of(url), Format.STANDARD)
    endpoints.add_endpoints(session, {id: address}, {id: vault().encrypt(b"s" * 32)})


def notify(
    session: Session, *endpoint_ids: str, now: datetime, type: str = "handoff.breached"
) -> None:
    """Something for each endpoint, of a handoff of its own."""
    notifications = [
        Notification(uuid4(), it, uuid4(), 1, type, b'{"type":"test","data":{}}')
        for it in endpoint_ids
    ]
    deliveries.add_notifications(session, notifications, now=now)


def until(happened: Callable[[], bool]) -> None:
    """Look again and again, but not for ever."""
    pause = threading.Event()
    for _ in range(2_400):
        if happened():
            return
        pause.wait(0.025)
    raise TimeoutError
