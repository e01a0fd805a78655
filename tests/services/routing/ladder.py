"""A handoff whose ladder takes steps, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select

from services.routing.handlers import Assigner, on_sla_changed, tick
from services.routing.tables import deliveries
from shared.contracts.payloads import ClockChange
from tests.builders import NOON, sla_changed, sla_message
from tests.services.routing.builders import (
    URL,
    entry,
    importing,
)
from tests.services.routing.client import ADA, RoutingClient

REPS = ("grace", "linus", "edsger", "barbara", "hedy")


class Ladder:
    """Ada's handoff, which Grace has, in a team of these reps."""

    def __init__(self, client: RoutingClient) -> None:
        self.client, self.sessions = client, client.sessions
        self.assigner, self.first = Assigner(URL), "grace"
        with self.sessions.begin() as session:
            importing(session, *(entry(it) for it in REPS))

    @property
    def handoff(self) -> Any:
        """The handoff as the API has it."""
        return self.client.get(f"/handoffs/{ADA}")

    def announce(self, *steps: str, **fields: Any) -> None:
        """Let steps arrive, each of another promise, against the rep who has it unless the fields say otherwise."""
        now = self.handoff
        of_hop = {"handoff_id": ADA, "hop": now["hop"], "rep": now["rep"], **fields}
        changes = [
            sla_changed(ClockChange.ESCALATED, step=it, policy=f"{it}_{of_hop['hop']}", **of_hop)
            for it in steps
        ]
        with self.sessions.begin() as session:
            on_sla_changed(
                session, [sla_message(it) for it in changes], NOON, assigner=self.assigner
            )

    def work(self) -> None:
        """Let the worker tick until it has no more to do."""
        while self._tick():
            pass

    def _tick(self) -> bool:
        with self.sessions.begin() as session:
            return tick(session, NOON, assigner=self.assigner)

    def outcomes(self) -> list[tuple[str, str | None]]:
        """The steps with what came of each."""
        return [(it["rep"], it["outcome"]) for it in self.handoff["escalations"]]

    def notices(self) -> list[tuple[str, str | None]]:
        """The endpoint of each notification of a broken promise, with what came of the step."""
        statement = select(deliveries.c.endpoint, deliveries.c.body).where(
            deliveries.c.type == "handoff.breached"
        )
        with self.sessions() as session:
            rows = session.execute(statement.order_by(deliveries.c.position)).all()
        return [
            (row.endpoint, orjson.loads(row.body)["data"]["breach"].get("outcome")) for row in rows
        ]
