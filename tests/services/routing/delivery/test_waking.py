"""Whoever wakes the delivery waits out an outage; any other error ends the process, and is not waited out."""

from __future__ import annotations

import asyncio
import threading

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from services.routing.delivery.waking import listen
from services.routing.main import run_delivery
from services.routing.queries.deliveries import CHANNEL
from shared.db.session import Sessions, engine_for
from shared.http.probes import Probes
from tests.damage import run_statement, stop_after_patience
from tests.engine import PATIENCE_S, until
from tests.services.routing.delivery.post import Post
from tests.services.routing.delivery.receiver import receiving

pytestmark = pytest.mark.postgres


def test_it_listens_again_after_an_outage(sessions: Sessions, database_url: str) -> None:
    engine = engine_for(f"{database_url}?application_name=listener")
    stop, woken = threading.Event(), threading.Event()
    thread = threading.Thread(target=listen, args=(engine, woken.set, stop))
    thread.start()
    ring(sessions, woken)
    run_statement(
        sessions,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'",
    )
    woken.clear()
    ring(sessions, woken)
    stop.set()
    thread.join(PATIENCE_S)
    engine.dispose()
    assert not thread.is_alive()


def ring(sessions: Sessions, woken: threading.Event) -> None:
    """As a transaction does that leaves a webhook, until it is heard."""

    def heard() -> bool:
        run_statement(sessions, f"notify {CHANNEL}")
        return woken.wait(0.05)

    until(heard)


def test_an_error_that_is_no_outage_ends_the_listening(sessions: Sessions, engine: Engine) -> None:
    def ask() -> None:
        """Only before it is asked to stop: it wakes the delivery then too, outside of what it waits out."""
        if not stop.is_set():
            with sessions() as session:
                session.execute(text("select 1 from nowhere"))

    with stop_after_patience() as stop:
        ringing = threading.Thread(target=ring_until, args=(sessions, stop))
        ringing.start()
        with pytest.raises(DBAPIError) as error:
            listen(engine, ask, stop)
    ringing.join(PATIENCE_S)

    assert getattr(error.value.orig, "sqlstate", None) == "42P01"


def ring_until(sessions: Sessions, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        run_statement(sessions, f"notify {CHANNEL}")


def test_a_delivery_that_nobody_can_wake_ends_with_the_error(
    sessions: Sessions, database_url: str
) -> None:
    """Its own connections work; that of the listener has an option that there is not."""
    engine = engine_for(f"{database_url}?no_such_option=1")

    with receiving() as receiver, stop_after_patience() as stop:
        delivery = run_delivery(Post(sessions, receiver).courier, engine, stop=stop, probe=Probes())
        with pytest.raises(psycopg.ProgrammingError, match="no_such_option"):
            asyncio.run(delivery)
