"""The worker is killed while the handoffs of a rep are re-routed."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import NamedTuple

import pytest

from services.cli.processes import ROUTING_API, ROUTING_WORKER
from shared.db.session import Sessions
from tests.fault.audit import reading
from tests.fault.handovers import (
    OF_LEADS,
    PATIENCE_S,
    check_changes,
    check_webhooks,
    kill,
    rows_of,
    send_requests,
    settle,
)
from tests.fault.proof import Disturbance, Proof
from tests.fault.stream import FULL
from tests.journey.world import Json, World, until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

REROUTED = 1_000 if FULL else 40
"""The handoffs of four reps; a transaction re-routes 200."""
LOSERS = ("jon", "kim", "lou")
"""The reps whose handoffs are re-routed, one after the other; Mel may get what all of them had."""
LATEST_KILL_S = 0.3
"""How long after a confirmation the worker is killed at the latest: it looks for re-routes each second."""


def test_killed_in_reroutes_every_handoff_changes_hands_once(proof: Proof) -> None:
    """No handoff comes back to a rep who lost it, and all others stay where they are."""
    emails = [f"{it}@reroutes.example.com" for it in range(REROUTED)]
    with (
        proof.disturb("kill -9 in re-routes", "rerouted") as disturbance,
        reading(disturbance.world) as sessions,
    ):
        disturbance.wait_for_flow()
        send_requests(disturbance.world, emails, country="IS")
        until(
            lambda: len(_holders(sessions, emails)) == REROUTED,
            within_s=PATIENCE_S,
            why="all are assigned",
            every_s=0.3,
        )
        for loser in LOSERS:
            before = _holders(sessions, emails)
            _reroute(disturbance, loser)
            after = _holders(sessions, emails)
            moved = {handoff for handoff, (rep, _) in before.items() if rep == loser}
            assert moved, loser
            assert {it: after[it] for it in after.keys() - moved} == {
                it: before[it] for it in before.keys() - moved
            }
            assert {it: after[it].hop for it in moved} == {it: before[it].hop + 1 for it in moved}
            assert loser not in {after[it].rep for it in moved}
        settle(sessions, emails, steps=0)
        check_changes(sessions, emails)
        check_webhooks(sessions, emails, disturbance.world.receiver)


def _reroute(disturbance: Disturbance, rep: str) -> None:
    """Re-route everything that the rep holds, and kill the worker meanwhile."""
    world = disturbance.world
    path = f"/v1/reroutes/{_order(world, '/v1/reroutes', {'rep': rep})['id']}"
    _order(world, f"{path}/confirm")
    Event().wait(disturbance.chance.uniform(0, LATEST_KILL_S))
    kill(disturbance, ROUTING_WORKER)
    until(
        lambda: world.get(ROUTING_API, path)["state"] == "done",
        within_s=PATIENCE_S,
        why=f"the re-route of {rep} is done",
        every_s=0.2,
    )


def _order(world: World, path: str, body: Json | None = None) -> Json:
    """What routing answers to this order of ops."""
    with world.client(ROUTING_API, "ops") as client:
        answer = client.post(path, json=body)
    assert answer.status_code < 300, answer.text
    return dict(answer.json())


class _Holder(NamedTuple):
    rep: str
    hop: int


def _holders(sessions: Sessions, emails: Sequence[str]) -> dict[str, _Holder]:
    """The rep and the hop of each handoff that a rep has."""
    statement = (
        f"select handoff.id, handoff.rep, handoff.hop {OF_LEADS} where handoff.rep is not null"
    )
    return {str(it.id): _Holder(it.rep, it.hop) for it in rows_of(sessions, statement, emails)}
