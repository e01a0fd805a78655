"""Tests that a listener waits during an outage, and raises any other error."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from shared.db.listener import call_on_notification, listening
from shared.db.outages import is_outage
from shared.db.session import Sessions, engine_for
from shared.embedded.postgres import free_port
from tests.damage import run_statement, stop_after_patience
from tests.engine import PATIENCE_S, until

pytestmark = pytest.mark.postgres

CHANNEL = "a_channel"
END_LISTENERS = (
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'"
)


def test_it_listens_again_after_an_outage(sessions: Sessions, database_url: str) -> None:
    engine = engine_for(f"{database_url}?application_name=listener")
    stop, called = threading.Event(), threading.Event()
    thread = threading.Thread(target=call_on_notification, args=(engine, CHANNEL, called.set, stop))
    thread.start()
    notify_until(sessions, called)
    run_statement(sessions, END_LISTENERS)
    called.clear()
    notify_until(sessions, called)
    stop.set()
    thread.join(PATIENCE_S)
    engine.dispose()
    assert not thread.is_alive()


def notify_until(sessions: Sessions, called: threading.Event) -> None:
    """Notify until the callback was called."""

    def notified() -> bool:
        run_statement(sessions, f"notify {CHANNEL}")
        return called.wait(0.05)

    until(notified)


def test_without_the_database_it_waits_until_it_is_stopped() -> None:
    engine = engine_for(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere")
    stop, called = threading.Event(), threading.Event()
    thread = threading.Thread(target=call_on_notification, args=(engine, CHANNEL, called.set, stop))
    thread.start()
    stop.set()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert called.is_set()


def test_an_error_that_is_no_outage_ends_the_listening(sessions: Sessions, engine: Engine) -> None:
    def fail() -> None:
        """Raise before the stop only: the last call, after it, is not guarded against outages."""
        if not stop.is_set():
            with sessions() as session:
                session.execute(text("select 1 from nowhere"))

    with stop_after_patience() as stop:
        notifying = threading.Thread(target=notify_until_stop, args=(sessions, stop))
        notifying.start()
        with pytest.raises(DBAPIError) as error:
            call_on_notification(engine, CHANNEL, fail, stop)
    notifying.join(PATIENCE_S)

    assert getattr(error.value.orig, "sqlstate", None) == "42P01"


def notify_until_stop(sessions: Sessions, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        run_statement(sessions, f"notify {CHANNEL}")


def test_a_listener_gives_the_payloads(sessions: Sessions, engine: Engine) -> None:
    with listening(engine, CHANNEL) as listener:
        run_statement(sessions, f"notify {CHANNEL}, 'first'")
        assert listener.wait(PATIENCE_S) == ["first"]
        started = time.monotonic()
        assert listener.wait(0.05) == []
        assert time.monotonic() - started >= 0.04


def test_a_listener_raises_that_the_database_is_away(sessions: Sessions, database_url: str) -> None:
    engine = engine_for(f"{database_url}?application_name=listener")
    with listening(engine, CHANNEL) as listener:
        run_statement(sessions, END_LISTENERS)
        with pytest.raises(psycopg.Error) as error:
            listener.wait(PATIENCE_S)
    assert is_outage(error.value)
    engine.dispose()
