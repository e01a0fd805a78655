"""docker-compose.yml says what the code says: every process, variable, port and health check."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.cli.processes import PROCESSES
from shared.settings import Settings
from tests.deploy.compose import COMPOSE, OURS, PROBE_PORT, ROOT, SERVICES, demanded, filled

EXAMPLE = {"LEADBATON_SECRET_KEY": "A" * 43 + "=", "POSTGRES_PASSWORD": "example"}


def test_every_process_has_a_container_of_its_name() -> None:
    commands = {name: tuple(it["command"]) for name, it in OURS.items() if name != "migrate"}
    assert commands == {it.name: ("leadbaton", *it.command) for it in PROCESSES}


def test_every_variable_is_one_that_the_processes_read() -> None:
    known = {f"LEADBATON_{name.upper()}" for name in Settings.model_fields}
    known |= {"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    for name, it in OURS.items():
        assert set(it["environment"]) <= known, name


def test_the_variables_make_valid_settings() -> None:
    for it in OURS.values():
        said = {
            name[10:].lower(): filled(value, EXAMPLE) for name, value in it["environment"].items()
        }
        assert Settings.model_validate(said).kafka_bootstrap == "kafka:9092"


@pytest.mark.parametrize("process", PROCESSES, ids=lambda it: it.name)
def test_health_is_asked_where_the_process_answers(process: Any) -> None:
    check = SERVICES[process.name]["healthcheck"]["test"]
    assert f"127.0.0.1:{process.port or PROBE_PORT}{process.health}'" in check[-1]


@pytest.mark.parametrize("process", [it for it in PROCESSES if it.port], ids=lambda it: it.name)
def test_apis_are_published_on_loopback_only(process: Any) -> None:
    assert SERVICES[process.name]["ports"] == [f"127.0.0.1:{process.port}:{process.port}"]
    assert SERVICES[process.name]["environment"]["LEADBATON_HOST"] == "0.0.0.0"  # noqa: S104 — inside the container


@pytest.mark.parametrize("name", [*OURS, "prometheus", "grafana"])
def test_containers_may_do_nothing_that_they_need_not(name: str) -> None:
    it = SERVICES[name]
    assert it["read_only"]
    assert it["user"].split(":")[0] not in ("0", "root")
    assert it["pids_limit"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_bounded_and_gains_nothing(name: str) -> None:
    it = SERVICES[name]
    assert it["cap_drop"] == ["ALL"]
    assert it["security_opt"] == ["no-new-privileges:true"]
    assert it["mem_limit"]
    assert re.search(r":v?[0-9]|:local$", it["image"]), "an image of any version"
    assert all(published.startswith("127.0.0.1:") for published in it.get("ports", ()))


def test_what_is_mounted_is_there_and_read_only() -> None:
    mounted = [said for it in SERVICES.values() for said in it.get("volumes", ()) if said[0] == "."]
    for said in mounted:
        source, _, how = said.split(":")
        assert (ROOT / source).is_dir(), said
        assert how == "ro"
    named = {said.split(":")[0] for it in SERVICES.values() for said in it.get("volumes", ())}
    assert {it for it in named if it[0] != "."} == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", [it for it in SERVICES if it != "migrate"])
def test_every_container_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_what_must_be_exported_first_is_said_where_one_looks() -> None:
    wanted = demanded((ROOT / "docker-compose.yml").read_text())
    assert wanted
    for path in ("docker-compose.yml", "README.md", "docs/operations.md"):
        exported = re.findall(r"(?:export |\) )([A-Z_]+)=", (ROOT / path).read_text())
        assert wanted <= set(exported), path


@pytest.mark.parametrize("name", SERVICES)
def test_only_who_must_be_reached_or_reach_out_is_on_the_outer_network(name: str) -> None:
    outside = {it.name for it in PROCESSES if it.port}
    outside |= {"routing-delivery", "prometheus", "grafana"}
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
    assert OURS["relay"]["user"] == "10001:10001"
