"""Where the demonstration plays: the APIs, the keys, and what it must remember for its next start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import yaml

from services.demo.receiver import AT_ONCE, HABITS, PORT, Habit, Rep
from shared.db.session import Sessions


@dataclass(frozen=True, slots=True)
class Scene:
    """The running installation, as the demonstration sees it from outside."""

    scoring: str
    routing: str
    sla: str
    keys: Mapping[str, str]
    sessions: Sessions


@dataclass(slots=True)
class Memory:
    """What one start leaves for the next: keys and secrets are shown once, so they must be kept."""

    file: Path
    keys: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    @classmethod
    def at(cls, file: Path) -> Memory:
        """What was kept there, or nothing."""
        return cls(file, **orjson.loads(file.read_bytes())) if file.exists() else cls(file)

    def keep(self) -> None:
        """Write it where only its owner may read it."""
        self.file.touch(mode=0o600)
        kept = {"keys": self.keys, "secrets": self.secrets, "runs": self.runs}
        self.file.write_bytes(orjson.dumps(kept))


@dataclass(frozen=True, slots=True)
class Cast:
    """The reps of a file, as the receiver plays them: the first answers at once, the second late, the third never."""

    source: str
    port: int
    endpoints: dict[str, str]
    """An endpoint's id by the path of its URL."""
    habits: dict[str, Habit]
    """By the rep's id."""

    @classmethod
    def of(cls, source: str, *, port: int) -> Cast:
        """The file's reps with their endpoints on `port`."""
        moved = source.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}")
        said = yaml.safe_load(moved)
        reps = [it["id"] for it in said["reps"]]
        return cls(
            source=moved,
            port=port,
            endpoints={urlsplit(url).path: id for id, url in _endpoints(said)},
            habits={
                rep: HABITS[at] if at < len(HABITS) else AT_ONCE for at, rep in enumerate(reps)
            },
        )

    def secrets(self, known: Mapping[str, str]) -> dict[str, str]:
        """The secrets by path, as the receiver needs them."""
        return {path: known[id] for path, id in self.endpoints.items() if id in known}

    def reps(self, keys: Mapping[str, str]) -> dict[str, Rep]:
        """The reps with their keys."""
        return {id: Rep(id, habit, keys[id]) for id, habit in self.habits.items()}


def _endpoints(said: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for rep in said["reps"]:
        yield f"rep/{rep['id']}", rep["endpoint"]["url"]
    for team in said.get("teams", []):
        if "fallback" in team:
            yield f"team/{team['id']}", team["fallback"]["url"]
    if "ops" in said:
        yield "ops", said["ops"]["url"]
