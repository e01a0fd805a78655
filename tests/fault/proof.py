"""What every fault has in common: a stream under way, somebody who hurts it, and the books compared afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import pytest

from tests.fault.books import Books, Person, books, settled
from tests.fault.pulse import Pulse, feeling
from tests.fault.sending import Sending, sending
from tests.fault.stream import PEOPLE, SEED, Stream
from tests.fault.table import Line
from tests.journey.world import World, until

TOLERANCE = 1e-9


@dataclass
class Harm:
    """One fault while it is done."""

    world: World
    stream: Stream
    sending: Sending
    pulse: Pulse
    chance: Random
    times: int = 0
    recover_s: list[float] = field(default_factory=list)

    def flowing(self) -> None:
        """Wait until more of the stream is on its way."""
        aim = self.sending.accepted + self.chance.uniform(50, 150)
        until(lambda: self.sending.accepted >= aim, within_s=60, why="the stream flows")
        self.back(time.monotonic())

    def back(self, since: float) -> float:
        """Wait until the ledger grows again; how long after `since` that was."""
        return self.pulse.back_after_s(since)

    def done(self, since: float) -> None:
        """The fault was done once, and the harm was over at `since`: note how long the system takes."""
        self.times += 1
        self.recover_s.append(self.back(since))


@dataclass
class Proof:
    """The installation that suffers all faults, and the books of its quiet run."""

    world: World
    began: datetime
    quiet: Books
    lines: list[Line]
    where: str = ""
    """What the table says of the installation."""

    @contextmanager
    def hurting(
        self,
        fault: str,
        tag: str,
        *,
        limit_s: float | None = None,
        expect: Callable[[Harm], None] = lambda _: None,
    ) -> Iterator[Harm]:
        """A stream for the block to hurt; after it, nothing may be lost, doubled or different.

        The table says whether `limit_s` was held. `expect` is called when everything is sent, before the books are
        read.
        """
        print(f"seed {SEED}")
        began_s = time.monotonic()
        stream = Stream(tag, self.began)
        with feeling(self.world) as pulse:
            with sending(self.world, stream) as sent:
                harm = Harm(self.world, stream, sent, pulse, Random(f"{SEED}/{tag}"))
                yield harm
                hurt_s = time.monotonic() - began_s
            sent_s = time.monotonic() - began_s
            expect(harm)
            settled(self.world, stream)
        settled_s = time.monotonic() - began_s
        print(
            f"{len(stream.ids())} events: hurt {hurt_s:.1f} s, sent {sent_s:.1f} s, settled {settled_s:.1f} s"
        )
        result = books(self.world, stream)
        loss, pause = (result.lost, result.doubled), pulse.longest_pause_s()
        line = Line(fault + self.where, harm.times, *loss, pause, harm.recover_s, limit_s)
        self.lines.append(line)
        assert loss == (0, 0), line
        assert result.people.keys() == set(stream.people())
        assert unlike(result.people, self.quiet.people) == {}


def unlike(some: Mapping[int, Person], others: Mapping[int, Person]) -> dict[int, object]:
    """The people of whom something else became than of those who did the same."""
    return {
        number: (it, others[number % PEOPLE])
        for number, it in some.items()
        if not _same(it, others[number % PEOPLE])
    }


def _same(person: Person, reference: Person) -> bool:
    numbers = (reference.fit, reference.engagement)
    equal = (person.fit, person.engagement) == pytest.approx(numbers, rel=0, abs=TOLERANCE)
    return bool(equal) and _facts(person) == _facts(reference)


def _facts(person: Person) -> tuple[object, ...]:
    return (person.events, person.counted, person.stage, person.qualifications, person.tiers)
