"""The import of the roster file: reps, their limits and their endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.notifications import rep_endpoint
from services.routing.domain.roster import Absence
from services.routing.handlers.account_import import replace_accounts_of
from services.routing.handlers.endpoint_addresses import save_addresses
from services.routing.queries import (
    absences,
    accounts,
    deliveries,
    merges,
    reps,
    rosters,
    teams,
)
from services.routing.roster_file import RosterFile
from shared.auth.queries import suspend_reps_keys
from shared.auth.vault import Vault


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed. The secrets of new endpoints are returned here and never shown again."""

    reps: int
    inactive: list[str]
    """Reps who are not in the file any more."""
    secrets: dict[str, str]
    held_by_inactive: dict[str, int]
    """How many handoffs each inactive rep still holds: a re-route gives them to others."""
    owned_by_inactive: dict[str, int]
    """How many accounts each inactive rep owns: their leads go to the teams of the rules."""
    cancelled: int
    """Webhooks to inactive reps that will not be sent."""
    absences: dict[str, Absence]
    """What ops recorded beside the file, by rep: it stays in force."""


def import_reps(session: Session, file: RosterFile, *, vault: Vault, now: datetime) -> Imported:
    """Apply the file: all of it or, if anything fails, nothing. Every team's waiting leads are reviewed.

    Absences that ops recorded beside the file stay in force until they end, or ops end them.

    Keys are suspended after the reps are saved: `leadbaton keys create` locks its rep, so no new key is missed. The
    lock of merges lets everybody who shares it rely on the reps' teams before they lock teams.
    """
    merges.take_lock(session)
    has_other_accounts = replace_accounts_of(session, file)
    team_ids = {it.team for it in file.all_reps()} | reps.teams_with_reps(session)
    teams.lock_teams(session, team_ids)
    absences.delete_past_absences(session, now=now)
    recorded = absences.absences_by_rep(session)
    all_reps = [it.with_absence(recorded.get(it.id)) for it in file.all_reps()]
    inactive = reps.save_reps(session, all_reps)
    suspend_reps_keys(session, active=[it.id for it in all_reps if it.active], now=now)
    reps.count_open(session)
    if has_other_accounts:
        rosters.renew_roster(session)
    else:
        rosters.save_roster(session)
    new_secrets = save_addresses(session, file.addresses(), vault=vault)
    teams.review_teams(session, team_ids, at=now)
    endpoints_of_inactive = [rep_endpoint(it) for it in reps.inactive_reps(session)]
    cancelled = deliveries.cancel_for_endpoints(session, endpoints_of_inactive, now=now)
    held_by_inactive = reps.held_by_inactive(session)
    kept = {it.id: recorded[it.id].absence for it in all_reps if it.active and it.id in recorded}
    owned = accounts.owned_by_inactive(session)
    return Imported(len(all_reps), inactive, new_secrets, held_by_inactive, owned, cancelled, kept)
