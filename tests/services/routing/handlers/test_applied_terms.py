"""What earlier hops and later versions of the agreement do to the due times that reps are notified of and shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answer_links import AnswerLink
from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Assigner, on_answer, on_sla_changed
from services.routing.handlers.answer_pages import read_answer_page
from services.routing.tables import applied_terms, deliveries
from shared.contracts.payloads import Change, ClockChange, Scope
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, lead_qualified, sla_changed, sla_message
from tests.services.routing.builders import (
    build_assigner,
    entry,
    importing,
    publishing,
    qualifying,
)

pytestmark = pytest.mark.postgres

ADA = handoff_id(an_id("ada"), 1)
GRACE = Actor("rep", "grace")
ROUTING = {
    **DEFAULT_SECTIONS["routing"],
    "pause_reasons": [{"id": "later", "kinds": ["first_touch"], "longest": "30m"}],
}
JOURNEY = {"kind": "first_touch", "scope": "journey", "anchor": "qualified"}
ACCEPT = {"id": "accept", "kind": "accept", "scope": "hop", "anchor": "assigned"}


def promised(accept: str, journey: str | None) -> dict[str, Any]:
    """The section of an agreement with these targets; None: without the promise of the journey."""
    policies = [{**ACCEPT, "target": accept}]
    policies += [{"id": "journey", **JOURNEY, "target": journey}] if journey else []
    return {**DEFAULT_SECTIONS["sla"], "policies": policies}


@pytest.fixture
def assigner(session: Session) -> Assigner:
    """Grace has Ada's handoff since noon, which Linus gets when she hands it back."""
    assigner = build_assigner(session, routing=ROUTING, sla=promised("1h", "2h"))
    linus = entry("linus", endpoint={"url": "http://127.0.0.1:9/reps/linus"})
    importing(session, entry("grace"), {**linus, "capacity": {"open": 1}})
    qualifying(session, assigner, lead_qualified(lead="ada"))
    return assigner


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def answer(
    session: Session, assigner: Assigner, change: Change, minute: float, **details: Any
) -> None:
    answered = Answer(change, details=details)
    on_answer(session, ADA, answered, actor=GRACE, assigner=assigner, now=after(minute))


def due_in_webhook(session: Session, rep: str) -> dict[str, str]:
    """The due times in the rep's webhook of the assignment, by policy."""
    statement = select(deliveries.c.body).where(
        deliveries.c.endpoint == f"rep/{rep}", deliveries.c.type == "handoff.assigned"
    )
    data = orjson.loads(session.scalars(statement).one())["data"]
    return {it["policy"]: it["due_at"][11:16] for it in data["due"]}


def due_on_page(
    session: Session, assigner: Assigner, rep: str, hop: int, minute: float
) -> list[str]:
    """The due times on the rep's answer page."""
    link = AnswerLink(ADA, hop, rep, after(10_000))
    page = read_answer_page(session, link, assigner=assigner, now=after(minute))
    return [f"{it.due_at:%H:%M}" for it in page.promises]


def change(
    session: Session, assigner: Assigner, what: ClockChange, minute: float, **fields: Any
) -> None:
    """The SLA monitor announces this change of a clock."""
    message = sla_message(sla_changed(what, handoff_id=ADA, at=after(minute), **fields))
    for _ in range(2):
        on_sla_changed(session, [message], after(minute), assigner=assigner)


def hand_back(session: Session, assigner: Assigner, minute: float) -> None:
    answer(session, assigner, Change.REJECTED, minute, reason="no_capacity")


def test_the_next_rep_is_told_due_times_after_the_pauses_of_earlier_hops(
    session: Session, assigner: Assigner
) -> None:
    answer(session, assigner, Change.PAUSED, 10, reason="later")
    answer(session, assigner, Change.RESUMED, 25)
    hand_back(session, assigner, 30)

    assert due_in_webhook(session, "grace") == {"accept": "13:00", "journey": "14:00"}
    assert due_in_webhook(session, "linus") == {"accept": "13:30", "journey": "14:15"}
    assert due_on_page(session, assigner, "linus", 2, 40) == ["13:30", "14:15"]


def test_a_pause_ends_with_its_hop_for_the_next_rep_too(
    session: Session, assigner: Assigner
) -> None:
    answer(session, assigner, Change.PAUSED, 10, reason="later")
    hand_back(session, assigner, 15)
    assert due_in_webhook(session, "linus")["journey"] == "14:05"


def test_an_applied_version_counts_on_the_page_and_for_the_next_rep(
    session: Session, assigner: Assigner
) -> None:
    publishing(session, routing=ROUTING, sla=promised("20m", "5h"))
    change(
        session,
        assigner,
        ClockChange.MOVED,
        5,
        kind="accept",
        policy="accept",
        agreement_version=2,
        due_at=after(20),
    )
    assert due_on_page(session, assigner, "grace", 1, 6) == ["12:20", "17:00"]

    hand_back(session, assigner, 30)
    assert due_in_webhook(session, "linus") == {"accept": "12:50", "journey": "17:00"}
    assert due_on_page(session, assigner, "linus", 2, 31) == ["12:50", "17:00"]
    assert len(session.execute(select(applied_terms)).all()) == 1


def test_a_policy_that_ended_is_shown_no_more(session: Session, assigner: Assigner) -> None:
    change(
        session,
        assigner,
        ClockChange.CANCELLED,
        5,
        policy="journey",
        scope=Scope.JOURNEY,
        hop=0,
        due_at=after(120),
    )

    assert due_on_page(session, assigner, "grace", 1, 6) == ["13:00"]
    hand_back(session, assigner, 30)
    assert due_in_webhook(session, "linus") == {"accept": "13:30"}


@pytest.mark.parametrize(
    ("what", "due_at", "times"),
    [
        (ClockChange.MOVED, after(25), (after(25), after(15))),
        (ClockChange.CANCELLED, after(60), (None, None)),
    ],
)
def test_fallbacks_follow_the_accept_clock(
    session: Session,
    assigner: Assigner,
    what: ClockChange,
    due_at: datetime,
    times: tuple[datetime | None, datetime | None],
) -> None:
    publishing(session, routing=ROUTING, sla=promised("25m", "2h"))
    columns = (deliveries.c.accept_due_at, deliveries.c.fallback_at)
    statement = select(*columns).where(deliveries.c.endpoint == "rep/grace")
    assert session.execute(statement).one() == (after(60), after(30))

    fields = {"kind": "accept", "policy": "accept", "due_at": due_at}
    change(session, assigner, what, 5, agreement_version=2, **fields)

    assert session.execute(statement).one() == times
