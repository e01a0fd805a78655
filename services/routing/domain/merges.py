"""Merges: leads that turned out to be one person, and which of their live handoffs stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.routing.domain.handoff import MERGED, Handoff, State, Step, return_step

_PROGRESS = (State.WAITING, State.ASSIGNED, State.ACCEPTED, State.CONTACTED)
"""Live states, in the order of what a rep has done."""


def merged_leads(
    merges: Iterable[tuple[UUID, UUID]], survivors: Mapping[UUID, UUID]
) -> dict[UUID, UUID]:
    """The survivor of every merged lead after these merges (stays, goes), in whatever order they come.

    `survivors` are the ones so far; a merge that is known already changes nothing.
    """
    after = dict(survivors)
    for stays, goes in merges:
        survivor = after.get(stays, stays)
        merged = after.get(goes, goes)
        if survivor == merged:
            continue
        after |= {lead_id: survivor for lead_id, it in after.items() if it == merged}
        after[merged] = survivor
    return after


def merge_handoffs(
    live: Sequence[Handoff], survivors: Mapping[UUID, UUID], *, now: datetime
) -> list[tuple[Handoff, Step]]:
    """Each live handoff that ends because its person has another one, as it was, and its last step.

    Of a person's handoffs the one stays that a rep has done most about, then the older.
    """
    by_person = defaultdict[UUID, list[Handoff]](list)
    for handoff in live:
        by_person[survivors.get(handoff.lead_id, handoff.lead_id)].append(handoff)
    ended = []
    for handoffs in by_person.values():
        stays, *others = sorted(handoffs, key=_preference)
        for handoff in others:
            merged = handoff._replace(merged_into=stays.id)
            step = return_step(merged, now=now, state=State.MERGED, reason=MERGED)
            ended.append((handoff, step))
    return ended


def _preference(handoff: Handoff) -> tuple[int, datetime, UUID]:
    return -_PROGRESS.index(handoff.state), handoff.qualified_at, handoff.id
