"""The proxy and the service that operators start from, held to the code."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from services.cli import app
from services.cli.processes import PROCESSES
from shared.http.server import GRACE_S
from shared.process.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = (DEPLOY / "proxy" / "nginx.conf").read_text()


def test_the_proxy_stands_before_every_api_and_hides_what_is_for_the_inside() -> None:
    ports = {int(it) for it in re.findall(r"proxy_pass http://127\.0\.0\.1:(\d+);", NGINX)}
    servers = NGINX.count("server {")

    assert ports == {it.port for it in PROCESSES if it.port}
    assert NGINX.count("location ~ ^/(metrics|healthz|readyz)$ { return 404; }") == servers


def test_the_proxy_lets_through_what_ingest_takes() -> None:
    [megabytes] = re.findall(r"client_max_body_size (\d+)m;", NGINX)

    assert int(megabytes) * 1024 * 1024 >= Settings.model_fields["max_request_bytes"].default


def test_the_service_starts_a_command_that_exists() -> None:
    unit = (DEPLOY / "systemd" / "leadbaton.service").read_text()
    [start] = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    path, *arguments = start.split()

    result = CliRunner().invoke(app, [*arguments, "--help"])

    assert Path(path).name == "leadbaton"
    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


def test_the_service_asks_a_process_to_stop_before_it_is_killed() -> None:
    unit = (DEPLOY / "systemd" / "leadbaton.service").read_text()
    [patience_s] = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)

    assert "KillMode=mixed" in unit
    assert int(patience_s) > GRACE_S
