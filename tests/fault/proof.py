"""The frame of a test of a fault: a stream, a disturbance while it is sent, and an audit afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import pytest

from tests.fault.audit import Audit, Person, audit, settled
from tests.fault.sending import Sending, sending
from tests.fault.stored_progress import StoredProgress, watching_progress
from tests.fault.stream import PEOPLE, SEED, Stream
from tests.fault.table import Line
from tests.journey.world import World, until

TOLERANCE = 1e-9


@dataclass
class Disturbance:
    """One fault, while it is caused."""

    world: World
    stream: Stream
    sending: Sending
    progress: StoredProgress
    chance: Random
    times: int = 0
    recover_s: list[float] = field(default_factory=list)
    limit_s: float | None = None
    """What the longest of these times should not exceed."""

    def wait_for_flow(self) -> None:
        """Wait until more of the stream is accepted."""
        aim = self.sending.accepted + self.chance.uniform(50, 150)
        until(lambda: self.sending.accepted >= aim, within_s=60, why="the stream flows")
        self.recovery_s(time.monotonic())

    def recovery_s(self, since: float) -> float:
        """Wait until an event is stored again; return how many seconds after `since` that was."""
        return self.progress.resumed_after_s(since)

    def recovered(self, since: float) -> None:
        """Count the fault, which was over at `since`, and note how long the system took to recover."""
        self.times += 1
        self.recover_s.append(self.recovery_s(since))


@dataclass
class Proof:
    """The installation that has all faults, and the audit of an undisturbed run."""

    world: World
    began: datetime
    undisturbed: Audit
    lines: list[Line]
    suffix: str = ""
    """The text about the installation that the table adds to the name of a fault."""

    @contextmanager
    def disturb(
        self,
        fault: str,
        tag: str,
        *,
        expect: Callable[[Disturbance], None] = lambda _: None,
    ) -> Iterator[Disturbance]:
        """Send a stream that the block disturbs, and check that nothing is lost, doubled or different.

        The table says whether the disturbance's `limit_s` was held. `expect` is called when everything is sent, before
        the results are read.
        """
        print(f"seed {SEED}")
        began_s = time.monotonic()
        stream = Stream(tag, self.began)
        with watching_progress(self.world) as progress:
            with sending(self.world, stream) as sent:
                chance = Random(f"{SEED}/{tag}")
                disturbance = Disturbance(self.world, stream, sent, progress, chance)
                yield disturbance
                disturbed_s = time.monotonic() - began_s
            sent_s = time.monotonic() - began_s
            expect(disturbance)
            settled(self.world, stream)
        settled_s = time.monotonic() - began_s
        print(f"disturbed {disturbed_s:.1f} s, sent {sent_s:.1f} s, settled {settled_s:.1f} s")
        result = audit(self.world, stream)
        loss, pause = (result.lost, result.doubled), progress.longest_pause_s()
        line = Line(
            fault + self.suffix,
            disturbance.times,
            *loss,
            pause,
            disturbance.recover_s,
            disturbance.limit_s,
        )
        self.lines.append(line)
        assert loss == (0, 0), line
        assert result.people.keys() == set(stream.people())
        assert differences(result.people, self.undisturbed.people) == {}


def differences(
    people: Mapping[int, Person], references: Mapping[int, Person]
) -> dict[int, object]:
    """The people whose results differ from those of the reference who did the same, with both results."""
    return {
        number: (it, references[number % PEOPLE])
        for number, it in people.items()
        if not _same(it, references[number % PEOPLE])
    }


def _same(person: Person, reference: Person) -> bool:
    numbers = (reference.fit, reference.engagement)
    equal = (person.fit, person.engagement) == pytest.approx(numbers, rel=0, abs=TOLERANCE)
    return bool(equal) and _facts(person) == _facts(reference)


def _facts(person: Person) -> tuple[object, ...]:
    return (person.events, person.counted, person.stage, person.qualifications, person.tiers)
