"""Tests of a real API process: its log, and its regular end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest

from shared.embedded.postgres import free_port
from tests.engine import PATIENCE_S

API = """
    import sys, time, warnings
    from fastapi import APIRouter, Request
    from sqlalchemy import text
    from shared.process import logs
    from shared.db.session import engine_for, sessions_on
    from shared.http.app import create_app
    from shared.http.direct_routes import include_direct
    from shared.http.server import serve
    import logging

    logs.configure("info", service="test")
    sessions = sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/x"))
    app = create_app(title="t", summary="s", sessions=sessions)

    @app.get("/slow/{{person}}")
    def slow(person: str) -> str:
        logging.getLogger("library").warning("slow %s", 1)
        time.sleep(1)
        return "done"

    direct = APIRouter()

    @direct.post("/kept")
    async def keep(request: Request) -> None:
        with sessions() as session:
            session.execute(text("select 1"))

    include_direct(app, direct)
    serve(app, host="127.0.0.1", port={port})
    print("closed", flush=True)
"""

LOOP = """
    from shared.process.lifecycle import stop_on_signals

    stop = stop_on_signals()
    print("ready", flush=True)
    while not stop.wait(0.001):
        pass
    print("stopped", flush=True)
"""


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    """The program in a separate process."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_api_finishes_what_is_under_way_and_ends_well(number: signal.Signals) -> None:
    port = free_port()
    with running(API.format(port=port)) as process:
        url = f"http://127.0.0.1:{port}"
        transport = httpx.HTTPTransport(retries=6)
        with httpx.Client(transport=transport, timeout=PATIENCE_S) as client:
            assert client.get(f"{url}/healthz").text == "ok"
        answers: list[str] = []
        asking = Thread(
            target=lambda: answers.append(
                httpx.get(f"{url}/slow/lovelace?email=lovelace@acme.example", timeout=10).json()
            )
        )
        asking.start()
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline())]
        while lines[-1]["event"] != "slow 1":
            lines.append(json.loads(process.stdout.readline()))
        process.send_signal(number)
        asking.join(10)
        output, _ = process.communicate(timeout=10)

    assert answers == ["done"]
    assert process.returncode == 0
    *headers, closed = output.splitlines()
    assert closed == "closed"
    lines += [json.loads(line) for line in headers]
    assert {line["service"] for line in lines} == {"test"}
    assert lines[0]["event"] == "api starts"
    [library] = [line for line in lines if line["event"] == "slow 1"]
    assert (library["module"], library["level"]) == ("library", "warning")
    [request] = [line for line in lines if line["event"] == "request"]
    assert (request["route"], request["status"]) == ("/slow/{person}", 200)
    assert "lovelace" not in output


def test_a_post_on_a_direct_route_without_a_database_says_when_to_try_again() -> None:
    port = free_port()
    with (
        running(API.format(port=port)),
        httpx.Client(transport=httpx.HTTPTransport(retries=6), timeout=PATIENCE_S) as client,
    ):
        answer = client.post(f"http://127.0.0.1:{port}/kept", content=b"one")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_loop_ends_at_the_first_signal_and_others_change_nothing(number: signal.Signals) -> None:
    with running(LOOP) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(3):
            process.send_signal(number)
        output, _ = process.communicate(timeout=10)
    assert (output, process.returncode) == ("stopped\n", 0)
