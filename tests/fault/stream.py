"""A deterministic stream of what people do: the same for every run with the same seed, but for the run's tag."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from tests.journey.world import Json

SEED = int(os.environ.get("LEADBATON_FAULT_SEED", "20261122"))
EVENTS = int(os.environ.get("LEADBATON_FAULT_EVENTS", "1000"))
"""In each stream at least: 20,000 at full size, as `make fault` says; by default the shorter cut that CI runs."""
FULL = EVENTS >= 20_000
STEPS = 10
"""Events of each person."""
PEOPLE = EVENTS // STEPS
SENDERS = 4
"""Platforms that send at once, each with a key, a source and people of its own."""
SENT_TWICE = 0.05
"""How much a platform sends again although it was accepted, as if the answer had been lost."""


class Kind(StrEnum):
    """What somebody is up to."""

    ASKS = "asks"
    BUYS = "buys"
    STRANGER = "stranger"
    WAITS = "waits"
    LOOKS = "looks"


KINDS = (
    *(Kind.ASKS, Kind.BUYS, Kind.BUYS, Kind.STRANGER, Kind.WAITS),
    *(Kind.LOOKS, Kind.LOOKS, Kind.LOOKS, Kind.LOOKS, Kind.LOOKS),
)
COUNTRY = {Kind.ASKS: "AT", Kind.BUYS: "DE", Kind.STRANGER: "DE", Kind.WAITS: "LI"}
WEBINAR = "webinar_registered"


@dataclass
class Stream:
    """The stream of one run, as long as it is needed: a person comes in each turn of a sender and stays for ten.

    Who comes when PEOPLE have come does what person `number % PEOPLE` did. `began` is the same for all runs, so
    that their scores are comparable.
    """

    tag: str
    began: datetime
    came: list[int] = field(default_factory=lambda: [0] * SENDERS)
    """How many people of each sender."""

    def email(self, person: int) -> str:
        """Who this is."""
        return f"{self.tag}-{person}@stream.example.com"

    def people(self) -> list[int]:
        """Everybody who came."""
        return [
            at * SENDERS + sender for sender, came in enumerate(self.came) for at in range(came)
        ]

    def ids(self) -> set[str]:
        """Every event's id."""
        return {self._id(person, step) for person in self.people() for step in range(STEPS)}

    def qualified(self) -> int:
        """How many of them cross the line, each once."""
        return sum(KINDS[person % 10] is not Kind.LOOKS for person in self.people())

    def turn(self, sender: int, number: int) -> list[Json]:
        """What everybody of this sender does in this turn: a step each, later than their last one."""
        steps = [(number - step, step) for step in range(STEPS)]
        chance = Random(f"{SEED}/{sender}/{number}")
        chance.shuffle(steps)
        return [
            self._event(at * SENDERS + sender, step)
            for at, step in steps
            if 0 <= at < self.came[sender]
        ]

    def _event(self, person: int, step: int) -> Json:
        kind = KINDS[person % 10]
        chance = Random(f"{SEED}/{person % PEOPLE}/{step}")
        at = self.began - timedelta(hours=1, seconds=-3 * step - chance.random())
        return {
            "id": self._id(person, step),
            "time": at.isoformat(),
            "lead": self._who(person, kind, step),
            "traits": {
                "employees": 500 if kind is Kind.BUYS else 5,
                "country": COUNTRY.get(kind, "CH"),
            },
            **_what(kind, person, step),
        }

    def _who(self, person: int, kind: Kind, step: int) -> dict[str, str]:
        email, anonymous = {"email": self.email(person)}, {"anonymous_id": f"{self.tag}/{person}"}
        if kind is not Kind.STRANGER or step > 5:
            return email
        return anonymous if step < 5 else {**email, **anonymous}

    def _id(self, person: int, step: int) -> str:
        return f"{self.tag}/{person}/{step}"


def _what(kind: Kind, person: int, step: int) -> dict[str, Any]:
    if step == 7 and kind in {Kind.ASKS, Kind.STRANGER, Kind.WAITS}:
        return {"type": "demo_requested"}
    if step == 3 and person % 10 == 9:
        return {"type": WEBINAR}
    looks = kind is Kind.BUYS and step % 2 == 0
    return {"type": "page_viewed", "properties": {"path": "/pricing" if looks else "/about"}}
