"""A lead that a rep refused: it is not sticky to the rep, and after a recycle it never comes back to the rep."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import State, handoff_id
from services.routing.domain.reassignment import Reassignment
from services.routing.handlers import Assigner, on_answer, on_reassignment
from services.routing.handlers.explanation import explain
from services.routing.queries import handoffs
from shared.contracts.payloads import Change
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, lead_qualified
from tests.services.routing.builders import (
    URL,
    announced,
    announced_changes,
    build_assigner,
    entry,
    importing,
    qualifying,
)

pytestmark = pytest.mark.postgres


def qualified(session: Session, assigner: Assigner, number: int) -> tuple[str, str | None]:
    """Let Ada qualify for the n-th time; the last change that is announced."""
    later = NOON + timedelta(minutes=number)
    qualifying(
        session, assigner, lead_qualified(lead="ada", qualification=number, at=later), now=later
    )
    return announced_changes(session)[-1]


def answer(
    session: Session,
    assigner: Assigner,
    number: int,
    change: Change,
    reason: str | None = None,
    *,
    by: Actor,
) -> None:
    details = {"reason": reason} if reason else {}
    on_answer(
        session,
        handoff_id(an_id("ada"), number),
        Answer(change, details=details),
        actor=by,
        assigner=assigner,
        now=NOON + timedelta(minutes=number),
    )


GRACE, LINUS, OPS = Actor("rep", "grace"), Actor("rep", "linus"), Actor("ops", "olga")


@pytest.mark.parametrize("by", [GRACE, OPS], ids=["rep", "ops"])
def test_a_recycled_lead_never_comes_back_to_the_rep_who_refused_it(
    session: Session, by: Actor
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", weight=9.0), entry("linus"))
    assert qualified(session, assigner, 1) == ("assigned", "grace")
    answer(session, assigner, 1, Change.REJECTED, "not_ready", by=by)

    assert qualified(session, assigner, 2) == ("assigned", "linus")
    answer(session, assigner, 2, Change.LOST, "price", by=LINUS)
    importing(session, entry("grace"), entry("linus", active=False))
    assert qualified(session, assigner, 3) == ("waiting", None)

    third = handoffs.find_handoff(session, handoff_id(an_id("ada"), 3))
    assert third is not None
    [decision] = explain(session, third, assigner=Assigner(URL))
    excluded = {
        it["rep"]: [why["reason"] for why in it["excluded"]] for it in decision["candidates"]
    }
    assert excluded == {"grace": ["refused"], "linus": ["inactive"]}


def test_after_a_refusal_a_lead_is_not_sticky_to_the_rep_who_refused_it(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus", weight=0.001))
    assert qualified(session, assigner, 1) == ("assigned", "grace")
    answer(session, assigner, 1, Change.WON, by=GRACE)
    importing(session, entry("grace", weight=0.001), entry("linus", weight=9.0))
    assert qualified(session, assigner, 2) == ("assigned", "grace")  # sticky after a win
    answer(session, assigner, 2, Change.REJECTED, "no_capacity", by=GRACE)
    assert announced_changes(session)[-1] == ("reassigned", "linus")
    importing(session, entry("grace"), entry("tim"))
    answer(session, assigner, 2, Change.REJECTED, "not_ready", by=OPS)

    assert qualified(session, assigner, 3) == ("assigned", "tim")


def test_a_rep_who_refused_for_lack_of_time_may_get_a_later_qualification(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))
    qualified(session, assigner, 1)
    answer(session, assigner, 1, Change.REJECTED, "no_capacity", by=GRACE)
    importing(session, entry("grace"), entry("linus"))
    later = NOON + timedelta(minutes=1)
    qualifying(session, assigner, lead_qualified(lead="alan"), now=later)
    assert ("reassigned", "linus") in announced_changes(session)
    answer(session, assigner, 1, Change.LOST, "price", by=OPS)
    importing(session, entry("grace"))

    assert qualified(session, assigner, 2) == ("assigned", "grace")


def test_a_lead_that_is_recycled_too_often_is_disqualified(session: Session) -> None:
    qualification = {**DEFAULT_SECTIONS["qualification"], "recycle": {"max_cycles": 2}}
    assigner = build_assigner(session, qualification=qualification)
    importing(session, entry("grace"), entry("linus"), entry("tim"))
    consequences = []
    for number in (1, 2, 3):
        qualified(session, assigner, number)
        answer(session, assigner, number, Change.REJECTED, "not_ready", by=OPS)
        rejected, returned = announced(session)[-2:]
        assert (rejected.change, returned.change) == (Change.REJECTED, Change.RETURNED)
        assert rejected.then == returned.then
        consequences.append((rejected.then, rejected.recycle))

    assert consequences == [("recycle", True), ("recycle", True), ("disqualify", False)]
    third = handoffs.find_handoff(session, handoff_id(an_id("ada"), 3))
    assert third is not None
    assert (third.state, third.rep) == (State.DISQUALIFIED, None)


def test_a_disqualified_lead_never_comes_back_to_the_rep_who_disqualified_it(
    session: Session,
) -> None:
    reasons = [{"id": "a_student", "then": "disqualify"}]
    assigner = build_assigner(
        session, routing={**DEFAULT_SECTIONS["routing"], "reject_reasons": reasons}
    )
    importing(session, entry("grace", weight=9.0), entry("linus"))
    assert qualified(session, assigner, 1) == ("assigned", "grace")
    answer(session, assigner, 1, Change.REJECTED, "a_student", by=GRACE)

    assert qualified(session, assigner, 2) == ("assigned", "linus")


def test_a_reassignment_is_no_refusal(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"))
    assert qualified(session, assigner, 1) == ("assigned", "grace")
    importing(session, entry("grace"), entry("linus"))
    id = handoff_id(an_id("ada"), 1)
    command = Reassignment("ops/olga", "on leave")
    on_reassignment(session, id, command, hop=1, assigner=assigner, now=NOON)
    assert announced_changes(session)[-1] == ("reassigned", "linus")
    assert [it.then for it in announced(session)] == [None, None]
    answer(session, assigner, 1, Change.LOST, "price", by=LINUS)
    importing(session, entry("grace"))

    assert qualified(session, assigner, 2) == ("assigned", "grace")
