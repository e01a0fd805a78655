"""The file of reps takes effect: who may, how much, where they are told."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.domain.roster import Roster
from services.routing.domain.signing import written
from services.routing.queries import bench, roster
from shared.secrets import Vault

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed. The secrets of new endpoints are shown here and never again."""

    reps: int
    inactive: list[str]
    """Those who are not in the file any more."""
    secrets: dict[str, str]


def import_reps(session: Session, said: Roster, *, vault: Vault, now: datetime) -> Imported:
    """Make the file true: all of it or, if anything fails, nothing. Whoever waits is looked at again."""
    everybody = said.everybody()
    teams = {it.team for it in everybody} | roster.teams_with_reps(session)
    bench.lock_teams(session, teams)
    inactive = roster.save_reps(session, everybody)
    roster.count_again(session)
    roster.keep_roster(session)
    shown = _save_endpoints(session, said.urls(), vault)
    roster.review_teams(session, teams, at=now)
    return Imported(len(everybody), inactive, shown)


def _save_endpoints(session: Session, urls: dict[str, str], vault: Vault) -> dict[str, str]:
    known = roster.endpoint_ids(session)
    new = {id: secrets.token_bytes(SECRET_BYTES) for id in urls if id not in known}
    roster.save_urls(session, {id: url for id, url in urls.items() if id in known})
    roster.add_endpoints(session, urls, {id: vault.encrypt(it) for id, it in new.items()})
    return {id: written(it) for id, it in new.items()}
