"""The check of `leadbaton doctor` on conditions of the agreement that could not be evaluated lately."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from shared.agreement import condition_failures
from shared.agreement.condition_failures import ConditionFailure
from shared.process.findings import Finding, fine

WINDOW = timedelta(days=1)
MAX_SHOWN = 5


def conditions(session: Session, now: datetime) -> Finding:
    """Rules that counted as false because they failed. Any sender can cause that, so the finding is never `wrong`."""
    failed = condition_failures.failed_since(session, now - WINDOW)
    if not failed:
        return fine("conditions", "none failed in the last day")
    failures = "; ".join(_describe(failure, now) for failure in failed[:MAX_SHOWN])
    more = f"; and {len(failed) - MAX_SHOWN} more" if len(failed) > MAX_SHOWN else ""
    remedy = (
        "they counted as false; docs/troubleshooting.md, `conditions`, says what each cause means"
    )
    return Finding("conditions", ok=None, detail=failures + more, remedy=remedy)


def _describe(failed: ConditionFailure, now: datetime) -> str:
    age_s = max(0.0, (now - failed.last_at).total_seconds())
    return (
        f"{failed.rule} failed {failed.failures} times in {failed.group} ({failed.cause}), "
        f"last {age_s:.0f} s ago"
    )
