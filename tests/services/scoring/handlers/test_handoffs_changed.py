"""Changes of handoffs change leads and holdings, each once."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.lead import Stage
from services.scoring.queries import leads
from services.scoring.queries.holdings import holdings_of
from shared.contracts.payloads import Change, EventKind, Identity
from tests.builders import DEFAULT_SECTIONS, NOON, days, handoff_changed, marketing_event, minutes
from tests.services.scoring.conftest import Worker
from tests.services.scoring.handlers.helpers import lead_of

pytestmark = pytest.mark.postgres


def test_sales_is_followed_and_a_closed_lead_may_raise_its_hand_again(worker: Worker) -> None:
    worker.take(marketing_event("demo_requested"))
    lead = lead_of(worker)
    worker.follow(
        handoff_changed(Change.ACCEPTED, lead=lead.id, sequence=2),
        handoff_changed(Change.ASSIGNED, lead=lead.id, sequence=1),
    )
    assert lead_of(worker).stage is Stage.ACCEPTED
    worker.take(marketing_event("demo_requested"))
    assert len(worker.announced()) == 1

    worker.follow(handoff_changed(Change.LOST, lead=lead.id, sequence=3))
    worker.follow(handoff_changed(Change.ACCEPTED, lead=lead.id, sequence=2))
    assert lead_of(worker).stage is Stage.LOST
    worker.take(marketing_event("demo_requested"))

    assert [it.qualification for it in worker.announced()] == [1, 2]


def test_a_lead_that_was_handed_back_waits_as_its_version_of_the_agreement_says(
    worker: Worker,
) -> None:
    reasons = [{"id": "not_ready", "then": "recycle", "wait": "30d"}]
    second = worker.publish(routing={**DEFAULT_SECTIONS["routing"], "reject_reasons": reasons})
    for email, version in (("ada@example.com", 1), ("bob@example.com", second)):
        worker.take(*(marketing_event("form_submitted", email=email) for _ in range(2)))
        lead = lead_of(worker, f"email/{email}")
        fields: dict[str, Any] = {"lead": lead.id, "agreement_version": version, "rep": None}
        change = handoff_changed(
            Change.REJECTED, recycle=True, reason="not_ready", sequence=2, **fields
        )
        worker.follow(change, change)
    worker.review_leads(NOON)
    worker.take(marketing_event(), marketing_event(email="bob@example.com"))

    assert [it.lead_id for it in worker.announced()] == [
        lead_of(worker).id,
        lead_of(worker, "email/bob@example.com").id,
    ]
    assert lead_of(worker).rearm_at is None
    bob = lead_of(worker, "email/bob@example.com")
    assert (bob.stage, bob.armed, bob.rearm_at) == (Stage.RECYCLED, False, NOON + days(30))
    assert bob.review_at == NOON + days(30)  # although its engagement falls before


def test_news_of_a_joined_lead_reaches_the_one_that_stayed(worker: Worker) -> None:
    worker.take(marketing_event(email="old@x.com", time=NOON - days(1)))
    worker.take(marketing_event("demo_requested"))
    gone = lead_of(worker)
    worker.take(
        marketing_event(
            "aliased",
            kind=EventKind.ALIAS,
            previous=Identity(email="old@x.com"),
        )
    )
    assert lead_of(worker).id != gone.id
    assert lead_of(worker).stage is Stage.QUALIFIED

    worker.follow(handoff_changed(Change.WON, lead=gone.id))

    assert lead_of(worker).stage is Stage.WON
    worker.take(marketing_event("demo_requested"))
    assert [(it.lead_id, it.qualification) for it in worker.announced()] == [
        (gone.id, 1),
        (lead_of(worker).id, 2),
    ]


def test_news_of_an_unknown_lead_is_nothing(worker: Worker) -> None:
    worker.follow(handoff_changed(Change.WON))

    assert leads.leads_after(worker.session, None, limit=10) == []


def test_a_handoff_has_one_holder_however_often_its_changes_come(worker: Worker) -> None:
    lost_at = NOON + minutes(5)
    assigned = handoff_changed()
    moved = [
        handoff_changed(Change.REJECTED, sequence=2, rep=None, at=NOON, recorded_at=lost_at),
        handoff_changed(Change.REASSIGNED, sequence=3, rep="linus", at=NOON + minutes(6)),
        handoff_changed(Change.LOST, sequence=4, rep="linus", at=NOON + minutes(7)),
    ]
    for changes in ([assigned], moved, [assigned], [*moved, assigned]):
        worker.follow(*changes)

    holdings = holdings_of(worker.session, [assigned.handoff_id])
    assert {it.rep: (it.lead_id, it.until) for it in holdings} == {
        "grace": (assigned.lead_id, lost_at),
        "linus": (assigned.lead_id, None),
    }
