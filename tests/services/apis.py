"""The APIs on one database, for tests of what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from fastapi import FastAPI
from pydantic import SecretStr

from services.alignment import main as alignment
from services.cli.docs.openapi import apis
from services.routing import main as routing
from services.scoring import main as scoring
from services.sla_monitor import main as sla
from shared.contracts.topic import Outgoing
from shared.db.session import Sessions
from tests.builders import NOON

SECRET_KEY = SecretStr("bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE=")
METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    """What an API's description says can be called."""

    api: str
    method: str
    path: str
    described: dict[str, Any]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Where each parameter stands (path or query), and its name."""
        return [(it["in"], it["name"]) for it in self.described.get("parameters", [])]


class Discarded:
    """Takes events and keeps none."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Say that they are published."""


def apis_on(sessions: Sessions, *, now: datetime = NOON) -> dict[str, FastAPI]:
    """Each API by its service's name."""
    return {
        "scoring": scoring.build_api(sessions, publisher=Discarded(), time_source=lambda: now),
        "routing": routing.build_api(sessions, time_source=lambda: now, secret_key=SECRET_KEY),
        "sla": sla.build_api(sessions, time_source=lambda: now),
        "alignment": alignment.build_api(sessions, time_source=lambda: now),
    }


@cache
def operations() -> list[Operation]:
    """Everything that the APIs describe."""
    return [
        Operation(name, method, path, item[method])
        for name, build in apis().items()
        for path, item in build().openapi()["paths"].items()
        for method in METHODS
        if method in item
    ]
