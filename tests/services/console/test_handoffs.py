"""The pages on handoffs: filters, views, answers, the decision, a re-route; and what a rep sees of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Assigner, tick
from shared.contracts.payloads import LeadContext
from shared.db.session import Sessions
from tests.builders import NOON, an_id, lead_qualified
from tests.services.console.site import RunningConsole, running_console, token_in
from tests.services.routing.builders import URL, build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

ADA, ALAN = (f"/handoffs/{handoff_id(an_id(it), 1)}" for it in ("ada", "alan"))
NAMES = {"ada": "Ada <b>Byron</b>", "alan": "Alan Turing"}


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """Amira holds two leads, and Linus has room for one."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("amira"))
        leads = [
            lead_qualified(
                lead=it,
                at=NOON - timedelta(hours=hours),
                context=LeadContext(email=f"{it}@example.com", name=NAMES[it], sources=(it,)),
            )
            for hours, it in enumerate(("ada", "alan"))
        ]
        qualifying(session, assigner, *leads)
        importing(session, entry("amira"), entry("linus", capacity={"open": 1}))
    with running_console(sessions) as running:
        yield running


def send(client: httpx.Client, path: str, *, status: int = 303, **fields: str) -> httpx.Response:
    """Send a form of the first page, and see what page it leads to."""
    token = token_in(client.get("/handoffs").text)
    response = client.post(path, data={"token": token, **fields})
    assert response.status_code == status, response.text
    return response


def follow(client: httpx.Client, response: httpx.Response) -> str:
    """The page that an act leads to."""
    return client.get(response.headers["location"]).text


def test_the_list_is_narrowed_and_shows_names_as_text(console: RunningConsole) -> None:
    with console.visit() as client:
        everything = client.get("/handoffs").text
        assert "Ada &lt;b&gt;Byron&lt;/b&gt;" in everything
        assert "Alan Turing" in everything
        for query in ("source=ada", "age=older_1d", "rep=amira&source=ada&sort=oldest"):
            page = client.get(f"/handoffs?{query}").text
            assert ("Byron" in page) == ("age" not in query)
            assert "Turing" not in page
        assert "No handoff matches" in client.get("/handoffs?state=closed").text
        assert client.get("/handoffs?state=none").status_code == 422


@pytest.mark.parametrize("path", ["/handoffs", ADA])
def test_the_live_region_of_a_page_is_rendered_alone(console: RunningConsole, path: str) -> None:
    with console.visit() as client:
        whole = client.get(path).text
        with client.stream("GET", "/live", params={"view": path}) as stream:
            lines = stream.iter_lines()
            data = next(it for it in lines if it.startswith("data: "))
    assert data.removeprefix("data: ") == '<div id="live">'
    assert '<div id="live">' in whole


def test_an_empty_list_says_how_to_fill_it(sessions: Sessions) -> None:
    with running_console(sessions) as running, running.visit() as client:
        assert "leadbaton demo" in client.get("/handoffs").text


def test_a_view_is_saved_and_opened_by_another_and_deleted(console: RunningConsole) -> None:
    with console.visit() as client, console.visit("rep") as rep:
        saved = send(client, "/handoffs/views", name="Hot", query="state=waiting", shared="yes")
        assert saved.headers["location"] == "/handoffs?state=waiting"
        assert "shared by ops/olga" in rep.get("/handoffs").text
        send(rep, "/handoffs/views/delete", name="Hot", status=404)
        send(client, "/handoffs/views/delete", name="Hot")
        assert "No view is saved yet" in rep.get("/handoffs").text


def test_each_answer_is_taken_and_shown(console: RunningConsole) -> None:
    with console.visit("rep") as client:
        page = follow(client, send(client, f"{ADA}/accept", hop="1"))
        assert "Accepted." in page
        send(client, f"{ADA}/contact", hop="1", channel="phone", outcome="reached")
        won = follow(client, send(client, f"{ADA}/win", hop="1", amount="12.5", currency="EUR"))
        assert "amount: 12.5" in won
        assert "Hand back" not in won
        lost = follow(client, send(client, f"{ALAN}/lose", hop="1", reason="price"))
        assert "reason: price" in lost


