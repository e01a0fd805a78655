"""The check of `leadbaton doctor` on processes of `leadbaton up` that ended by themselves lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from shared.embedded.exits import exits_in
from shared.process.findings import Finding, fine, wrong

WINDOW = timedelta(minutes=10)
MAX_ENDED = 2
"""A process that ended more often than this within WINDOW does not recover by being started again."""


def restarts(data: Path, now: datetime) -> Finding:
    """The processes that ended and were started again: wrong only if one ended more often than MAX_ENDED."""
    since = now - WINDOW
    ends = {name: sum(at >= since for at in times) for name, times in exits_in(data).all().items()}
    counts = {name: count for name, count in sorted(ends.items()) if count}
    if not counts:
        return fine("processes", "none ended by itself in the last 10 minutes")
    summary = "; ".join(
        f"{name} ended {count} {'time' if count == 1 else 'times'} in the last 10 minutes; "
        f"its log: {data / 'logs' / name}.log"
        for name, count in counts.items()
    )
    remedy = "the end of the log says why; docs/troubleshooting.md, `processes`"
    if max(counts.values()) > MAX_ENDED:
        return wrong("processes", summary, remedy)
    return Finding("processes", ok=None, detail=summary, remedy=remedy)
