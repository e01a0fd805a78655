"""A stream of events that depends on the seed only, except for the tag of the run."""

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
"""The least number of events of a stream: 20,000 at full size (`make fault`), by default the shorter cut of CI."""
FULL = EVENTS >= 20_000
STEPS = 10
"""Events of each person."""
PEOPLE = EVENTS // STEPS
SENDERS = 4
"""The number of platforms that send at the same time, each with a key, a source and people of its own."""
SENT_TWICE = 0.05
"""The share of chunks that are sent again although they were accepted, as if the answer had been lost."""


class Kind(StrEnum):
    """The kinds of people, by what they do."""

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
    """The stream of one run, as long as it is needed.

    In each turn of a sender a person arrives, who does something in this turn and in the next nine. After PEOPLE
    arrivals, person `number` does what person `number % PEOPLE` did. `began` is the same for all runs, so that their
    scores are comparable.
    """

    tag: str
    began: datetime
    arrivals: list[int] = field(default_factory=lambda: [0] * SENDERS)
    """How many people of each sender have arrived."""

    def email(self, person: int) -> str:
        """The person's e-mail address."""
        return f"{self.tag}-{person}@stream.example.com"

    def people(self) -> list[int]:
        """The numbers of all people who have arrived."""
        return [
            arrival * SENDERS + sender
            for sender, arrivals in enumerate(self.arrivals)
            for arrival in range(arrivals)
        ]

    def ids(self) -> set[str]:
        """The ids of all events."""
        return {self._id(person, step) for person in self.people() for step in range(STEPS)}

    def qualified(self) -> int:
        """How many of the people qualify, each once."""
        return sum(KINDS[person % 10] is not Kind.LOOKS for person in self.people())

    def turn(self, sender: int, number: int) -> list[Json]:
        """The events of a sender's turn: one of each of its people, later than the last one of theirs."""
        steps = [(number - step, step) for step in range(STEPS)]
        chance = Random(f"{SEED}/{sender}/{number}")
        chance.shuffle(steps)
        return [
            self._event(arrival * SENDERS + sender, step)
            for arrival, step in steps
            if 0 <= arrival < self.arrivals[sender]
        ]

    def _event(self, person: int, step: int) -> Json:
        kind = KINDS[person % 10]
        chance = Random(f"{SEED}/{person % PEOPLE}/{step}")
        time = self.began - timedelta(hours=1, seconds=-3 * step - chance.random())
        return {
            "id": self._id(person, step),
            "time": time.isoformat(),
            "lead": self._identifiers(person, kind, step),
            "traits": {
                "employees": 500 if kind is Kind.BUYS else 5,
                "country": COUNTRY.get(kind, "CH"),
            },
            **_activity(kind, person, step),
        }

    def _identifiers(self, person: int, kind: Kind, step: int) -> dict[str, str]:
        email, anonymous = {"email": self.email(person)}, {"anonymous_id": f"{self.tag}/{person}"}
        if kind is not Kind.STRANGER or step > 5:
            return email
        return anonymous if step < 5 else {**email, **anonymous}

    def _id(self, person: int, step: int) -> str:
        return f"{self.tag}/{person}/{step}"


def _activity(kind: Kind, person: int, step: int) -> dict[str, Any]:
    if step == 7 and kind in {Kind.ASKS, Kind.STRANGER, Kind.WAITS}:
        return {"type": "demo_requested"}
    if step == 3 and person % 10 == 9:
        return {"type": WEBINAR}
    looks = kind is Kind.BUYS and step % 2 == 0
    return {"type": "page_viewed", "properties": {"path": "/pricing" if looks else "/about"}}
