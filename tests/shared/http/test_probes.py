"""What a worker says of itself, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from shared.embedded.postgres import free_port
from shared.errors import Unavailable
from shared.http.probes import Probes


def test_a_worker_is_ready_while_its_checks_pass_and_alive_while_it_beats() -> None:
    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    away = True

    def kafka() -> None:
        if away:
            raise Unavailable("Kafka is away")

    def disk() -> None:
        if away:
            raise OSError("with a path that nobody should read")

    probes = Probes(clock=lambda: now, patience=timedelta(minutes=1))
    probes.start(port := free_port(), {"kafka": kafka, "disk": disk})

    def get(path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port}{path}")

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


def test_without_a_port_nothing_is_opened() -> None:
    probes = Probes()
    probes.start(None, {})
    assert probes.answer("/readyz")[1] == 200