def test_a_refused_answer_is_explained_on_its_page(console: RunningConsole) -> None:
    with console.visit() as client:
        refused = send(client, f"{ADA}/reject", hop="1", reason="nonsense", status=422)
        assert 'role="alert"' in refused.text
        assert "no_capacity" in refused.text
        stale = send(client, f"{ADA}/accept", hop="2", status=409)
        assert "handoff" in stale.text


def test_ops_reassign_and_see_why(console: RunningConsole) -> None:
    with console.visit() as client:
        page = follow(client, send(client, f"{ADA}/reassign", hop="1", reason="on leave"))
        assert "Reassigned to linus." in page
        refused = send(client, f"{ALAN}/reassign", hop="1", to="linus", status=409)
        assert "holds 1 of 1" in refused.text
        forced = send(
            client, f"{ALAN}/reassign", hop="1", to="linus", force="yes", reason="big deal"
        )
        assert "Linus" in follow(client, forced)
        newest, first = client.get(f"{ADA}/why").text, client.get(f"{ADA}/why?hop=1").text
        assert "had this handoff already" in newest
        assert "without this" in newest
        assert "picked, as the only one who could take it" in first


def test_the_decision_names_the_owner_of_the_account(
    console: RunningConsole, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        owned = {"example.org": "amira"}
        importing(session, entry("amira"), entry("linus"), accounts=owned)
        context = LeadContext(email="g@example.org", account="example.org")
        lead = lead_qualified(lead="grace", context=context)
        qualifying(session, Assigner(URL), lead)
    with console.visit() as client:
        page = client.get(f"/handoffs/{handoff_id(an_id('grace'), 1)}/why").text

    assert "Amira owns the account." in page
    assert "picked, as the owner of the account; otherwise Linus was next" in page
    assert "if Amira did not own the account" in page


@pytest.mark.parametrize("path", [ADA, f"{ADA}/why"])
def test_a_rep_sees_nothing_of_what_others_hold(console: RunningConsole, path: str) -> None:
    with console.visit("rep") as client:
        assert client.get(path).status_code == 200
        assert "Reassign" not in client.get(path).text
        with console.visit() as ops:
            send(ops, f"{ADA}/reassign", hop="1")
        assert "Linus" not in client.get(path).text
        assert "linus" not in client.get(path).text
        assert "Byron" not in client.get("/handoffs").text
        refused = send(client, f"{ALAN}/reassign", hop="1", status=403)
        assert "for operations" in refused.text
        assert client.get(f"/reroutes/{uuid4()}").status_code == 403


def test_a_reader_gets_no_forms(console: RunningConsole) -> None:
    with console.visit("read") as client:
        assert "Accept" not in client.get("/handoffs").text.replace("Accepted", "")
        assert "Reassign" not in client.get(ADA).text


def test_a_re_route_is_planned_confirmed_and_watched(
    console: RunningConsole, sessions: Sessions
) -> None:
    with console.visit() as client:
        assert "Plan a re-route" in client.get("/handoffs?rep=amira").text
        planned = send(client, "/reroutes", rep="amira", reason="has left")
        path = planned.headers["location"]
        plan = follow(client, planned)
        assert "Nothing has changed yet" in plan
        assert "Linus: 1" in plan
        assert "nobody yet: 1" in plan
        send(client, f"{path}/confirm")
        assert "state-running" in client.get(path).text
        with sessions.begin() as session:
            tick(session, NOON, assigner=build_assigner(session))
        done = client.get(path).text
        assert "state-done" in done
        assert "state-reassigned" in done
        refused = send(client, f"{path}/cancel", status=409)
        assert "there is nothing left to cancel" in refused.text
        assert "Cancelled" in follow(client, send(client, follow_cancel(client)))
        assert "there is no rep" in send(client, "/reroutes", rep="nobody", status=422).text


def follow_cancel(client: httpx.Client) -> str:
    """The address that cancels a new plan."""
    return send(client, "/reroutes", rep="linus").headers["location"] + "/cancel"


def test_a_handoff_that_is_not_there_is_said_so(sessions: Sessions) -> None:
    with running_console(sessions) as running, running.visit() as client:
        assert client.get(f"/handoffs/{uuid4()}").status_code == 404
        assert client.get("/handoffs/nonsense").status_code == 404
