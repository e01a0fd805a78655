"""When processes of an installation ended by themselves, kept in a file that `leadbaton doctor` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

MAX_KEPT = 100
"""Of each process, the latest."""


@dataclass(frozen=True, slots=True)
class Endings:
    """The file. One supervisor writes it; it is replaced as a whole, so readers never see half of it."""

    file: Path

    def add(self, process: str, at: datetime) -> None:
        """Note one more; what cannot be written, as on a full disk, is lost, and nothing stops for it."""
        kept = {name: [it.isoformat() for it in times] for name, times in self.all().items()}
        kept[process] = [*kept.get(process, []), at.isoformat()][-MAX_KEPT:]
        new = self.file.with_suffix(".new")
        with suppress(OSError):
            new.touch(mode=0o600)
            new.write_bytes(orjson.dumps(kept))
            new.replace(self.file)

    def all(self) -> Mapping[str, Sequence[datetime]]:
        """When each process ended by itself, oldest first; nothing where there is no such file, or no readable one."""
        try:
            kept = orjson.loads(self.file.read_bytes())
            return {
                name: [datetime.fromisoformat(it) for it in times] for name, times in kept.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def endings_in(data: Path) -> Endings:
    """Those of the installation in this directory."""
    return Endings(data / "processes.json")
