"""Whom the steps of a ladder notify, of what, and when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.routing.domain.handoff import State
from services.routing.domain.promises import (
    Notice,
    Recipient,
    promise_notification,
    recipient_of,
    settled_clocks,
)
from shared.contracts.payloads import ClockChange, SlaChanged
from tests.builders import NOON, sla_changed
from tests.services.routing.builders import at, build_policy, handoff, rep

URL = "https://leads.example"
TEAM = replace(build_policy(), lead="claire")
SATURDAY = at(21)
MONDAY_MORNING = at(23, 9)


def escalated(step: str | None, **fields: Any) -> SlaChanged:
    """A step of a ladder, about the builders' handoff."""
    return sla_changed(ClockChange.ESCALATED, step=step, **fields)


def notice(step: str, **fields: Any) -> Notice:
    """The notice of a step of a ladder."""
    clock = escalated(step, **fields)
    recipient = recipient_of(clock)
    assert recipient is not None
    return Notice(clock, "clock/escalated/1", recipient, TEAM)


@pytest.mark.parametrize(
    ("clock", "recipient"),
    [
        (sla_changed(ClockChange.BREACHED), Recipient.TEAM),
        (sla_changed(ClockChange.BREACHED, step="team"), Recipient.TEAM),
        (sla_changed(ClockChange.BREACHED, step="none"), None),
        (escalated("rep"), Recipient.REP),
        (escalated("lead"), Recipient.LEAD),
        (escalated("team"), Recipient.TEAM),
        (escalated("ops"), Recipient.OPS),
        (escalated("a step of a later version"), None),
        (escalated(None), None),
        (sla_changed(ClockChange.AT_RISK), None),
        (sla_changed(ClockChange.MET), None),
    ],
    ids=lambda it: it.change if isinstance(it, SlaChanged) else str(it),
)
def test_the_ladder_says_who_is_notified(clock: SlaChanged, recipient: Recipient | None) -> None:
    assert recipient_of(clock) is recipient


@pytest.mark.parametrize(
    ("step", "endpoints"),
    [
        ("rep", ["rep/grace", "team/sales", "ops"]),
        ("lead", ["rep/claire", "team/sales", "ops"]),
        ("team", ["team/sales", "ops"]),
        ("ops", ["ops"]),
    ],
)
def test_whoever_has_no_endpoint_is_stood_in_for(step: str, endpoints: list[str]) -> None:
    assert notice(step).endpoints == endpoints


def test_without_a_lead_the_team_is_notified() -> None:
    assert notice("lead")._replace(team=build_policy()).endpoints == ["team/sales", "ops"]
    assert notice("lead")._replace(team=None).endpoints == ["team/sales", "ops"]


def test_a_rep_is_not_notified_of_a_handoff_that_moved_on() -> None:
    of_rep, of_team = notice("rep"), notice("team")

    assert not of_rep.is_outdated(handoff())
    assert not of_rep.is_outdated(None)
    assert of_rep.is_outdated(handoff(rep="linus"))
    assert of_rep.is_outdated(handoff(State.LOST))
    assert not of_team.is_outdated(handoff(rep="linus"))


@pytest.mark.parametrize(
    ("kind", "state", "is_over"),
    [
        ("accept", State.ASSIGNED, False),
        ("accept", State.WON, True),
        ("satisfaction", State.WON, False),
        ("satisfaction", State.LOST, True),
    ],
)
def test_promises_are_over_at_the_end_but_those_that_begin_with_a_win(
    kind: str, state: State, *, is_over: bool
) -> None:
    of_rep = notice("rep", kind=kind)
    closed = handoff(state, closed_at=None if state.live else NOON)

    assert (of_rep.is_over(closed), of_rep.is_outdated(closed)) == (is_over, is_over)
    assert of_rep.is_outdated(closed._replace(rep="linus"))
    assert not of_rep.is_over(None)


