"""`leadbaton keys`: the key alone on stdout, so that a script can take it."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from services.cli.keys import app
from shared.clock import utc_now
from shared.db.session import Sessions
from shared.http.keys import KeyScope, UnknownKey, find_caller, find_key, keys

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def _environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADBATON_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")


def ran(*arguments: str) -> Result:
    """The command's output and end."""
    return CliRunner().invoke(app, list(arguments))


def test_the_key_alone_is_on_stdout_and_works(sessions: Sessions) -> None:
    made = ran("create", "--scope", "ingest", "--subject", "site", "--expires", "90d",
               "--origin", "https://a.example", "--origin", "https://b.example")  # fmt: skip

    assert made.exit_code == 0
    key = made.stdout.strip()
    assert made.stdout == f"{key}\n"
    assert "not shown again" in made.stderr
    assert key not in made.stderr
    with sessions() as session:
        assert find_caller(session, key, now=utc_now()).subject == "site"
        kept = find_key(session, key)
    assert kept.scope is KeyScope.INGEST
    assert kept.origins == ("https://a.example", "https://b.example")
    assert kept.expires_at is not None
    assert timedelta(days=89) < kept.expires_at - utc_now() <= timedelta(days=90)


def test_keys_are_listed_without_their_secret_and_revoked(sessions: Sessions) -> None:
    key = ran("create", "--scope", "ops", "--subject", "olga").stdout.strip()
    ran("create", "--scope", "rep", "--subject", "ann", "--expires", "0s")
    key_id, secret = key.split("_")[2:]

    assert ran("revoke", key_id).exit_code == 0
    again = ran("revoke", key_id)
    ran("create", "--scope", "ingest", "--subject", "site")
    listed = ran("list").stdout

    assert isinstance(again.exception, UnknownKey)
    assert secret not in listed
    [olga, ann] = [line for line in listed.splitlines() if "olga" in line or "ann" in line]
    assert key_id in olga
    assert "revoked" in olga
    assert "expired" in ann
    assert "until it is revoked" in listed
    with sessions() as session:
        assert [it.subject for it in keys(session)] == ["olga", "ann", "site"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("create", "--scope", "king", "--subject", "x"), "king"),
        (("create", "--scope", "ops"), "--subject"),
        (("create", "--scope", "ops", "--subject", "x", "--expires", "soon"), "duration"),
    ],
)
def test_what_cannot_be_made_is_explained(arguments: tuple[str, ...], part: str) -> None:
    failed = ran(*arguments)
    assert failed.exit_code == 2
    assert part in failed.stderr
    assert failed.stdout == ""


def test_a_secret_key_has_32_bytes() -> None:
    assert len(urlsafe_b64decode(ran("secret").stdout.strip())) == 32


@pytest.mark.parametrize("subject", ["[/x]", "[bold]ada", ":smile:", "Zoë [EU]", "a\\[b"])
def test_any_printable_subject_is_shown_as_it_is(subject: str) -> None:
    made = ran("create", "--scope", "ops", "--subject", subject)
    listed = ran("list")

    assert made.stdout.startswith("lb_ops_")
    assert subject in made.stderr
    assert subject in listed.stdout


@pytest.mark.parametrize(
    "subject", ["", " site", "a\x1b[2Jb", "two\nlines", "\u202eetis", "x" * 101], ids=repr
)
def test_a_subject_that_cannot_be_shown_makes_no_key(sessions: Sessions, subject: str) -> None:
    refused = ran("create", "--scope", "ops", "--subject", subject)

    assert refused.exit_code == 2
    assert "printable characters" in refused.stderr
    with sessions() as session:
        assert keys(session) == []


@pytest.mark.parametrize("expires", ["99999d", "9999999999d", "-1d", "soon", "1e999d"])
def test_a_lifetime_that_cannot_be_makes_no_key(sessions: Sessions, expires: str) -> None:
    refused = ran("create", "--scope", "ops", "--subject", "olga", "--expires", expires)

    assert refused.exit_code == 2
    with sessions() as session:
        assert keys(session) == []
