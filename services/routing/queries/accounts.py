"""Accounts with the reps who own them. Imports stage their rows in a temporary table, so that size needs no memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Text, any_, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.routing.domain.accounts import (
    Account,
    AccountChange,
    AccountsDifference,
    StagedAccount,
)
from services.routing.tables import accounts, reps, staged_accounts
from shared.db.copying import copy_rows


def owners_of(session: Session, domains: Collection[str]) -> dict[str, str]:
    """The rep who owns the account of each of these domains that has one."""
    statement = select(accounts.c.domain, accounts.c.rep).where(
        accounts.c.domain == any_(literal(list(domains), ARRAY(Text)))
    )
    return dict(session.execute(statement).all()) if domains else {}


def stage_accounts(session: Session, rows: Iterable[StagedAccount]) -> None:
    """Copy the rows into the staging table, in place of earlier ones; the end of the transaction empties it."""
    session.execute(_CREATE)
    session.execute(text("delete from staged_accounts"))
    copy_rows(session, staged_accounts, StagedAccount._fields, rows, into=staged_accounts.name)
    session.execute(text("analyze staged_accounts"))


_CREATE = text("""
    create temporary table if not exists staged_accounts (line integer, domain text, rep text)
    on commit delete rows
""")


def repeated_domains(session: Session, *, limit: int) -> list[StagedAccount]:
    """Staged rows whose domain is in an earlier row."""
    numbered = select(
        *staged_accounts.c,
        func.row_number()
        .over(partition_by=staged_accounts.c.domain, order_by=staged_accounts.c.line)
        .label("number"),
    ).subquery()
    statement = (
        select(numbered.c.line, numbered.c.domain, numbered.c.rep)
        .where(numbered.c.number > 1)
        .order_by(numbered.c.line)
        .limit(limit)
    )
    return [StagedAccount(*row) for row in session.execute(statement)]


def rows_with_unknown_reps(session: Session, *, limit: int) -> list[StagedAccount]:
    """Staged rows whose rep does not exist."""
    return [StagedAccount(*row) for row in session.execute(_UNKNOWN_REPS, {"limit": limit})]


_UNKNOWN_REPS = text("""
    select line, domain, rep from staged_accounts
    where not exists (select from routing.reps where reps.id = staged_accounts.rep)
    order by line limit :limit
""")


def staged_difference(session: Session, *, limit: int) -> AccountsDifference:
    """How the staged accounts differ from the stored ones, with the first changes by domain."""
    counts = session.execute(_COUNTS).one()
    changes = session.execute(_CHANGES, {"limit": limit})
    return AccountsDifference(
        counts.added, counts.changed, counts.removed, [AccountChange(*row) for row in changes]
    )


_COUNTS = text("""
    select count(*) filter (where stored.domain is null) as added,
        count(*) filter (where stored.rep <> staged.rep) as changed,
        count(*) filter (where staged.domain is null) as removed
    from staged_accounts as staged full join routing.accounts as stored using (domain)
""")
_CHANGES = text("""
    select domain, stored.rep, staged.rep
    from staged_accounts as staged full join routing.accounts as stored using (domain)
    where stored.rep is distinct from staged.rep
    order by domain limit :limit
""")


def replace_accounts(session: Session) -> None:
    """Store the staged accounts in place of all others; those that stay are not written. Imports queue."""
    session.execute(text("lock table routing.accounts in share row exclusive mode"))
    session.execute(_DELETE)
    session.execute(_SAVE)


_DELETE = text("""
    delete from routing.accounts
    where not exists (select from staged_accounts where staged_accounts.domain = accounts.domain)
""")
_SAVE = text("""
    insert into routing.accounts (domain, rep) select domain, rep from staged_accounts
    on conflict (domain) do update set rep = excluded.rep where accounts.rep <> excluded.rep
""")


def owned_by_inactive(session: Session) -> dict[str, int]:
    """How many accounts each inactive rep owns."""
    statement = (
        select(accounts.c.rep, func.count())
        .join(reps, reps.c.id == accounts.c.rep)
        .where(~reps.c.active)
        .group_by(accounts.c.rep)
        .order_by(accounts.c.rep)
    )
    return {str(rep): count for rep, count in session.execute(statement)}


def count_accounts(session: Session) -> int:
    """How many accounts there are."""
    return session.scalar(select(func.count()).select_from(accounts)) or 0


def list_accounts(
    session: Session, *, rep: str | None = None, after: str | None = None, limit: int
) -> Sequence[Account]:
    """Accounts, or those of this rep, in the order of their domains, after this one."""
    statement = select(accounts.c.domain, accounts.c.rep).order_by(accounts.c.domain).limit(limit)
    if rep is not None:
        statement = statement.where(accounts.c.rep == rep)
    if after is not None:
        statement = statement.where(accounts.c.domain > after)
    return [Account(*row) for row in session.execute(statement)]


PAGE_SIZE = 5_000


def all_accounts(session: Session) -> Iterator[Account]:
    """Every account in the order of the domains, loaded some thousands at a time."""
    after: str | None = None
    while page := list_accounts(session, after=after, limit=PAGE_SIZE):
        yield from page
        after = page[-1].domain
