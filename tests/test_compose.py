"""docker-compose.yml says what the code says: every process, variable, port and health check."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli.processes import PROCESSES
from shared.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: it for name, it in SERVICES.items() if it["image"] == "leadbaton:local"}
PROBE_PORT = 9000


def test_every_process_has_a_container_of_its_name() -> None:
    commands = {name: tuple(it["command"]) for name, it in OURS.items() if name != "migrate"}
    assert commands == {it.name: ("leadbaton", *it.command) for it in PROCESSES}


def test_every_variable_is_one_that_the_processes_read() -> None:
    known = {f"LEADBATON_{name.upper()}" for name in Settings.model_fields}
    for name, it in OURS.items():
        assert set(it["environment"]) <= known, name


def test_the_variables_make_valid_settings() -> None:
    for it in OURS.values():
        said = {name[10:].lower(): _filled(value) for name, value in it["environment"].items()}
        assert Settings.model_validate(said).kafka_bootstrap == "kafka:9092"


@pytest.mark.parametrize("process", PROCESSES, ids=lambda it: it.name)
def test_health_is_asked_where_the_process_answers(process: Any) -> None:
    check = SERVICES[process.name]["healthcheck"]["test"]
    assert f"127.0.0.1:{process.port or PROBE_PORT}{process.health}'" in check[-1]


@pytest.mark.parametrize("process", [it for it in PROCESSES if it.port], ids=lambda it: it.name)
def test_apis_are_published_on_loopback_only(process: Any) -> None:
    assert SERVICES[process.name]["ports"] == [f"127.0.0.1:{process.port}:{process.port}"]
    assert SERVICES[process.name]["environment"]["LEADBATON_HOST"] == "0.0.0.0"  # noqa: S104 — inside the container


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_nothing_that_they_need_not(name: str) -> None:
    it = OURS[name]
    assert it["read_only"]
    assert it["cap_drop"] == ["ALL"]
    assert it["security_opt"] == ["no-new-privileges:true"]
    assert it["user"] == "10001:10001"
    assert it["mem_limit"]


@pytest.mark.parametrize("name", SERVICES)
def test_only_who_must_be_reached_or_reach_out_is_on_the_outer_network(name: str) -> None:
    outside = {it.name for it in PROCESSES if it.port} | {"routing-delivery"}
    assert ("outside" in SERVICES[name]["networks"]) == (name in outside)
    assert COMPOSE["networks"]["inside"]["internal"]


def test_migrate_runs_once_after_the_servers_and_before_the_processes() -> None:
    assert SERVICES["migrate"]["command"] == ["leadbaton", "migrate"]
    assert SERVICES["migrate"]["restart"] == "no"
    assert set(SERVICES["migrate"]["depends_on"]) == {"postgres", "kafka"}
    for process in PROCESSES:
        waits = SERVICES[process.name]["depends_on"]
        assert waits == {"migrate": {"condition": "service_completed_successfully"}}


def test_the_image_runs_as_the_user_that_compose_names() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "USER 10001:10001" in dockerfile
    for source in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.MULTILINE):
        for path in source.split():
            assert (ROOT / path).exists(), path


def _filled(value: str) -> str:
    """The value with its variables put in, as compose would with them set."""
    example = {"LEADBATON_SECRET_KEY": "A" * 43 + "=", "POSTGRES_PASSWORD": "example"}
    return re.sub(
        r"\$\{(\w+)(?::-([^}]*))?(?::\?[^}]*)?\}", lambda it: example.get(it[1], it[2] or ""), value
    )
