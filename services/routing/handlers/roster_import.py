"""The file of reps takes effect: who may, how much, where they are told."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain import notifications
from services.routing.domain.handoff import State
from services.routing.domain.signing import written
from services.routing.handlers.assigner import Assigner
from services.routing.handlers.assignment import place, queued
from services.routing.queries import deliveries, endpoints, handoffs, rep_loads, reps
from services.routing.roster_file import RosterFile
from shared.auth.queries import suspend_reps_keys
from shared.auth.vault import Vault

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed. The secrets of new endpoints are shown here and never again."""

    reps: int
    inactive: list[str]
    """Those who are not in the file any more."""
    secrets: dict[str, str]
    left_behind: dict[str, int]
    """How many handoffs each inactive rep holds still: `reroute` gives them to others."""
    cancelled: int
    """Webhooks to inactive reps that will not be sent."""


def import_reps(session: Session, said: RosterFile, *, vault: Vault, now: datetime) -> Imported:
    """Make the file true: all of it or, if anything fails, nothing. Whoever waits is looked at again.

    Keys are suspended after the reps are saved: `leadbaton keys create` locks its rep, so no new key is missed.
    """
    everybody = said.everybody()
    teams = {it.team for it in everybody} | reps.teams_with_reps(session)
    rep_loads.lock_teams(session, teams)
    inactive = reps.save_reps(session, everybody)
    suspend_reps_keys(session, active=[it.id for it in everybody if it.active], now=now)
    reps.count_again(session)
    reps.keep_roster(session)
    shown = _save_endpoints(session, said.urls(), vault)
    reps.review_teams(session, teams, at=now)
    away = [notifications.rep_endpoint(it) for it in reps.inactive_reps(session)]
    cancelled = deliveries.cancel_for_endpoints(session, away, now=now)
    left_behind = reps.held_by_inactive(session)
    return Imported(len(everybody), inactive, shown, left_behind, cancelled)


def reroute(session: Session, *, limit: int, assigner: Assigner, now: datetime) -> Counter[str]:
    """Take up to `limit` handoffs from inactive reps; others of the team get them, or they wait: how many, by rep.

    The handoffs are locked before their teams, as for an answer. Call it until it returns nothing.
    """
    held = handoffs.locked_of_inactive(session, limit=limit)
    rep_loads.lock_teams(session, {it.team for it in held})

    free = [it._replace(state=State.WAITING, rep=None, calendar=None) for it in held]
    moved = queued(session, free, assigner=assigner, fresh=True)

    for handoff in held:
        rep_loads.release(session, handoff.rep)
        rep_loads.give_back(session, handoff.id, handoff.hop)
    for team in sorted({it.team for it in held}):
        here = [it for it in moved if it.handoff.team == team]
        place(session, team, here, assigner=assigner, now=now, everybody=False)
    return Counter(it.rep for it in held if it.rep is not None)


def _save_endpoints(session: Session, urls: dict[str, str], vault: Vault) -> dict[str, str]:
    known = endpoints.endpoint_ids(session)
    new = {id: secrets.token_bytes(SECRET_BYTES) for id in urls if id not in known}
    endpoints.save_urls(session, {id: url for id, url in urls.items() if id in known})
    endpoints.add_endpoints(session, urls, {id: vault.encrypt(it) for id, it in new.items()})
    return {id: written(it) for id, it in new.items()}
