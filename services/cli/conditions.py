"""What `leadbaton doctor` says of the agreement's conditions: which of them could not be evaluated lately."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services.cli.findings import Finding, fine
from shared.db import condition_failures
from shared.db.condition_failures import Failed

LATELY = timedelta(days=1)
MAX_SHOWN = 5


def conditions(session: Session, now: datetime) -> Finding:
    """Rules that were false because they failed: no fault of the installation, as any sender can bring it about."""
    failed = condition_failures.failed_since(session, now - LATELY)
    if not failed:
        return fine("conditions", "none failed in the last day")
    shown = "; ".join(_in_words(it, now) for it in failed[:MAX_SHOWN])
    more = f"; and {len(failed) - MAX_SHOWN} more" if len(failed) > MAX_SHOWN else ""
    mend = (
        "they counted as false; docs/troubleshooting.md, `conditions`, says what each cause means"
    )
    return Finding("conditions", ok=None, found=shown + more, mend=mend)


def _in_words(it: Failed, now: datetime) -> str:
    age_s = max(0.0, (now - it.last_at).total_seconds())
    return (
        f"{it.rule} failed {it.failures} times in {it.group} ({it.cause}), last {age_s:.0f} s ago"
    )
