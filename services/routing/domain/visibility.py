"""What a rep may see of a handoff: everything but other reps' loads while they hold it, nothing that came later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import Handoff, State
from shared.contracts.payloads import Change

Decisions = Sequence[dict[str, Any]]

_RULING = ("team", "rule", "agreement_version")
"""Fields that a newer agreement may change while the handoff waits."""


def steps_for(rep: str, handoff: Handoff, past: Sequence[PastStep]) -> list[PastStep]:
    """The steps that the rep may see: all while they hold it, else those up to the one that ended their last hop.

    That last step is shown without the next rep. The list is empty for a rep who never held the handoff.
    """
    held_at = [index for index, step in enumerate(past) if step.rep == rep]
    if not held_at or handoff.rep == rep:
        return list(past) if held_at else []
    last = held_at[-1]
    return [
        *past[: last + 1],
        *(replace(it, rep=None, hop=past[last].hop) for it in past[last + 1 : last + 2]),
    ]


def handoff_for(
    rep: str, handoff: Handoff, past: Sequence[PastStep], decisions: Decisions
) -> Handoff:
    """The handoff as it is for its holder; for an earlier rep, as it was when it left them.

    It was waiting then, unless the step that took it from the rep ended it.
    """
    if handoff.rep == rep:
        return handoff
    ended = past[-1].change is Change.RETURNED
    newest = decisions[-1] if decisions else {}
    ruling = {name: newest[name] for name in _RULING if name in newest}
    return handoff._replace(
        state=handoff.state if ended else State.WAITING,
        rep=None,
        hop=past[-1].hop,
        assigned_at=None,
        closed_at=handoff.closed_at if ended else None,
        merged_into=None,
        paused_until=None,
        pause_reason=None,
        **ruling,
    )


def decisions_for(
    rep: str, decisions: Iterable[dict[str, Any]], *, hop: int
) -> list[dict[str, Any]]:
    """The decisions up to this hop; of each only the rep's own candidate, and no comparison with other reps."""
    return [
        {
            **it,
            "margin": None,
            "candidates": [
                {**row, "nearest_change": None}
                for row in it.get("candidates", ())
                if row["rep"] == rep
            ],
        }
        for it in decisions
        if it["hop"] <= hop
    ]
