"""Routes for accounts: their list, their import, and what an import would change."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request

from services.routing.accounts_file import COLUMNS
from services.routing.domain.accounts import Account, AccountsDifference
from services.routing.handlers.account_import import import_accounts
from services.routing.queries.accounts import list_accounts
from shared.auth.keys import UnknownKey, WrongScope
from shared.documents import CsvFile, InvalidDocument
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    MAX_CSV_ROWS,
    Format,
    csv_response,
    wants_csv,
)
from shared.http.dependencies import Now, Ops, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import PlainText
from shared.http.problems import problems

MAX_CSV = 900_000
"""The longest CSV of accounts, in characters: it is part of a request, which has a limit too."""
CURSOR = Cursor("accounts", tuple[str])
DRY_RUN = "Whether it is only shown what it would change."

router = APIRouter()


class AccountsIn(BaseModel):
    """All accounts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"source": "domain,rep\nkestrel.example,claire\n"}]},
    )

    source: Annotated[str, StringConstraints(max_length=MAX_CSV)] = Field(
        description="A CSV with the columns `domain` and `rep`; longer ones are imported with "
        "`leadbaton accounts import`."
    )
    dry_run: bool = Field(default=False, description=DRY_RUN)


class AccountsQuery(BaseModel):
    """Which accounts are listed, and how."""

    model_config = ConfigDict(extra="forbid")

    rep: PlainText | None = Field(default=None, description="Only accounts of this rep.")
    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=FORMAT)


class AccountOut(BaseModel):
    """A company, and the rep who owns it."""

    domain: str
    rep: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """The account as it is shown."""
        return cls(domain=account.domain, rep=account.rep)


class AccountChangeOut(BaseModel):
    """An account that changes."""

    model_config = ConfigDict(from_attributes=True)

    domain: str
    before: str | None = Field(description="The rep who owns it now; null for a new account.")
    after: str | None = Field(description="Who will own it; null where it is removed.")


class AccountsDifferenceOut(BaseModel):
    """What an import changes of the accounts."""

    model_config = ConfigDict(from_attributes=True)

    added: int
    changed: int = Field(description="How many get another rep.")
    removed: int
    first: list[AccountChangeOut] = Field(description="The first 20 of these, by domain.")


class AccountsImport(BaseModel):
    """An import of accounts."""

    applied: bool = Field(description="False for a dry run.")
    difference: AccountsDifferenceOut

    @classmethod
    def of(cls, difference: AccountsDifference, *, dry_run: bool) -> Self:
        """The import with what it changes."""
        out = AccountsDifferenceOut.model_validate(difference)
        return cls(applied=not dry_run, difference=out)


@router.get(
    "/accounts",
    response_model=Page[AccountOut],
    responses={**CSV_RESPONSE, **problems(UnknownKey, WrongScope, BadCursor)},
)
def read_accounts(
    request: Request,
    session: Tx,
    _: OpsOrRead,
    query: Annotated[AccountsQuery, Query()],
) -> Page[AccountOut] | Response:
    """List the accounts by domain, with the reps who own them."""
    as_csv = wants_csv(request, query.format)
    size = MAX_CSV_ROWS if as_csv else query.limit
    domain = None if query.after is None else CURSOR.decode(query.after)[0]
    accounts = list_accounts(session, rep=query.rep, after=domain, limit=size + 1)
    if as_csv:
        rows = accounts[:size]
        more = len(accounts) > size
        return csv_response(
            request,
            "accounts",
            COLUMNS,
            (it._asdict() for it in rows),
            next_cursor=CURSOR.encode(rows[-1].domain) if more else None,
        )
    return page_of(
        accounts,
        limit=query.limit,
        item=AccountOut.of,
        position=lambda it: (it.domain,),
        cursor=CURSOR,
    )


@router.put("/accounts", responses=problems(UnknownKey, WrongScope, InvalidDocument))
def replace_accounts(session: Tx, _: Ops, now: Now, body: AccountsIn) -> AccountsImport:
    """Make these the only accounts; leads that wait are reviewed. With `dry_run` nothing changes."""
    file = CsvFile(body.source, name="accounts.csv", required=COLUMNS)
    difference = import_accounts(session, file, dry_run=body.dry_run, now=now)
    return AccountsImport.of(difference, dry_run=body.dry_run)
