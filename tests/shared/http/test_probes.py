"""Tests of the probes of a worker over real HTTP."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.embedded.postgres import free_port
from shared.errors import Unavailable
from shared.http.probes import MAX_CALLERS, TIMEOUT_S, Probes, ProbesNotServed
from tests.engine import PATIENCE_S, until


def test_a_worker_is_ready_while_all_checks_pass_and_alive_while_it_beats() -> None:
    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    away = True

    def kafka() -> None:
        if away:
            raise Unavailable("Kafka is away")

    def disk() -> None:
        if away:
            raise OSError("with a path that nobody should read")

    probes = Probes(time_source=lambda: now, max_silence=timedelta(minutes=1))
    probes.start(port := free_port(), {"kafka": kafka, "disk": disk})

    def get(path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S)

    ready = get("/readyz?verbose")
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"kafka": "Kafka is away", "disk": "OSError"}
    away = False
    assert get("/readyz").status_code == 200

    assert get("/healthz").text == "ok"
    probes.beat()
    now += timedelta(seconds=59)
    assert get("/healthz").status_code == 200
    now += timedelta(seconds=1)
    assert get("/healthz").status_code == 503

    assert "# TYPE leadbaton_http_request_seconds histogram" in get("/metrics").text
    assert get("/else").status_code == 404


def test_strangers_who_say_nothing_do_not_take_every_thread_and_are_closed() -> None:
    probes = Probes()
    probes.start(port := free_port(), {})
    with ExitStack() as held:
        silent = [
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(MAX_CALLERS + 20)
        ]
        silent[0].settimeout(TIMEOUT_S * 3)
        silent[-1].settimeout(TIMEOUT_S / 2)

        assert silent[-1].recv(1) == b""  # one too many, closed at once
        assert silent[0].recv(1) == b""  # silent for too long
    until(lambda: _answers(port))


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_S).status_code == 200
    except httpx.TransportError:
        return False


def test_probes_listen_on_loopback_unless_an_address_is_named() -> None:
    for host, address in ((None, "127.0.0.1"), ("127.0.0.2", "127.0.0.2")):
        probes = Probes()
        port = free_port()
        if host is None:
            probes.start(port, {})
        else:
            probes.start(port, {}, host=host)

        assert httpx.get(f"http://{address}:{port}/healthz", timeout=PATIENCE_S).status_code == 200
        other_host = "127.0.0.2" if address == "127.0.0.1" else "127.0.0.1"
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://{other_host}:{port}/healthz", timeout=PATIENCE_S)


def test_an_address_that_cannot_be_listened_on_is_named_with_the_settings() -> None:
    Probes().start(port := free_port(), {})
    for host, port_in_use in (("127.0.0.1", port), ("192.0.2.1", port)):
        with pytest.raises(
            ProbesNotServed, match=f"on {host}, port {port_in_use} .*LEADBATON_PROBE_HOST"
        ):
            Probes().start(port_in_use, {}, host=host)


def test_without_a_port_nothing_is_opened() -> None:
    probes = Probes()
    probes.start(None, {})
    assert probes.answer("/readyz")[1] == 200
