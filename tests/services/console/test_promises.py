"""The pages of promises: the board, a clock's explanation, acknowledgements, attainment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from services.console.apis import Gap, Service
from services.console.pages.clock import MAX_TICKS, ticks_between
from services.console.pages.promises import share_left
from services.console.report.names import names_of
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import advance_application, start_application
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.tables import clocks
from shared.agreement.store import Policies
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from tests.builders import NOON, an_id
from tests.services.console.site import RunningConsole, running_console, token_in
from tests.services.sla_monitor.builders import (
    TOUCH,
    handle_changes,
    minutes_after_noon,
    numbered,
    policy,
    publish_policies,
    step,
)

pytestmark = pytest.mark.postgres

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def console(sessions: Sessions) -> Iterator[RunningConsole]:
    """At 13:30: Amira has answered a lead in time and one never, and Jonas has until 14:00."""
    ladder = [{"after": "15m", "notify": "ops"}]
    with sessions.begin() as session:
        publish_policies(session, TOUCH | {"ladder": ladder}, policy("slow", target="3h"))
        for lead, answered in (("met", 20), ("late", None)):
            fields: dict[str, Any] = {
                "lead": lead,
                "rep": "amira",
                "sources": ("ads", f"of_{lead}"),
            }
            fields |= {"campaign": f"q4 {EVIL}"} if lead == "late" else {}
            fields |= {"lead_name": f"Lead {lead} {EVIL}"}
            steps = [step(Change.ASSIGNED, **fields)]
            if answered is not None:
                steps.append(step(Change.CONTACTED, answered, **fields))
            handle_changes(session, *numbered(*steps), minute=60)
        fields = {"lead": "other", "rep": "jonas", "assigned_at": minutes_after_noon(60)}
        handle_changes(session, step(Change.ASSIGNED, **fields), minute=60)
        fire_due_clocks(session, now=minutes_after_noon(80))
    with running_console(sessions, now=minutes_after_noon(90)) as console:
        yield console


def breached_clock(sessions: Sessions) -> str:
    """The id of the clock that is broken."""
    is_broken = clocks.c.ended_at.is_(None), clocks.c.due_at <= minutes_after_noon(60)
    with sessions() as session:
        return str(session.scalar(select(clocks.c.id).where(*is_broken)))


def test_the_board_shows_what_is_broken_and_what_runs(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/sla")
    assert page.status_code == 200
    assert "Lead late" in page.text
    assert EVIL not in page.text
    for words in ("Open breaches", "At risk", "Running", "30 min ago", "Acknowledge"):
        assert words in page.text
    assert 'id="live"' in page.text


def test_the_board_is_narrowed_by_its_address(console: RunningConsole) -> None:
    with console.visit() as client:
        of_jonas = client.get("/sla", params={"rep": "jonas"})
        opened = client.get("/sla", params={"show": "upcoming", "kind": "first_touch"})
    assert "Lead late" not in of_jonas.text
    assert "No promise is broken." in of_jonas.text
    assert "Time left" in opened.text
    assert "breaches-title" not in opened.text


def test_the_board_is_narrowed_by_source_and_campaign(console: RunningConsole) -> None:
    with console.visit() as client:
        of_source = client.get("/sla", params={"source": "of_late", "campaign": f"q4 {EVIL}"})
        of_another = client.get("/sla", params={"source": "of_met"})
        table = client.get("/sla.csv", params={"source": "of_late"})
        every = client.get("/sla")
    assert "Lead late" in of_source.text
    assert EVIL not in of_source.text
    assert "These numbers are of all sources and campaigns" in of_source.text
    assert "Lead late" not in of_another.text
    assert "Lead late" in table.text
    assert "These numbers" not in every.text


def test_a_breach_is_acknowledged_with_a_form(console: RunningConsole) -> None:
    clock = breached_clock(console.sessions)
    with console.visit() as client:
        page = client.get(f"/sla/clocks/{clock}")
        fields = {"token": token_in(page.text), "note": f"called her {EVIL}"}
        answer = client.post(f"/sla/clocks/{clock}/acknowledge", data=fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sla/clocks/{clock}")
        after = client.get(answer.headers["location"])
        board = client.get("/sla")
    assert "Acknowledge this breach" in page.text
    assert "The breach is acknowledged." in after.text
    assert "Acknowledge this breach" not in after.text
    for page in (after, board):
        assert "called her &lt;script&gt;" in page.text


def test_a_refusal_is_shown_with_its_reason(console: RunningConsole) -> None:
    clock = breached_clock(console.sessions)
    with console.visit() as client:
        token = token_in(client.get("/sla").text)
        fields = {"token": token, "note": "x" * 501}
        answer = client.post(f"/sla/clocks/{clock}/acknowledge", data=fields)
        forged = client.post(f"/sla/clocks/{clock}/acknowledge", data={"note": "x"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert forged.status_code == 400


def test_a_clock_is_explained_by_a_timeline(console: RunningConsole) -> None:
    clock = breached_clock(console.sessions)
    with console.visit() as client:
        page = client.get(f"/sla/clocks/{clock}")
    assert '<svg class="plot"' in page.text
    for words in ("1 h counted", "30 min overdue", ">due<", ">now<", "ops notified", "office"):
        assert words in page.text
    assert "style=" not in page.text


def test_the_timeline_of_a_promise_that_runs_shows_what_is_left(console: RunningConsole) -> None:
    with console.sessions() as session:
        runs = clocks.c.due_at > minutes_after_noon(90)
        clock = session.scalar(select(clocks.c.id).where(runs, clocks.c.ended_at.is_(None)))
    with console.visit() as client:
        page = client.get(f"/sla/clocks/{clock}")
    assert "30 min left" in page.text


def test_a_promise_that_was_moved_shows_each_version_that_it_counted_by(
    console: RunningConsole,
) -> None:
    with console.sessions.begin() as session:
        runs = clocks.c.due_at > minutes_after_noon(90), clocks.c.policy == "touch"
        clock = session.scalar(select(clocks.c.id).where(*runs, clocks.c.ended_at.is_(None)))
        version = publish_policies(session, policy("touch", target="5h"))
        policies, now = Policies(SlaPolicy), minutes_after_noon(90)
        start_application(session, policies, version, actor="ops/maria", now=now)
        advance_application(session, policies, time_source=lambda: now)
    with console.visit() as client:
        page = client.get(f"/sla/clocks/{clock}")
    assert f"version {version}, 5 h by the calendar" in page.text
    assert "as ops applied it to running promises" in page.text


def test_attainment_has_a_table_and_plots(console: RunningConsole) -> None:
    with console.visit() as client:
        teams = client.get("/sla/attainment")
        reps = client.get("/sla/attainment", params={"by": "rep"})
        wall = {"by": "rep", "team": "sales", "time": "wall"}
        of_team = client.get("/sla/attainment", params=wall)
        none = client.get("/sla/attainment", params={"until": "2025-01-01"})
    assert "Promises kept" in teams.text
    assert "Time to the first touch: half within, in working time" in teams.text
    assert "Name a team to see its reps" in reps.text
    assert "in time by the wall" in of_team.text
    assert "No promise was due on these dates." in none.text


def test_attainment_of_one_kind_of_promise(console: RunningConsole) -> None:
    with console.visit() as client:
        page = client.get("/sla/attainment", params={"kind": "first_touch"})
        table = client.get("/sla/attainment.csv", params={"kind": "first_touch"})
        no_kind = client.get("/sla/attainment", params={"kind": "accept"})

    assert "Promises of the kind first touch that were due" in page.text
    assert '<option value="first_touch" selected>' in page.text
    assert "sales" in table.text
    assert "No promise was due on these dates." in no_kind.text


def test_attainment_by_campaign_leads_to_its_promises(console: RunningConsole) -> None:
    with console.visit() as client:
        campaigns = client.get("/sla/attainment", params={"by": "campaign"})
        sources = client.get("/sla/attainment", params={"by": "source", "source": "ads"})
        table = client.get("/sla/attainment.csv", params={"by": "source"})
        daily = client.get("/sla/attainment/daily.csv", params={"by": "campaign"})
        refusal = client.get("/sla/attainment", params={"by": "source", "campaign": "q4"})
    assert (
        'href="/sla?campaign=q4+' in campaigns.text or 'href="/sla?campaign=q4%20' in campaigns.text
    )
    assert EVIL not in campaigns.text
    assert "<td>no campaign</td>" in campaigns.text
    assert "counts under each of them" in sources.text
    assert "Promises kept" in sources.text
    assert "of_late" not in sources.text
    assert "of_late" in table.text
    assert "q4" in daily.text
    assert refusal.status_code == 422
    assert "not both" in refusal.text


@pytest.mark.parametrize("path", ["/", "/sla", "/sla?show=breaches", "/sla/clocks/{clock}"])
def test_the_live_part_of_a_page_comes_by_its_stream(console: RunningConsole, path: str) -> None:
    view = path.format(clock=breached_clock(console.sessions))
    with console.visit() as client, client.stream("GET", "/live", params={"view": view}) as stream:
        assert stream.status_code == 200
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        assert 'id="live"' in next(lines)
        assert any("Lead late" in line for line in lines)


def test_a_rep_sees_their_own_promises_and_cannot_acknowledge(console: RunningConsole) -> None:
    clock = breached_clock(console.sessions)
    with console.visit("rep") as client:
        board, explained = client.get("/sla"), client.get(f"/sla/clocks/{clock}")
        fields = {"token": token_in(board.text), "note": "x"}
        refused = client.post(f"/sla/clocks/{clock}/acknowledge", data=fields)
        own = client.get("/sla/attainment", params={"by": "rep"})
        by_source = client.get("/sla/attainment", params={"by": "source", "campaign": "x"})
    assert "Lead late" in board.text
    assert "jonas" not in board.text
    assert "Acknowledge this breach" not in explained.text
    assert refused.status_code == 403
    assert "jonas" not in own.text
    assert by_source.status_code == 200
    assert "<option>source</option>" not in by_source.text


def test_a_service_that_is_away_leaves_a_sentence_in_its_place(sessions: Sessions) -> None:
    with running_console(sessions, away=Service.SLA) as console, console.visit() as client:
        for path in ("/sla", "/sla/attainment", f"/sla/clocks/{an_id('none')}"):
            page = client.get(path)
            assert page.status_code == 200
            assert "the SLA monitor does not answer" in page.text


def test_without_routing_a_page_shows_ids_in_place_of_names() -> None:
    assert names_of(Gap("routing does not answer")) == {}
    assert names_of({"items": [{"id": "amira", "name": "Amira Haddad"}]}) == {
        "amira": "Amira Haddad"
    }


@pytest.mark.parametrize(
    "length",
    [timedelta(minutes=10), timedelta(hours=5), timedelta(days=3), timedelta(days=400)],
    ids=str,
)
def test_a_timeline_has_a_few_round_ticks(length: timedelta) -> None:
    ticks = ticks_between(NOON, NOON + length, ZoneInfo("Europe/Berlin"))
    assert 1 <= len(ticks) <= MAX_TICKS + 1
    assert all(NOON <= it.at <= NOON + length for it in ticks)


def test_the_share_of_time_that_is_left_lies_between_0_and_1() -> None:
    clock = {"started_at": NOON.isoformat(), "due_at": minutes_after_noon(60).isoformat()}
    shares = [share_left(clock, minutes_after_noon(it)) for it in (-5, 0, 45, 60, 90)]
    assert shares == [1.0, 1.0, 0.25, 0.0, 0.0]
