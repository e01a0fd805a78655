"""`leadbaton keys origins`: the sites of a key change while the key stays."""

from __future__ import annotations

import pytest

from shared.auth.issuing import create_key
from shared.auth.keys import BadOrigins, KeyScope, UnknownKey
from shared.auth.queries import key_of
from shared.clock import utc_now
from shared.db.session import Sessions
from tests.services.cli.key_commands import INGEST, ran

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def test_the_origins_of_a_key_change_while_the_key_stays(sessions: Sessions) -> None:
    key = ran(*INGEST, "--origin", "https://a.example").stdout.strip()
    key_id = key.split("_")[2]

    added = ran(
        "origins", key_id, "--add", "https://Bücher.example", "--add", "http://b.example:80"
    )
    removed = ran(
        "origins", key_id, "--remove", "https://A.example/", "--remove", "http://b.example"
    )

    assert added.stdout.split() == [
        "https://a.example", "https://xn--bcher-kva.example", "http://b.example"
    ]  # fmt: skip
    assert removed.stdout == ran("origins", key_id).stdout == "https://xn--bcher-kva.example\n"
    with sessions() as session:
        assert key_of(session, key).origins == ("https://xn--bcher-kva.example",)


def test_origins_of_before_they_were_checked_can_be_removed(sessions: Sessions) -> None:
    with sessions.begin() as session:
        key = create_key(
            session,
            scope=KeyScope.INGEST,
            subject="site",
            now=utc_now(),
            origins=["*", "https://A.example/"],
        )

    assert ran("origins", key.split("_")[2], "--remove", "*").stdout == "https://a.example\n"


def test_origins_that_a_key_cannot_have_or_lose_change_nothing() -> None:
    key_id = ran(*INGEST, "--origin", "https://a.example").stdout.split("_")[2]
    ops_id = ran("create", "--scope", "ops", "--subject", "olga").stdout.split("_")[2]
    many = [f"--add=https://{number}.example" for number in range(50)]

    for arguments, part in [
        ((key_id, "--remove", "https://b.example"), "no origin https://b.example"),
        ((key_id, *many), "50 origins at most"),
        ((ops_id, "--add", "https://b.example"), "ingest keys only"),
        (("0" * 12, "--add", "https://b.example"), "no live key"),
    ]:
        refused = ran("origins", *arguments)
        assert isinstance(refused.exception, BadOrigins | UnknownKey)
        assert part in str(refused.exception)
    assert ran("origins", key_id, "--add", "null").exit_code == 2
    assert ran("origins", key_id).stdout == "https://a.example\n"
