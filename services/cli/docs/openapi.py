"""The three APIs, built for their description only: nothing is connected, nothing is called."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from services.routing import main as routing
from services.sla_monitor import main as sla
from shared.db.session import engine_for, sessions_on


def apis() -> dict[str, Callable[[], FastAPI]]:
    """How each service's API is built, by the service's name."""
    sessions = sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nowhere"))
    return {
        "routing": lambda: routing.build_api(sessions),
        "sla": lambda: sla.build_api(sessions),
    }
