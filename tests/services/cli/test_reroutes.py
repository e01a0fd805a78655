"""`leadbaton handoffs reroute`: a plan, a question, and what came of it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from services.cli.handoffs import app
from services.cli.reroutes import plan
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.reroutes import RerouteState
from services.routing.handlers import Assigner
from services.routing.handlers.reroutes import confirm_reroute, find_reroute, plan_reroute
from services.routing.queries.handoffs import held_by
from shared.clock import utc_now
from shared.db.session import Sessions
from tests.builders import lead_qualified
from tests.services.routing.builders import URL, build_assigner, entry, importing, qualifying

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


def ran(*arguments: str, answer: str = "") -> Result:
    """The command's output and end."""
    return CliRunner().invoke(app, ["reroute", *arguments], input=answer)


@pytest.fixture
def held(sessions: Sessions) -> Sessions:
    """Grace holds three leads; Linus has room for two of them."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"))
        qualifying(session, assigner, *(lead_qualified(lead=it) for it in "abc"))
        importing(session, entry("grace"), entry("linus", capacity={"open": 2}))
    return sessions


def holders(sessions: Sessions) -> dict[str, int]:
    with sessions() as session:
        return held_by(session, ["grace", "linus"])


def test_a_plan_that_is_declined_changes_nothing(held: Sessions) -> None:
    declined = ran("grace", answer="n\n")

    assert declined.exit_code == 0, declined.output
    assert "3 handoffs of grace: linus 2, nobody yet 1" in declined.stdout
    assert "ada@example.com" in declined.stdout
    assert holders(held) == {"grace": 3}


def test_a_plan_that_is_confirmed_is_carried_out(held: Sessions) -> None:
    moved = ran("grace", "--reason", "has left", "--by", "olga", answer="y\n")
    again = ran("grace", "--yes")

    assert moved.exit_code == 0, moved.output
    assert "grace: 3 handoffs given to others, or waiting for them" in moved.stderr
    assert holders(held) == {"linus": 2}
    assert "grace holds no handoffs" in again.stdout


def test_a_long_plan_is_cut(held: Sessions, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan("grace", Reassignment("ops/olga", "has left"), max_rows=1) is not None

    assert "and 2 more" in capsys.readouterr().out
    assert holders(held) == {"grace": 3}


def test_a_running_re_route_is_cancelled(held: Sessions) -> None:
    with held.begin() as session:
        command = Reassignment("ops/olga", "has left")
        planned = plan_reroute(
            session, "grace", command=command, assigner=Assigner(URL), now=utc_now()
        )
    assert "no re-route of grace runs" in ran("grace", "--cancel").stdout
    with held.begin() as session:
        planned = plan_reroute(
            session, "grace", command=command, assigner=Assigner(URL), now=utc_now()
        )
        confirm_reroute(session, planned.id, now=utc_now())

    assert "the re-route of grace runs: 0 of 3 are done" in ran("grace", "--progress").stdout
    cancelled = ran("grace", "--cancel")

    assert "the re-route of grace is cancelled: grace keeps 3" in cancelled.stdout
    assert "no re-route of grace runs" in ran("grace", "--progress").stdout
    with held() as session:
        assert find_reroute(session, planned.id).state is RerouteState.CANCELLED
    assert holders(held) == {"grace": 3}
