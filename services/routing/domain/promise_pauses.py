"""The pauses of a promise, from the steps of its handoff: promises that are paused are due later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.routing.domain.answers import PastStep
from shared.agreement.model import PauseReason, Policy
from shared.calendar.pauses import Pause, PauseReport, ended, pauses_of
from shared.contracts.payloads import Change, Scope


def promise_pauses(
    steps: Sequence[PastStep], policy: Policy, reasons: Sequence[PauseReason], *, hop: int
) -> list[Pause]:
    """The pauses of a promise of this hop, or of its journey, in order; each is over with its own hop."""
    pausing = {it.id for it in reasons if policy.kind in it.kinds}
    hops = {hop} if policy.scope is Scope.HOP else {it.hop for it in steps}
    return [pause for number in sorted(hops) for pause in _hop_pauses(steps, number, pausing)]


def _hop_pauses(steps: Sequence[PastStep], hop: int, reasons: set[str]) -> list[Pause]:
    ends = [it for it in steps if it.hop > hop or (it.hop == hop and _ends_hop(it))]
    end = min(ends, key=lambda it: it.occurred_at, default=None)
    pauses = pauses_of(_reports(steps, hop, reasons))
    return pauses if end is None else ended(pauses, end.occurred_at, end.change)


def _ends_hop(step: PastStep) -> bool:
    return step.rep is None or step.change in (Change.WON, Change.LOST)


def _reports(steps: Sequence[PastStep], hop: int, reasons: set[str]) -> Iterator[PauseReport]:
    for step in steps:
        reason = step.details.get("reason", "")
        is_pause = step.change is Change.PAUSED and reason in reasons
        if step.hop == hop and (is_pause or step.change is Change.RESUMED):
            resumes_at = step.details.get("resumes_at")
            yield PauseReport(step.occurred_at, step.change, reason, resumes_at, step.actor)
