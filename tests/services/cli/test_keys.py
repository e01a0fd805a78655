"""`leadbaton keys`: the key alone on stdout, so that a script can take it."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.cli.keys import UnknownRep
from services.routing.queries.reps import locked_activity
from shared.auth.issuing import create_key
from shared.auth.keys import InactiveRep, KeyScope, UnknownKey
from shared.auth.queries import key_of, keys
from shared.clock import utc_now
from shared.db.session import Sessions
from tests.builders import NOON
from tests.engine import until
from tests.keys import find_caller
from tests.services.cli.key_commands import INGEST, ran
from tests.services.routing.builders import entry, importing

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def test_the_key_alone_is_on_stdout_and_works(sessions: Sessions) -> None:
    made = ran("create", "--scope", "ingest", "--subject", "site", "--expires", "90d",
               "--origin", "https://A.example:443/", "--origin", "https://b.example")  # fmt: skip

    assert made.exit_code == 0
    key = made.stdout.strip()
    assert made.stdout == f"{key}\n"
    assert "not shown again" in made.stderr
    assert key not in made.stderr
    with sessions() as session:
        assert find_caller(session, key, now=utc_now()).subject == "site"
        kept = key_of(session, key)
    assert kept.scope is KeyScope.INGEST
    assert kept.origins == ("https://a.example", "https://b.example")
    assert kept.expires_at is not None
    assert timedelta(days=89) < kept.expires_at - utc_now() <= timedelta(days=90)


def test_keys_are_listed_without_their_secret_and_revoked(sessions: Sessions) -> None:
    key = ran("create", "--scope", "ops", "--subject", "olga").stdout.strip()
    ran("create", "--scope", "read", "--subject", "ann", "--expires", "0s")
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
        ((*INGEST, "--origin", "*"), "name each site"),
        ((*INGEST, "--origin", "https://a.example/shop"), "no path"),
        ((*INGEST, *(f"--origin=https://{it}.example" for it in range(51))), "50 origins at most"),
        (
            ("create", "--scope", "ops", "--subject", "x", "--origin", "https://a.example"),
            "ingest only",
        ),
    ],
)
def test_what_cannot_be_made_is_explained(arguments: tuple[str, ...], part: str) -> None:
    failed = ran(*arguments)
    assert failed.exit_code == 2
    assert part in failed.stderr
    assert failed.stdout == ""


ROSTER = ("grace", "linus", "ada", "alan", "mara", "nora")


@pytest.fixture
def roster(sessions: Sessions) -> None:
    """Reps of whom the last is not active."""
    with sessions.begin() as session:
        importing(session, *map(entry, ROSTER[:-1]), entry(ROSTER[-1], active=False))


@pytest.mark.usefixtures("roster")
def test_a_reps_key_works_while_the_rep_is_active(sessions: Sessions) -> None:
    grace = ran("create", "--scope", "rep", "--subject", "grace").stdout.strip()
    linus = ran("create", "--scope", "rep", "--subject", "linus").stdout.strip()
    with sessions() as session:
        assert find_caller(session, grace, now=utc_now()).subject == "grace"

    for gone in ([entry("linus")], [entry("linus"), entry("grace", active=False)]):
        with sessions.begin() as session:
            importing(session, *gone)
            with pytest.raises(InactiveRep, match="the rep grace is not active"):
                find_caller(session, grace, now=utc_now())
            assert find_caller(session, linus, now=utc_now()).subject == "linus"
    [line] = [it for it in ran("list").stdout.splitlines() if "grace" in it]
    assert f"suspended {NOON:%Y-%m-%d}: the rep is not active" in line

    with sessions.begin() as session:
        importing(session, entry("linus"), entry("grace"))
        assert find_caller(session, grace, now=utc_now()).subject == "grace"


def test_an_import_suspends_the_keys_of_reps_alone(sessions: Sessions) -> None:
    with sessions.begin() as session:
        others = [scope for scope in KeyScope if scope is not KeyScope.REP]
        made = [create_key(session, scope=it, subject="grace", now=NOON) for it in others]
        importing(session, entry("linus"))
        assert [find_caller(session, it, now=NOON).scope for it in made] == others


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize(
    ("subject", "part"),
    [
        (
            "nobody",
            "no rep nobody: write one of ada, alan, grace, linus, mara (`leadbaton reps list`",
        ),
        ("grece", "no rep grece: write one of grace ("),
        ("Linus", "no rep Linus: write one of linus ("),
        ("nora", "the rep nora is not active: `leadbaton reps import FILE`"),
    ],
)
def test_a_reps_key_is_for_an_active_rep(sessions: Sessions, subject: str, part: str) -> None:
    refused = ran("create", "--scope", "rep", "--subject", subject)

    assert isinstance(refused.exception, UnknownRep)
    assert part in refused.exception.message
    assert refused.stdout == ""
    with sessions() as session:
        assert keys(session) == []


def test_where_there_are_more_reps_than_are_named_it_says_so(sessions: Sessions) -> None:
    with sessions.begin() as session:
        importing(session, *(entry(it) for it in ROSTER))

    refused = ran("create", "--scope", "rep", "--subject", "x")

    assert isinstance(refused.exception, UnknownRep)
    assert "ada, alan, grace, linus, mara, … (" in refused.exception.message


def test_without_reps_a_reps_key_cannot_be_made() -> None:
    refused = ran("create", "--scope", "rep", "--subject", "grace")

    assert isinstance(refused.exception, UnknownRep)
    assert refused.exception.message == (
        "there is no rep grace, nor any other: `leadbaton reps import FILE` first"
    )


_WAITING = text("""
    select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()
""")


def waits(sessions: Sessions) -> bool:
    """Whether somebody waits for a lock."""
    with sessions() as session:
        return bool(session.scalar(_WAITING))


@pytest.mark.usefixtures("roster")
def test_no_key_is_made_while_an_import_makes_the_rep_inactive(sessions: Sessions) -> None:
    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            importing(session, entry("linus"))
            making = pool.submit(ran, "create", "--scope", "rep", "--subject", "grace")
            until(lambda: waits(sessions))
        assert isinstance(making.result().exception, UnknownRep)


@pytest.mark.usefixtures("roster")
def test_an_import_suspends_a_key_that_is_made_meanwhile(sessions: Sessions) -> None:
    def without_grace() -> None:
        with sessions.begin() as session:
            importing(session, entry("linus"))

    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            assert locked_activity(session, "grace")
            key = create_key(session, scope=KeyScope.REP, subject="grace", now=NOON)
            importing_now = pool.submit(without_grace)
            until(lambda: waits(sessions))
        importing_now.result()
    with sessions() as session, pytest.raises(InactiveRep):
        find_caller(session, key, now=NOON)


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
