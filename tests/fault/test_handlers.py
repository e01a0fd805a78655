"""A bug in a handler: for one record, for all of a type, for everything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest
from sqlalchemy import text

from services.cli.processes import SCORING_WORKER
from shared.embedded.supervisor import Program
from shared.messaging.batch import DEAD_LETTER_LIMIT
from shared.messaging.consumer import EXIT_SOFTWARE
from tests.fault.audit import reading
from tests.fault.failing import is_bad
from tests.fault.processes import instead, without
from tests.fault.proof import Disturbance, Proof
from tests.fault.stream import Stream
from tests.journey.world import World, until

HANG_S = 600.0
"""After this a test that waits is taken to hang: isolating 200 records took 30 s to 3 minutes, by the machine."""

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]


def failing(world: World, mode: str) -> Program:
    """The program of a scoring worker with a bug."""
    argv = (sys.executable, "-m", "tests.fault.failing", mode)
    return replace(world.installation.program(SCORING_WORKER), argv=argv)


def bad_records(stream: Stream) -> set[str]:
    return {id for id in stream.ids() if is_bad(id)}


def webinars(stream: Stream) -> set[str]:
    return {f"{stream.tag}/{it}/3" for it in stream.people() if it % 10 == 9}


@pytest.mark.parametrize(
    ("mode", "fault", "bad"),
    [
        ("record", "a handler fails for single records", bad_records),
        ("type", "a handler fails for a type", webinars),
    ],
)
def test_only_records_that_fail_become_dead_letters_and_are_replayed_once_the_bug_is_fixed(
    proof: Proof, mode: str, fault: str, bad: Callable[[Stream], set[str]]
) -> None:
    bug = ExitStack()

    def fix_and_replay(disturbance: Disturbance) -> None:
        expected = bad(disturbance.stream)
        until(
            lambda: _dead_letters(disturbance.world) >= len(expected),
            within_s=HANG_S,
            why="dead letters",
        )
        until(
            lambda: _stored_ids(disturbance) == disturbance.stream.ids() - expected, within_s=HANG_S
        )
        disturbance.times = len(expected)
        bug.close()
        began = time.monotonic()
        disturbance.world.installation.command("dead", "replay", "--all")
        until(
            lambda: _stored_ids(disturbance) == disturbance.stream.ids(),
            within_s=HANG_S,
            why="replayed",
        )
        disturbance.recover_s.append(time.monotonic() - began)

    with bug:
        bug.enter_context(instead(proof.world, SCORING_WORKER, failing(proof.world, mode)))
        with proof.disturb(fault, f"bug-{mode}", expect=fix_and_replay):
            pass


def test_a_worker_that_fails_for_every_record_exits_after_a_few_dead_letters(
    proof: Proof,
) -> None:
    with proof.disturb("a handler fails for everything", "bug-all") as disturbance:
        disturbance.wait_for_flow()
        with without(disturbance.world, SCORING_WORKER):
            bad = failing(disturbance.world, "everything")
            done = subprocess.run(
                bad.argv, env={**os.environ, **bad.environment}, timeout=60, check=False
            )
        ended_s = time.monotonic()
        assert done.returncode == EXIT_SOFTWARE
        assert _dead_letters(disturbance.world) < DEAD_LETTER_LIMIT
        disturbance.world.installation.command("dead", "replay", "--all")
        disturbance.recovered(ended_s)


def _dead_letters(world: World) -> int:
    statement = text("select count(*) from messaging.dead_letters where replayed_at is null")
    with reading(world) as sessions, sessions() as session:
        return session.scalar(statement) or 0


def _stored_ids(disturbance: Disturbance) -> set[str]:
    statement = text("select id from scoring.events where id like :events")
    with reading(disturbance.world) as sessions, sessions() as session:
        return set(session.scalars(statement, {"events": f"{disturbance.stream.tag}/%"}))