@pytest.mark.parametrize(
    ("of_step", "endpoint", "now", "not_before"),
    [
        (notice("rep", waits=True), "rep/grace", SATURDAY, MONDAY_MORNING),
        (notice("lead", waits=True), "rep/claire", SATURDAY, MONDAY_MORNING),
        (notice("rep", waits=True), "rep/grace", MONDAY_MORNING, MONDAY_MORNING),
        (notice("rep"), "rep/grace", SATURDAY, None),
        (notice("rep", waits=True), "team/sales", SATURDAY, None),
        (notice("ops", waits=True), "ops", SATURDAY, None),
    ],
    ids=["the rep", "the lead", "in hours", "sent at once", "the team instead", "ops"],
)
def test_a_message_to_a_person_may_wait_for_their_hours(
    of_step: Notice, endpoint: str, now: datetime, not_before: datetime | None
) -> None:
    reps = {it: rep(it) for it in ("grace", "claire")}

    assert of_step.not_before(endpoint, reps, now) == not_before


def test_nobody_waits_for_the_hours_of_a_team_that_is_not_known() -> None:
    of_unknown = notice("rep", waits=True)._replace(team=None)

    assert of_unknown.not_before("rep/grace", {"grace": rep("grace")}, SATURDAY) is None


def test_a_step_before_the_due_time_is_of_a_promise_at_risk() -> None:
    clock = escalated("rep", due_at=NOON + timedelta(minutes=30))

    at_risk = promise_notification(
        clock, handoff(hop=2), endpoint="rep/grace", cause="clock/escalated/1", public_url=URL
    )

    assert (at_risk.type, at_risk.hop) == ("handoff.at_risk", 2)
    body = json.loads(at_risk.body)
    assert body["timestamp"] == "2026-11-18T12:00:00+00:00"
    assert body["data"]["promise"]["due_at"] == "2026-11-18T12:30:00Z"
    assert body["data"]["lead"]["email"] == "ada@example.com"


def test_a_breach_of_an_unknown_handoff_has_its_ids() -> None:
    clock = sla_changed(due_at=NOON)
    known = promise_notification(
        clock, handoff(), endpoint="team/sales", cause="clock/breached", public_url=URL
    )
    unknown = promise_notification(
        clock, None, endpoint="team/sales", cause="clock/breached", public_url=URL
    )

    assert known.id == unknown.id
    assert (unknown.type, unknown.hop) == ("handoff.breached", clock.hop)
    assert json.loads(known.body)["data"]["breach"]["due_at"] == "2026-11-18T12:00:00Z"
    assert json.loads(known.body)["data"]["lead"]["email"] == "ada@example.com"
    assert json.loads(unknown.body)["data"]["handoff"]["id"] == str(clock.handoff_id)


@pytest.mark.parametrize(
    ("waits", "now", "waits_until"),
    [(True, SATURDAY, MONDAY_MORNING), (True, MONDAY_MORNING, None), (False, SATURDAY, None)],
    ids=["out of hours", "in hours", "sent at once"],
)
def test_a_message_that_waits_names_its_clock(
    *, waits: bool, now: datetime, waits_until: datetime | None
) -> None:
    of_rep = notice("rep", waits=waits)
    message = promise_notification(
        of_rep.clock, handoff(), endpoint="rep/grace", cause="cause", public_url=URL
    )

    waiting = of_rep.waiting(message, {"grace": rep("grace")}, now)

    assert waiting.not_before == waits_until
    assert waiting.clock_id == (of_rep.clock.clock_id if waits_until else None)


def test_a_promise_is_settled_by_its_last_change() -> None:
    def changes(*names: ClockChange) -> list[SlaChanged]:
        return [sla_changed(it) for it in names]

    ids = {(it.handoff_id, it.clock_id) for it in changes(ClockChange.MET)}
    assert settled_clocks(changes(ClockChange.ESCALATED, ClockChange.MET)) == ids
    assert settled_clocks(changes(ClockChange.BREACHED, ClockChange.RETRACTED)) == ids
    assert settled_clocks(changes(ClockChange.RETRACTED, ClockChange.BREACHED)) == set()
