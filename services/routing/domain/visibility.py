"""What a rep may see of a handoff: all but other reps' load while they hold it, nothing after they lost it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from services.routing.domain.answers import PastStep
from services.routing.domain.handoff import Handoff, State
from shared.contracts.payloads import Change

Decisions = Sequence[dict[str, Any]]

_RULING = ("team", "rule", "agreement_version")
"""What a handoff was ruled by, which a newer agreement changes while it waits."""


def steps_for(rep: str, handoff: Handoff, past: Sequence[PastStep]) -> list[PastStep]:
    """The steps that the rep may see: all while they hold it, else those up to the one that ended their last hop.

    That one is shown without whom it gave the handoff to. None where they never held it.
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
    """The handoff as it left the rep, from the steps and decisions that they may see; as it is for its holder.

    It waits then, unless the step that took it from the rep was its end.
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
        **ruling,
    )


def decisions_for(
    rep: str, decisions: Iterable[dict[str, Any]], *, hop: int
) -> list[dict[str, Any]]:
    """The decisions up to this hop, in each the rep's own row alone of the candidates."""
    return [
        {**it, "candidates": [row for row in it.get("candidates", ()) if row["rep"] == rep]}
        for it in decisions
        if it["hop"] <= hop
    ]
