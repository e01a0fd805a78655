"""Builds the APIs for their descriptions; nothing connects to a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from services.alignment import main as alignment
from services.routing import main as routing
from services.scoring import main as scoring
from services.sla_monitor import main as sla
from shared.contracts.topic import Outgoing
from shared.db.session import engine_for, sessions_on


def apis() -> dict[str, Callable[[], FastAPI]]:
    """How each service's API is built, by the service's name."""
    sessions = sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nowhere"))
    return {
        "scoring": lambda: scoring.build_api(sessions, publisher=_Nowhere()),
        "routing": lambda: routing.build_api(sessions),
        "sla": lambda: sla.build_api(sessions),
        "alignment": lambda: alignment.build_api(sessions),
    }


class _Nowhere:
    """A publisher for an API that is only described, and never called."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Never called."""
