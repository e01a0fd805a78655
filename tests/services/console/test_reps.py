"""The page Reps: loads, hours, time off, shares, and absences."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from services.routing.queries import endpoints as endpoint_queries
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified
from tests.services.console.site import RunningConsole, running_console, token_in
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """Amira holds one lead of at most four; Jonas has time off by the file; Cleo is not active."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        off = [{"from": "2026-11-18", "to": "2026-11-21"}]
        importing(
            session,
            entry("amira", name="Amira <b>", capacity={"open": 4, "per_day": 9}),
            entry("jonas", time_off=off),
            entry("cleo", active=False),
        )
        qualifying(session, assigner, lead_qualified(lead="ada"))
        endpoint_queries.disable_endpoint(session, "rep/jonas", reason="gone", now=NOON)
    with running_console(sessions) as running:
        yield running


def act(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form of the page, and follow to the page that shows the outcome."""
    token = token_in(client.get("/reps").text)
    return client.post(path, data={"token": token, **fields}, follow_redirects=True)


def row(html: str, rep: str) -> str:
    """The row of a rep."""
    return html.split(f'id="rep-{rep}"')[1].split("</tr>", maxsplit=1)[0]


def test_each_rep_has_load_hours_and_share(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/reps")

    assert page.status_code == 200, page.text
    amira, jonas = row(page.text, "amira"), row(page.text, "jonas")
    assert "1 of 4" in amira
    assert "1 of 9" in amira
    assert "Amira &lt;b&gt;" in amira
    assert "open</span> until" in amira
    assert "50\u2009% is fair" in amira
    assert '<span title="in 2026-11">1</span>' in amira
    assert "endpoint disabled" in jonas
    assert "21 Nov" in jonas
    assert 'id="rep-cleo"' not in page.text


def test_reps_are_narrowed_by_team_and_name(console: RunningConsole) -> None:
    with console.visit() as client:
        named = client.get("/reps?name=AMI").text
        elsewhere = client.get("/reps?team=nowhere").text
        inactive = client.get("/reps?inactive=1&team=sales").text

    assert 'id="rep-amira"' in named
    assert 'id="rep-jonas"' not in named
    assert "No rep is like that." in elsewhere
    assert "inactive" in row(inactive, "cleo")


def test_a_rep_is_sent_away_until_a_date_and_comes_back(console: RunningConsole) -> None:
    with console.visit() as client:
        away = act(client, "/reps/amira/away?team=sales", until="2026-12-01", zone="Europe/Berlin")
        back = act(client, "/reps/amira/back")
        open_ended = act(client, "/reps/amira/away", until="", zone="UTC")

    assert away.url.query == b"team=sales"
    assert "gets no leads until 2026-12-01." in away.text
    assert 'datetime="2026-11-30T23:00:00+00:00"' in row(away.text, "amira")
    assert "is back: leads that wait are assigned." in back.text
    assert "until back" in row(open_ended.text, "amira")
    assert "(ops/olga)" in row(open_ended.text, "amira")


def test_time_off_of_the_file_stays_and_the_page_says_so(console: RunningConsole) -> None:
    with console.visit() as client:
        back = act(client, "/reps/jonas/back")

    assert "still on time off by the file of reps" in back.text


def test_who_leaves_is_deactivated_and_the_plan_for_their_leads_comes_next(
    console: RunningConsole,
) -> None:
    with console.visit() as client:
        plan = act(client, "/reps/amira/deactivate", reason="left on Friday")
        page = client.get("/reps?inactive=1").text
        nobody = act(client, "/reps/jonas/deactivate?team=sales")
        planned = act(client, "/reroutes", rep="amira")

    assert plan.url.path.startswith("/reroutes/")
    assert "is inactive: take them out of the file of reps, too." in plan.text
    assert "left on Friday" in plan.text
    assert "Confirm: move 1" in plan.text
    assert "inactive" in row(page, "amira")
    assert "Give what they hold to others" in row(page, "amira")
    assert nobody.url.query == b"team=sales&inactive=1"
    assert "Nothing has changed yet" in planned.text


@pytest.mark.parametrize("fields", [{"until": "soon"}, {"until": "2026-12-01", "zone": "No/Where"}])
def test_a_date_that_cannot_be_read_is_refused(
    console: RunningConsole, fields: dict[str, str]
) -> None:
    with console.visit() as client:
        refused = act(client, "/reps/amira/away", **fields)

    assert refused.status_code == 422
    assert "write a date such as 2026-12-01" in refused.text


def test_a_rep_sees_only_themselves_and_no_acts(console: RunningConsole) -> None:
    with console.visit("rep") as client:
        page = client.get("/reps").text
        refused = act(client, "/reps/amira/away")

    assert 'id="rep-amira"' in page
    assert 'id="rep-jonas"' not in page
    assert "is fair" not in page
    assert 'action="/reps/' not in page
    assert refused.status_code == 403


def test_without_reps_the_page_says_how_they_come(sessions: Sessions) -> None:
    with running_console(sessions) as console, console.visit() as client:
        assert "leadbaton reps import FILE" in client.get("/reps").text
