"""What a demonstration needs: access to the installation, its reps, and the state that it keeps between starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import yaml

from services.demo.receiver import AT_ONCE, HABITS, PORT, Habit, Rep
from shared.auth.keys import KeyScope
from shared.auth.sign_in import create_link
from shared.clock import utc_now
from shared.db.session import Sessions


@dataclass(frozen=True, slots=True)
class Access:
    """The URLs of the APIs, the API keys, and sessions on the database of the running installation."""

    scoring: str
    routing: str
    sla: str
    alignment: str
    keys: Mapping[str, str]
    sessions: Sessions
    console: str

    def console_link(self) -> str:
        """A link that opens the console, signed in as ops, once within five minutes."""
        with self.sessions.begin() as session:
            token = create_link(session, scope=KeyScope.OPS, subject="demo", now=utc_now())
        return f"{self.console}/sign-in?token={token}"


@dataclass(slots=True)
class DemoState:
    """What is kept between starts: keys and webhook secrets, which are shown once, and the number of starts."""

    file: Path
    keys: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    @classmethod
    def at(cls, file: Path) -> DemoState:
        """The state that the file holds, or an empty one."""
        return cls(file, **orjson.loads(file.read_bytes())) if file.exists() else cls(file)

    def keep(self) -> None:
        """Write the file, readable by its owner only."""
        self.file.touch(mode=0o600)
        kept = {"keys": self.keys, "secrets": self.secrets, "runs": self.runs}
        self.file.write_bytes(orjson.dumps(kept))


@dataclass(frozen=True, slots=True)
class DemoReps:
    """The reps of a file: the first answers at once, the second late, the third never."""

    source: str
    port: int
    endpoints: dict[str, str]
    """The id of each endpoint, by the path of its URL."""
    habits: dict[str, Habit]
    """The habit of each rep, by id."""

    @classmethod
    def of(cls, source: str, *, port: int) -> DemoReps:
        """The file's reps with their endpoints on `port`."""
        text = source.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}")
        roster = yaml.safe_load(text)
        reps = [rep["id"] for rep in roster["reps"]]
        return cls(
            source=text,
            port=port,
            endpoints={urlsplit(url).path: id for id, url in _endpoints(roster)},
            habits={
                rep: HABITS[at] if at < len(HABITS) else AT_ONCE for at, rep in enumerate(reps)
            },
        )

    def secrets(self, known: Mapping[str, str]) -> dict[str, str]:
        """The secrets that are known, by the path of the endpoint."""
        return {path: known[id] for path, id in self.endpoints.items() if id in known}

    def reps(self, keys: Mapping[str, str]) -> dict[str, Rep]:
        """The reps with their keys."""
        return {id: Rep(id, habit, keys[id]) for id, habit in self.habits.items()}


def _endpoints(roster: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for rep in roster["reps"]:
        yield f"rep/{rep['id']}", rep["endpoint"]["url"]
    for team in roster.get("teams", []):
        if "fallback" in team:
            yield f"team/{team['id']}", team["fallback"]["url"]
    for endpoint in ("ops", "marketing"):
        if endpoint in roster:
            yield endpoint, roster[endpoint]["url"]
