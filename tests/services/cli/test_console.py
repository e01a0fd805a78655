"""`leadbaton console link`: the link alone on stdout, for ops or for a rep who is active."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner, Result

from services.cli.console import app
from services.cli.keys import UnknownRep
from shared.auth.keys import KeyScope
from shared.auth.sign_in import redeem_link
from shared.clock import utc_now
from shared.db.session import Sessions
from tests.services.routing.builders import entry, importing

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def ran(*arguments: str, **environment: str) -> Result:
    """The command's output and end."""
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.mark.parametrize(
    ("arguments", "scope", "subject"),
    [
        ((), KeyScope.OPS, "olga"),
        (("--ops", "otto"), KeyScope.OPS, "otto"),
        (("--rep", "grace"), KeyScope.REP, "grace"),
    ],
    ids=["user", "ops", "rep"],
)
def test_the_link_alone_is_on_stdout_and_signs_in(
    sessions: Sessions, arguments: tuple[str, ...], scope: KeyScope, subject: str
) -> None:
    with sessions.begin() as session:
        importing(session, entry("grace"))

    printed = ran(
        "link", *arguments, USER="olga", LEADBATON_CONSOLE_URL="https://console.example.com/"
    )

    assert printed.exit_code == 0, printed.stderr
    assert f"signs in as {scope} {subject}, once, within 5 minutes" in printed.stderr
    url = urlsplit(printed.stdout.strip())
    assert (url.scheme, url.netloc, url.path) == ("https", "console.example.com", "/sign-in")
    [token] = parse_qs(url.query)["token"]
    assert token not in printed.stderr
    with sessions.begin() as session:
        sign_in = redeem_link(session, token, now=utc_now())
    assert (sign_in.scope, sign_in.subject) == (scope, subject)


def test_a_link_for_nobody_or_for_two_is_refused(sessions: Sessions) -> None:
    with sessions.begin() as session:
        importing(session, entry("grace"))

    assert isinstance(ran("link", "--rep", "linus").exception, UnknownRep)
    result = ran("link", "--rep", "grace", "--ops", "olga")
    assert result.exit_code == 2
    assert "not both" in result.stderr
