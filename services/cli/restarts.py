"""What `leadbaton doctor` says of the processes of `leadbaton up`: which of them ended by themselves lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from services.cli.findings import Finding, fine, wrong
from shared.embedded.exits import endings_in

LATELY = timedelta(minutes=10)
MAX_ENDED = 2
"""A process that ended more often than this in so short a time does not recover by being started again."""


def restarts(data: Path, now: datetime) -> Finding:
    """Processes that ended and were started again; a single end is worth a look, and no fault."""
    since = now - LATELY
    ended = {
        name: sum(at >= since for at in times) for name, times in endings_in(data).all().items()
    }
    often = {name: count for name, count in sorted(ended.items()) if count}
    if not often:
        return fine("processes", "none ended by itself in the last 10 minutes")
    summary = "; ".join(
        f"{name} ended {count} {'time' if count == 1 else 'times'} in the last 10 minutes; "
        f"its log: {data / 'logs' / name}.log"
        for name, count in often.items()
    )
    mend = "the end of the log says why; docs/troubleshooting.md, `processes`"
    if max(often.values()) > MAX_ENDED:
        return wrong("processes", summary, mend)
    return Finding("processes", ok=None, found=summary, mend=mend)
