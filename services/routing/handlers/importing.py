"""The file of reps takes effect: who may, how much, where they are told."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain import notices
from services.routing.domain.handoff import State
from services.routing.domain.roster import Roster
from services.routing.domain.signing import written
from services.routing.handlers.office import Office
from services.routing.handlers.placing import place, queued
from services.routing.queries import bench, deliveries, handoffs, roster
from shared.auth.keys import suspend_reps_keys
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


def import_reps(session: Session, said: Roster, *, vault: Vault, now: datetime) -> Imported:
    """Make the file true: all of it or, if anything fails, nothing. Whoever waits is looked at again.

    Keys are suspended after the reps are saved: `leadbaton keys create` locks its rep, so no new key is missed.
    """
    everybody = said.everybody()
    teams = {it.team for it in everybody} | roster.teams_with_reps(session)
    bench.lock_teams(session, teams)
    inactive = roster.save_reps(session, everybody)
    suspend_reps_keys(session, active=[it.id for it in everybody if it.active], now=now)
    roster.count_again(session)
    roster.keep_roster(session)
    shown = _save_endpoints(session, said.urls(), vault)
    roster.review_teams(session, teams, at=now)
    away = [notices.rep_endpoint(it) for it in roster.inactive_reps(session)]
    cancelled = deliveries.cancel_for_endpoints(session, away, now=now)
    left_behind = roster.held_by_inactive(session)
    return Imported(len(everybody), inactive, shown, left_behind, cancelled)


def reroute(session: Session, *, limit: int, office: Office, now: datetime) -> Counter[str]:
    """Take up to `limit` handoffs from inactive reps; others of the team get them, or they wait: how many, by rep.

    The handoffs are locked before their teams, as for an answer. Call it until it returns nothing.
    """
    held = handoffs.locked_of_inactive(session, limit=limit)
    bench.lock_teams(session, {it.team for it in held})

    free = [it._replace(state=State.WAITING, rep=None, calendar=None) for it in held]
    moved = queued(session, free, office=office, fresh=True)

    for handoff in held:
        bench.release(session, handoff.rep)
        bench.give_back(session, handoff.id, handoff.hop)
    for team in sorted({it.team for it in held}):
        here = [it for it in moved if it.handoff.team == team]
        place(session, team, here, office=office, now=now, everybody=False)
    return Counter(it.rep for it in held if it.rep is not None)


def _save_endpoints(session: Session, urls: dict[str, str], vault: Vault) -> dict[str, str]:
    known = roster.endpoint_ids(session)
    new = {id: secrets.token_bytes(SECRET_BYTES) for id in urls if id not in known}
    roster.save_urls(session, {id: url for id, url in urls.items() if id in known})
    roster.add_endpoints(session, urls, {id: vault.encrypt(it) for id, it in new.items()})
    return {id: written(it) for id, it in new.items()}
