"""Imports of accounts: they take the place of all accounts that were there before."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from services.routing.accounts_file import account_rows
from services.routing.domain.accounts import AccountsDifference, StagedAccount
from services.routing.queries import accounts, reps, rosters, teams
from services.routing.roster_file import RosterFile
from shared.documents import CsvFile
from shared.documents.csv_file import MAX_FAULTS

MAX_SHOWN = 20
"""How many changes of accounts a difference has."""


def import_accounts(
    session: Session, file: CsvFile, *, dry_run: bool, now: datetime
) -> AccountsDifference:
    """Store the file's accounts, unless it is a `dry_run`, and return what changes; leads that wait are reviewed.

    Raises InvalidDocument with every fault.
    """
    accounts.stage_accounts(session, account_rows(file))
    for row in accounts.repeated_domains(session, limit=MAX_FAULTS):
        file.add_fault(row.line, "domain", f"`{row.domain}` is there twice; delete one")
    for row in accounts.rows_with_unknown_reps(session, limit=MAX_FAULTS):
        hint = "`leadbaton reps list` shows all reps"
        file.add_fault(row.line, "rep", f"there is no rep `{row.rep}`; {hint}")
    file.raise_faults()
    difference = accounts.staged_difference(session, limit=MAX_SHOWN)
    if not dry_run and not difference.is_empty:
        accounts.replace_accounts(session)
        team_ids = reps.teams_with_reps(session)
        teams.lock_teams(session, team_ids)
        rosters.renew_roster(session)
        teams.review_teams(session, team_ids, at=now)
    return difference


def replace_accounts_of(session: Session, file: RosterFile) -> bool:
    """Store the accounts of a file of reps, if it has any; whether that changes something.

    As in an import of accounts, their table is locked before the teams.
    """
    difference = stage_accounts_of(session, file)
    if difference is None or difference.is_empty:
        return False
    accounts.replace_accounts(session)
    return True


def stage_accounts_of(session: Session, file: RosterFile) -> AccountsDifference | None:
    """What the accounts of a file of reps change; they are staged. None where the file leaves accounts as they are."""
    if file.accounts is None:
        return None
    rows = [StagedAccount(number, it.domain, it.rep) for number, it in enumerate(file.accounts)]
    accounts.stage_accounts(session, rows)
    return accounts.staged_difference(session, limit=MAX_SHOWN)
