"""The pauses of a clock: those of its hops for reasons that pause promises of its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.histories import ScopedHistory, hop_history, scoped_histories
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


def pauses_in(
    history: Sequence[HandoffChanged], clock: Clock, policies: Mapping[int, SlaPolicy]
) -> list[Pause]:
    """The pauses of the clock, by all changes of its handoff; none where these are gone."""
    scopes = (
        it for it in scoped_histories(history) if (it.scope, it.hop) == (clock.scope, clock.hop)
    )
    scoped_history = next(scopes, None) if history else None
    return [] if scoped_history is None else clock_pauses(scoped_history, clock.kind, policies)


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
