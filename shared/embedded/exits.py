"""A file with the times at which processes of an installation ended by themselves; `leadbaton doctor` reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

MAX_EXITS = 100
"""The number of exits kept for each process, the latest ones."""


@dataclass(frozen=True, slots=True)
class ProcessExits:
    """The file. One supervisor writes it, and replaces it as a whole, so that readers never see a part of it."""

    file: Path

    def add(self, process: str, exited_at: datetime) -> None:
        """Add an exit of the process. An exit that cannot be written, as on a full disk, is lost without an error."""
        exits = {name: [it.isoformat() for it in times] for name, times in self.all().items()}
        exits[process] = [*exits.get(process, []), exited_at.isoformat()][-MAX_EXITS:]
        new = self.file.with_suffix(".new")
        with suppress(OSError):
            new.touch(mode=0o600)
            new.write_bytes(orjson.dumps(exits))
            new.replace(self.file)

    def all(self) -> Mapping[str, Sequence[datetime]]:
        """The exits of each process, oldest first; none where the file is missing or cannot be read."""
        try:
            exits = orjson.loads(self.file.read_bytes())
            return {
                name: [datetime.fromisoformat(it) for it in times] for name, times in exits.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def exits_in(data: Path) -> ProcessExits:
    """The exits of the installation in this directory."""
    return ProcessExits(data / "processes.json")
