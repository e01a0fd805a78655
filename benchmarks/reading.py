"""How far a group of readers has come in a topic, as its own transactions say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.installed import until

PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A group and a topic that it reads."""

    database: psycopg.Connection[Any]
    group: str
    topic: str

    def done(self) -> int:
        """Records whose effects are committed."""
        row = self.database.execute(
            "select coalesce(sum(next_offset), 0)::bigint from messaging.offsets"
            " where consumer_group = %s and topic = %s",
            (self.group, self.topic),
        ).fetchone()
        return int(row[0]) if row else 0

    def reached(self, wanted: int) -> int:
        """How many are done, as soon as so many are."""
        until(
            lambda: self.done() >= wanted,
            f"{self.group} did not do {wanted} records of {self.topic}",
            within_s=PATIENCE_S,
        )
        return self.done()
