"""docker-compose.yml as compose would read it, and as it runs on this machine without Docker."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: it for name, it in SERVICES.items() if it["image"] == "leadbaton:local"}
PROBE_PORT = 9000

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?(?::\?[^}]*)?\}")


def filled(value: str, exported: Mapping[str, str]) -> str:
    """The value with its variables put in, as compose does it."""
    return _VARIABLE.sub(lambda it: exported.get(it[1]) or it[2] or "", value)


def demanded(text: str) -> set[str]:
    """The variables without which compose does not start."""
    return set(re.findall(r"\$\{(\w+):\?", text))


@dataclass(frozen=True)
class Ports:
    """What stands here for the containers' addresses."""

    postgres: int
    kafka: int
    port: int
    """Where the process answers instead of the port that its container has for itself."""


@dataclass(frozen=True)
class Local:
    """A service of ours as it runs here."""

    command: list[str]
    environment: dict[str, str]
    health: list[str]
    grace_s: float


def made_secrets(checkout: Path) -> Path:
    """The folder of secrets beside docker-compose.yml, made by the script in this checkout of it."""
    (checkout / "deploy").mkdir(exist_ok=True)
    shutil.copy(ROOT / "deploy" / "secrets.sh", checkout / "deploy")
    subprocess.run(["bash", checkout / "deploy" / "secrets.sh"], check=True, capture_output=True)
    return checkout / "secrets"


def local(name: str, secrets: Path, ports: Ports, commands: Mapping[str, str]) -> Local:
    """The service as compose describes it, with only addresses and the programs' paths replaced."""
    service = OURS[name]
    own_port = next((int(it.split(":")[-1]) for it in service.get("ports", ())), PROBE_PORT)
    addresses = {
        "postgres:5432": f"127.0.0.1:{ports.postgres}",
        "kafka:9092": f"127.0.0.1:{ports.kafka}",
        "/run/secrets": str(secrets),
    }
    environment = {key: filled(value, {}) for key, value in service["environment"].items()}
    for inside, outside in addresses.items():
        environment = {key: value.replace(inside, outside) for key, value in environment.items()}
    port = "LEADBATON_PROBE_PORT" if own_port == PROBE_PORT else "LEADBATON_PORT"
    kind, program, *arguments = service.get("healthcheck", {"test": ["CMD", "python"]})["test"]
    assert kind == "CMD"
    arguments = [it.replace(f":{own_port}/", f":{ports.port}/") for it in arguments]
    return Local(
        [commands[service["command"][0]], *service["command"][1:]],
        {**environment, port: str(ports.port)},
        [commands[program], *arguments],
        float(service["stop_grace_period"].removesuffix("s")),
    )


def kafka_properties(port: int, controller: int, logs: Path) -> str:
    """server.properties as the image makes it of the container's variables: KAFKA_NODE_ID is node.id."""
    properties = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): str(value)
        for name, value in SERVICES["kafka"]["environment"].items()
        if name.startswith("KAFKA_")
    }
    replacements = {"/var/lib/kafka/data": str(logs), "kafka:": "127.0.0.1:", "//:": "//127.0.0.1:"}
    replacements |= {":9092": f":{port}", ":9093": f":{controller}"}
    for inside, outside in replacements.items():
        properties = {name: value.replace(inside, outside) for name, value in properties.items()}
    return "".join(f"{name}={value}\n" for name, value in properties.items())
