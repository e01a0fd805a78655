"""The page Events shows what comes in and what was refused; ops retry what can be read now."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from services.console.apis import Service
from shared.db.session import Sessions
from tests.builders import NOON, marketing_event, minutes
from tests.engine import PATIENCE_S
from tests.services.console.site import RunningConsole, running_console, token_in
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres
BAD = '{"id": "b-1", "type": "bad type", "lead": {"email": "ada@example.com"}, "x": "<i>"}'


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """The console five minutes after noon, before an API that accepts what it can read."""
    with running_console(sessions, now=NOON + minutes(5)) as console:
        yield console


def refuse_an_event(console: RunningConsole) -> None:
    """Post an event that is refused."""
    headers = {"authorization": f"Bearer {console.keys['ingest']}"}
    url = f"{console.urls[Service.SCORING]}/v1/events"
    assert httpx.post(url, content=BAD, headers=headers, timeout=PATIENCE_S).status_code == 200


def mend(sessions: Sessions) -> None:
    """Change the stored event to one that can be read."""
    with sessions.begin() as session:
        session.execute(
            text(
                "update scoring.rejected_bodies set bytes = convert_to("
                "replace(convert_from(bytes, 'UTF8'), 'bad type', 'good_one'), 'UTF8')"
            )
        )


def test_accepted_events_are_listed_and_lead_to_their_leads(console: RunningConsole) -> None:
    with console.sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(
            marketing_event("demo_requested", id="e-1"), marketing_event(id="e-2", source="crm")
        )
        lead_id = session.scalar(text("select lead_id from scoring.events where id = 'e-1'"))
    with console.visit("read") as client:
        page = client.get("/events").text
        filtered = client.get("/events", params={"source": "crm"}).text

    assert f'href="/leads/{lead_id}"' in page
    assert "demo_requested" in page
    assert "demo_requested" not in filtered
    assert "page_viewed" in filtered


def test_a_refused_event_shows_why_and_its_bytes_as_text(console: RunningConsole) -> None:
    refuse_an_event(console)
    with console.visit() as client:
        page = client.get("/events").text
    assert "invalid_event" in page
    assert "&lt;i&gt;" in page
    assert "<i>" not in page


def test_repeated_events_are_counted_by_source(console: RunningConsole) -> None:
    with console.sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        event = marketing_event(id="e-1", source="crm")
        worker.take(event, event, event)
    with console.visit("read") as client:
        page = client.get("/events").text

    row = page.split('id="source-1"')[1].split("</tr>", maxsplit=1)[0]
    assert ">crm</a>" in row
    assert 'data-label="Repeated">2</td>' in row


def test_ops_retry_a_refused_event(console: RunningConsole) -> None:
    refuse_an_event(console)
    with console.visit() as client:
        page = client.get("/events").text
        path = page.split('<form method="post" action="/events/')[1].split('"')[0]
        token = {"token": token_in(page)}

        again = client.post(f"/events/{path}", data=token, follow_redirects=True)
        assert "Refused again" in again.text
        mend(console.sessions)
        accepted = client.post(f"/events/{path}", data=token, follow_redirects=True)
        gone = client.post(f"/events/{path}", data=token, follow_redirects=True)

    assert "Accepted: 1." in accepted.text
    assert "No event was refused." in accepted.text
    assert gone.status_code == 404
    assert "there is no rejection" in gone.text


def test_readers_cannot_retry_and_reps_see_no_events(console: RunningConsole) -> None:
    refuse_an_event(console)
    with console.visit("read") as client:
        page = client.get("/events").text
        assert "/retry" not in page
        answer = client.post("/events/rejections/1/retry", data={"token": token_in(page)})
        assert answer.status_code == 403
    with console.visit("rep") as client:
        assert client.get("/events").status_code == 403
