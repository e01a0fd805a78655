"""The CSV of accounts: companies by their domains, with the reps who own them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from services.routing.domain.accounts import Account, StagedAccount
from services.routing.roster_file import AccountEntry
from shared.documents import CsvFile
from shared.documents.wording import wording

COLUMNS = tuple(AccountEntry.model_fields)


def account_rows(file: CsvFile) -> Iterator[StagedAccount]:
    """The sound rows of the file, read as they are taken; the faults of others are noted in the file."""
    for row in file.rows():
        try:
            entry = AccountEntry.model_validate(
                {it: row.cells[it] for it in COLUMNS if row.cells[it]}
            )
        except ValidationError as invalid:
            for error in invalid.errors():
                file.add_fault(row.line, str(error["loc"][0]), wording(error, AccountEntry))
        else:
            yield StagedAccount(row.line, entry.domain, entry.rep)


def accounts_as_csv(accounts: Iterable[Account]) -> Iterator[str]:
    """The lines of a file that imports as these accounts. A domain has no character that needs quotes, but a comma."""
    yield ",".join(COLUMNS) + "\r\n"
    for domain, rep in accounts:
        yield f"{_quoted(domain)},{rep}\r\n"


def _quoted(domain: str) -> str:
    return '"' + domain.replace('"', '""') + '"' if {*',;"\t'} & {*domain} else domain
