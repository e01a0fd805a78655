"""The stored roster beside a file: what an import of it changes, and the roster as such a file."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.routing.domain.roster import Rep
from services.routing.domain.roster_difference import (
    ImportedRoster,
    RosterDifference,
    difference_of,
)
from services.routing.handlers.account_import import stage_accounts_of
from services.routing.handlers.endpoint_addresses import read_addresses
from services.routing.queries import absences, accounts, endpoints, reps
from services.routing.roster_export import roster_as_yaml
from services.routing.roster_file import MAX_ACCOUNTS, RosterFile
from shared.auth.vault import Vault


def compare_roster(session: Session, file: RosterFile, *, vault: Vault) -> RosterDifference:
    """What an import of the file would change now."""
    return difference_of(
        ImportedRoster(_reps_of_files(session), read_addresses(session, vault=vault)),
        ImportedRoster(file.all_reps(), file.addresses()),
        disabled=endpoints.disabled_endpoints(session),
        accounts=stage_accounts_of(session, file),
    )


def export_roster(session: Session) -> str:
    """The roster as a file of reps."""
    return roster_as_yaml(
        _reps_of_files(session),
        accounts.list_accounts(session, limit=MAX_ACCOUNTS + 1),
    )


def _reps_of_files(session: Session) -> list[Rep]:
    """The reps without the absences that ops recorded beside the file."""
    recorded = absences.absences_by_rep(session)
    return [
        it.with_absence(None, instead_of=recorded.get(it.id)) for it in reps.reps_by_id(session)
    ]
