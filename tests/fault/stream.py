"""A deterministic stream of what people do: the same for every run with the same seed, but for the run's tag."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from tests.journey.world import Json

SEED = int(os.environ.get("LEADBATON_FAULT_SEED", "20261122"))
EVENTS = int(os.environ.get("LEADBATON_FAULT_EVENTS", "3000"))
"""20,000 at full size, as `make fault` says; by default the shorter cut that CI runs."""
FULL = EVENTS >= 20_000
STEPS = 10
"""Events of each person."""
SENDERS = 4
"""Platforms that send at once, each with a key, a source and people of its own."""
CHUNK = 25
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
    *(Kind.ASKS, Kind.ASKS, Kind.BUYS, Kind.BUYS, Kind.BUYS),
    *(Kind.STRANGER, Kind.WAITS, Kind.LOOKS, Kind.LOOKS, Kind.LOOKS),
)
COUNTRY = {Kind.ASKS: "AT", Kind.BUYS: "DE", Kind.STRANGER: "DE", Kind.WAITS: "LI"}
WEBINAR = "webinar_registered"


@dataclass(frozen=True)
class Stream:
    """The stream of one run. `began` is the same for all runs, so that their scores are comparable."""

    tag: str
    began: datetime
    events: int = EVENTS

    @property
    def people(self) -> int:
        """How many there are in it."""
        return self.events // STEPS

    def email(self, person: int) -> str:
        """Who this is."""
        return f"{self.tag}-{person}@stream.example.com"

    def ids(self) -> set[str]:
        """Every event's id."""
        return {self._id(person, step) for person in range(self.people) for step in range(STEPS)}

    def qualified(self) -> int:
        """How many of them cross the line, each once."""
        return sum(KINDS[person % 10] is not Kind.LOOKS for person in range(self.people))

    def chunks(self, sender: int) -> list[list[Json]]:
        """What this sender posts, one request each: people come and go, each in their own order."""
        chance = Random(f"{SEED}/{sender}")
        turns: list[tuple[float, int, int]] = []
        for person in range(sender, self.people, SENDERS):
            arrives = chance.uniform(0, 0.85)
            turns += [(arrives + 0.15 * step / STEPS, person, step) for step in range(STEPS)]
        turns.sort()
        events = [self._event(person, step) for _, person, step in turns]
        once = [events[at : at + CHUNK] for at in range(0, len(events), CHUNK)]
        return [
            chunk for it in once for chunk in ([it, it] if chance.random() < SENT_TWICE else [it])
        ]

    def _event(self, person: int, step: int) -> Json:
        kind = KINDS[person % 10]
        chance = Random(f"{SEED}/{person}/{step}")
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
