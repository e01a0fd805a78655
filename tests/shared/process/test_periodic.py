"""Tests that a periodic task runs again after an outage and after any other error, which is counted."""

from __future__ import annotations

from threading import Event

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import text

from shared.db.session import Sessions
from shared.errors import Unavailable
from shared.process.periodic import run_periodically
from tests.damage import TOO_LARGE, run_statement
from tests.engine import PATIENCE_S


def failures() -> float:
    name = "leadbaton_periodic_task_failures_total"
    return REGISTRY.get_sample_value(name, {"task": "test"}) or 0.0


@pytest.mark.postgres
@pytest.mark.parametrize("sqlstate", [TOO_LARGE, "42P01", "22012"])
def test_an_error_that_is_no_outage_is_counted_and_the_task_runs_again(
    sessions: Sessions, sqlstate: str
) -> None:
    """Otherwise its thread would end, and the gauges would keep their last values unnoticed."""
    statement = (
        f"do $$ begin raise exception 'ada@acme.example' using errcode = '{sqlstate}'; end $$"
    )
    stop, runs, before = Event(), list[int](), failures()

    def action() -> None:
        runs.append(len(runs))
        if len(runs) == 3:
            stop.set()
        else:
            run_statement(sessions, statement)

    with structlog.testing.capture_logs() as lines:
        run_periodically("test", action, stop, every_s=0.01).join(PATIENCE_S)

    assert runs == [0, 1, 2]
    assert failures() == before + 2
    assert [(it["event"], it["log_level"]) for it in lines] == [
        ("a periodic task failed", "error")
    ] * 2
    assert all(sqlstate in it["error"] and "ada" not in it["error"] for it in lines)


@pytest.mark.postgres
def test_an_outage_is_no_failure_of_a_task(sessions: Sessions) -> None:
    stop, before = Event(), failures()

    def action() -> None:
        stop.set()
        with sessions() as session:
            session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with structlog.testing.capture_logs() as lines:
        run_periodically("test", action, stop).join(PATIENCE_S)

    assert failures() == before
    assert [it["log_level"] for it in lines] == ["warning"]


def test_a_task_runs_again_after_an_outage() -> None:
    stop = Event()
    runs: list[int] = []

    def action() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise Unavailable("away")
        stop.set()

    run_periodically("test", action, stop, every_s=0.01).join(PATIENCE_S)

    assert runs == [0, 1]
