"""The changes of a handoff that the clocks of one scope follow: of the journey, or of one hop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.payloads import Change, HandoffChanged, Scope

TERMINAL = frozenset({Change.WON, Change.LOST, Change.RETURNED})


@dataclass(frozen=True, slots=True)
class ScopedHistory:
    """The changes that clocks of one scope follow: the whole journey's, or one assignee's."""

    scope: Scope
    hop: int
    changes: tuple[HandoffChanged, ...]
    ends: tuple[HandoffChanged, ...]
    """The changes that end the journey or the hop, if any happened."""

    @property
    def first(self) -> HandoffChanged:
        """The change whose agreement version, team, tier and calendar the clocks are pinned to."""
        return self.changes[0]

    @property
    def rep(self) -> str | None:
        """The rep who has the handoff, or had it last."""
        return next((it.rep for it in reversed(self.changes) if it.rep is not None), None)


def scoped_histories(history: Sequence[HandoffChanged]) -> list[ScopedHistory]:
    """The journey, then each hop in order."""
    journey = ScopedHistory(Scope.JOURNEY, 0, tuple(history), tuple(filter(_ends_handoff, history)))
    return [
        journey,
        *(hop_history(history, hop) for hop in sorted({it.hop for it in history} - {0})),
    ]


def history_of(scope: Scope, hop: int, history: Sequence[HandoffChanged]) -> ScopedHistory | None:
    """The changes that clocks of this scope and hop follow; None where there are none any more."""
    scoped = scoped_histories(history) if history else []
    return next((it for it in scoped if (it.scope, it.hop) == (scope, hop)), None)


def hop_history(history: Sequence[HandoffChanged], hop: int) -> ScopedHistory:
    """The changes of one hop, and those that end it."""
    changes = tuple(it for it in history if it.hop == hop)
    ends = tuple(it for it in history if it.hop > hop or (it.hop == hop and _ends_hop(it)))
    return ScopedHistory(Scope.HOP, hop, changes, ends)


def _ends_hop(change: HandoffChanged) -> bool:
    return _ends_handoff(change) or change.change in {Change.REJECTED, Change.WAITING}


def _ends_handoff(change: HandoffChanged) -> bool:
    return change.change in TERMINAL or (change.change is Change.REJECTED and change.recycle)
