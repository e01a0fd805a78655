"""The pauses of a clock: those of its hops for reasons that pause promises of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from services.sla_monitor.domain.histories import ScopedHistory, hop_history
from services.sla_monitor.domain.policy import SlaPolicy
from shared.calendar.pauses import Pause, PauseReport, ended, pauses_of
from shared.contracts.payloads import Change, HandoffChanged, Scope

_REPORTS = (Change.PAUSED, Change.RESUMED)


def clock_pauses(
    scoped_history: ScopedHistory, kind: str, policies: Mapping[int, SlaPolicy]
) -> list[Pause]:
    """The pauses of promises of this kind, in order. A pause is over with its hop, since its rep has the lead no more.

    A reason pauses what the version of the agreement says under which the rep named it.
    """
    hops = {it.hop for it in scoped_history.changes if it.change is Change.PAUSED}
    if not hops:
        return []
    if scoped_history.scope is Scope.HOP:
        return _hop_pauses(scoped_history, kind, policies)
    histories = (hop_history(scoped_history.changes, hop) for hop in sorted(hops))
    return list(chain.from_iterable(_hop_pauses(it, kind, policies) for it in histories))


def _hop_pauses(
    scoped_history: ScopedHistory, kind: str, policies: Mapping[int, SlaPolicy]
) -> list[Pause]:
    pauses = pauses_of(
        PauseReport(it.occurred_at, it.change, it.reason or "", it.resumes_at, it.actor)
        for it in scoped_history.changes
        if it.change in _REPORTS and _concerns(it, kind, policies[it.agreement_version])
    )
    end = min(scoped_history.ends, key=lambda it: it.occurred_at, default=None)
    return pauses if end is None else ended(pauses, end.occurred_at, end.change)


def _concerns(change: HandoffChanged, kind: str, policy: SlaPolicy) -> bool:
    return change.change is Change.RESUMED or kind in policy.paused_kinds.get(
        change.reason or "", ()
    )
