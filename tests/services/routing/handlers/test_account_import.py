"""Accounts are replaced as a whole, or not at all, and looked up by an index."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.accounts_file import COLUMNS, accounts_as_csv
from services.routing.domain.accounts import Account, AccountChange, AccountsDifference
from services.routing.handlers.account_import import import_accounts
from services.routing.queries import accounts
from services.routing.queries.accounts import all_accounts, count_accounts, list_accounts, owners_of
from shared.documents import CsvFile, InvalidDocument
from tests.builders import NOON
from tests.services.routing.builders import entry, importing

pytestmark = pytest.mark.postgres


def imported(
    session: Session, *lines: str, dry_run: bool = False, head: str = "domain,rep"
) -> AccountsDifference:
    content = "\r\n".join((head, *lines)).encode("utf-16")
    file = CsvFile(content, name="a.csv", required=COLUMNS)
    return import_accounts(session, file, dry_run=dry_run, now=NOON + timedelta(minutes=1))


@pytest.fixture
def reps(session: Session) -> None:
    """Grace and Linus, who is not active."""
    importing(session, entry("grace"), entry("linus", active=False))


@pytest.mark.usefixtures("reps")
def test_an_import_replaces_all_accounts_and_says_what_changes(session: Session) -> None:
    imported(session, "A.example,grace", "b.example,grace", "d.example,linus")

    difference = imported(session, "b.example,linus", "c.example,grace", "d.example,linus")

    assert difference == AccountsDifference(
        1,
        1,
        1,
        [
            AccountChange("a.example", "grace", None),
            AccountChange("b.example", "grace", "linus"),
            AccountChange("c.example", None, "grace"),
        ],
    )
    assert list(all_accounts(session)) == [
        ("b.example", "linus"),
        ("c.example", "grace"),
        ("d.example", "linus"),
    ]
    assert list_accounts(session, rep="linus", after="b.example", limit=5) == [
        ("d.example", "linus")
    ]


@pytest.mark.usefixtures("reps")
def test_a_dry_run_changes_nothing_and_an_export_imports_to_no_difference(session: Session) -> None:
    imported(session, "a.example,grace", '"x,y.example",linus')

    preview = imported(session, "b.example,grace", dry_run=True)
    exported = "".join(accounts_as_csv(all_accounts(session))).split("\r\n")
    again = imported(session, *exported[1:], head=exported[0])

    assert (preview.added, preview.removed, again.is_empty) == (1, 2, True)
    assert count_accounts(session) == 2


@pytest.mark.usefixtures("reps")
def test_faults_change_nothing_and_are_named_together(session: Session) -> None:
    imported(session, "a.example,grace")

    with pytest.raises(InvalidDocument) as refused:
        imported(
            session,
            "b.example,grace",
            "B.example,grace",
            "c.example,nobody",
            "https://d.example,grace",
            ",grace",
            "e.example,",
        )

    assert refused.value.message.split("\n") == [
        "a.csv:3:1: `b.example` is there twice; delete one",
        "a.csv:4:2: there is no rep `nobody`; `leadbaton reps list` shows all reps",
        "a.csv:5:1: `https://d.example` is not a domain; write one such as kestrel.example",
        "a.csv:6:1: `domain` is missing; add it: Of the addresses of its people",
        "a.csv:7:2: `rep` is missing; add it: The rep who owns it",
    ]
    assert owners_of(session, ["a.example", "b.example"]) == {"a.example": "grace"}


@pytest.mark.usefixtures("reps")
def test_accounts_of_the_file_of_reps_replace_all_and_without_them_they_stay(
    session: Session,
) -> None:
    importing(session, entry("grace"), accounts={"a.example": "grace", "b.example": "grace"})
    importing(session, entry("grace"))
    assert count_accounts(session) == 2

    importing(session, entry("grace"), accounts={})
    assert count_accounts(session) == 0
    assert owners_of(session, []) == {}


@pytest.mark.usefixtures("reps")
def test_waiting_leads_are_reviewed_after_an_import(session: Session) -> None:
    session.execute(text("update routing.teams set review_at = null"))

    imported(session, "a.example,grace")
    imported(session, "a.example,grace")

    reviewed = session.scalars(text("select review_at from routing.teams")).all()
    assert reviewed == [NOON + timedelta(minutes=1)]


ROWS = 20_000


@pytest.mark.usefixtures("reps")
def test_many_accounts_are_imported_in_bounded_memory_and_looked_up_by_index(
    session: Session,
) -> None:
    content = "".join(
        accounts_as_csv(Account(f"company-{number:06}.example", "grace") for number in range(ROWS))
    ).encode()
    file = CsvFile(content, name="a.csv", required=COLUMNS)
    tracemalloc.start()

    difference = import_accounts(session, file, dry_run=False, now=NOON)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (difference.added, len(difference.first)) == (ROWS, 20)
    assert peak < 1_000_000
    assert count_accounts(session) == ROWS
    session.execute(text("analyze routing.accounts"))
    plan = "\n".join(
        session.scalars(
            text(
                "explain select domain, rep from routing.accounts"
                " where domain = any(cast(:domains as text[]))"
            ),
            {"domains": [f"company-{number:06}.example" for number in range(0, ROWS, 40)]},
        )
    )
    assert "pk_accounts" in plan
    assert "Seq Scan" not in plan
    assert accounts.owners_of(session, ["company-000007.example", "x.example"]) == {
        "company-000007.example": "grace"
    }
