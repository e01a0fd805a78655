"""docker-compose.yml says what the code says: every process, variable, port and health check."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from services.cli.processes import PROCESSES
from services.console.apis import Service
from shared.db.roles import SCHEMAS
from shared.process.settings import Settings
from tests.deploy.compose import (
    COMPOSE,
    OURS,
    PROBE_PORT,
    ROOT,
    SERVICES,
    demanded,
    filled,
    made_secrets,
)

ASKED_BY_CONSOLE = {it.name.lower() for it in Service}
"""The services whose APIs the console asks."""

EXTRAS = {"migrate", "cli"}
"""Containers of our image that are no process of every day."""

EXPORTERS = [it for it in SERVICES if it.endswith("-exporter")]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the script of deploy/ makes."""
    return made_secrets(tmp_path_factory.mktemp("checkout"))


def test_every_process_has_a_container_of_the_same_name() -> None:
    commands = {name: tuple(it["command"]) for name, it in OURS.items() if name not in EXTRAS}
    assert commands == {it.name: ("leadbaton", *it.command) for it in PROCESSES}


def test_every_variable_is_one_that_the_processes_read() -> None:
    known = {f"LEADBATON_{name.upper()}" for name in Settings.model_fields}
    known |= {"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    for name, service in OURS.items():
        assert set(service["environment"]) <= known, name


@pytest.mark.parametrize("name", OURS)
def test_the_variables_make_valid_settings(name: str, secrets: Path) -> None:
    service = OURS[name]
    values = {
        key[10:].lower(): filled(value, {}).replace("/run/secrets", str(secrets))
        for key, value in service["environment"].items()
        if key.startswith("LEADBATON_")
    }

    settings = Settings.model_validate(values)

    if name != "console":
        url = make_url(settings.database_url)
        [role] = [it for it in service["secrets"] if it.startswith("postgres_")]
        assert settings.kafka_bootstrap == "kafka:9092"
        assert url.username == role.replace("postgres_", "leadbaton_")
        assert url.password == (secrets / role).read_text()
    assert (settings.secret_key is not None) == ("leadbaton_secret_key" in service["secrets"])


def test_only_who_encrypts_or_signs_has_the_key() -> None:
    keyed = {
        name for name, it in SERVICES.items() if "leadbaton_secret_key" in it.get("secrets", ())
    }
    assert keyed == {"console", "routing-api", "routing-delivery", "cli"}


def test_each_service_has_an_own_role_and_migrate_alone_the_owners() -> None:
    roles = {
        name: make_url(it["environment"]["LEADBATON_DATABASE_URL"]).username
        for name, it in OURS.items()
        if name != "console"
    }
    assert roles == {
        **{it.name: f"leadbaton_{it.command[0]}" for it in PROCESSES if it.name != "console"},
        "migrate": "leadbaton_owner",
        "cli": "leadbaton_ops",
    }
    assert set(roles.values()) - {"leadbaton_owner"} == set(SCHEMAS)


def test_secrets_are_files_that_the_script_makes_readable_in_containers(
    secrets: Path,
) -> None:
    files = {
        name: secrets / Path(it["file"]).relative_to("secrets")
        for name, it in COMPOSE["secrets"].items()
    }
    assert {it.name for it in secrets.iterdir()} == set(files)
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {it.stat().st_mode & 0o777 for it in files.values()} == {0o444}
    mounted = {secret for it in SERVICES.values() for secret in it.get("secrets", ())}
    assert mounted == set(files)
    before = {name: it.read_text() for name, it in files.items()}
    assert len(set(before.values())) == len(before)
    made_secrets(secrets.parent)
    assert {name: it.read_text() for name, it in files.items()} == before


def test_no_secret_stands_in_the_environment_of_a_container() -> None:
    for name, service in SERVICES.items():
        for key in service.get("environment", ()):
            secret = re.search(r"PASSWORD|PASS\b|SECRET|KEY", key)
            assert secret is None or key.endswith("_FILE"), f"{name}: {key}"


@pytest.mark.parametrize("process", PROCESSES, ids=lambda it: it.name)
def test_health_is_asked_where_the_process_answers(process: Any) -> None:
    check = SERVICES[process.name]["healthcheck"]["test"]
    assert f"127.0.0.1:{process.port or PROBE_PORT}{process.health}'" in check[-1]


@pytest.mark.parametrize("process", [it for it in PROCESSES if it.port], ids=lambda it: it.name)
def test_apis_are_published_on_loopback_only(process: Any) -> None:
    assert SERVICES[process.name]["ports"] == [f"127.0.0.1:{process.port}:{process.port}"]
    assert SERVICES[process.name]["environment"]["LEADBATON_HOST"] == "0.0.0.0"  # noqa: S104 — inside the container


@pytest.mark.parametrize("name", [*OURS, *EXPORTERS, "prometheus", "grafana"])
def test_containers_may_do_nothing_that_they_need_not(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in ("0", "root")


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_bounded_and_gains_nothing(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["read_only"]
    assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}
    assert re.search(r":v?[0-9]|:local$", service["image"]), "an image of any version"
    assert all(published.startswith("127.0.0.1:") for published in service.get("ports", ()))


def test_what_is_mounted_is_there_and_read_only() -> None:
    volumes = [volume for it in SERVICES.values() for volume in it.get("volumes", ())]
    for volume in volumes:
        source, _, *mode = volume.split(":")
        if source[0] == ".":
            assert (ROOT / source).is_dir(), volume
            assert mode == ["ro"]
    names = {volume.split(":")[0] for volume in volumes if volume[0] != "."}
    assert names == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", [it for it in SERVICES if it not in EXTRAS])
def test_every_container_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_the_first_step_is_documented_where_one_looks() -> None:
    assert demanded((ROOT / "docker-compose.yml").read_text()) == set()
    for path in ("docker-compose.yml", "README.md", "docs/operations.md"):
        assert "deploy/secrets.sh" in (ROOT / path).read_text(), path


@pytest.mark.parametrize("name", SERVICES)
def test_only_who_must_be_reached_or_reach_out_is_on_the_outer_network(name: str) -> None:
    outside = {it.name for it in PROCESSES if it.port}
    outside |= {"routing-delivery", "prometheus", "grafana"}
    assert ("outside" in SERVICES[name]["networks"]) == (name in outside)
    internal = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert internal == {"data", "metrics", "view"}


def test_the_console_reaches_the_apis_by_their_names() -> None:
    console = SERVICES["console"]["environment"]
    apis = {it.command[0]: it for it in PROCESSES if it.command[1:] == ("api",)}
    for process in (apis[name] for name in ASKED_BY_CONSOLE):
        url = console[f"LEADBATON_{process.command[0].upper()}_URL"]
        assert url == f"http://{process.name}:{process.port}"
        assert set(SERVICES[process.name]["networks"]) & set(SERVICES["console"]["networks"])


@pytest.mark.parametrize("name", ["console", "prometheus", "grafana", "disk-exporter"])
def test_who_only_looks_reaches_neither_kafka_nor_postgresql(name: str) -> None:
    servers = {it for server in ("kafka", "postgres") for it in SERVICES[server]["networks"]}
    assert servers == {"data"}
    assert "data" not in SERVICES[name]["networks"]


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
