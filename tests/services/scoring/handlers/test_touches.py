"""The touches of leads are announced when they qualify and when that is closed."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.touches import FIRST, LAST
from shared.contracts.payloads import Change, EventKind, Identity, MarketingEvent
from shared.contracts.touches import LeadTouched, TouchCause
from tests.builders import NOON, days, handoff_changed, marketing_event, minutes
from tests.seeds import random_of
from tests.services.scoring.conftest import Worker
from tests.services.scoring.handlers.helpers import lead_of

pytestmark = pytest.mark.postgres

VISITOR: dict[str, Any] = {"email": None, "anonymous_id": "a-1"}


def touch(number: int, **fields: Any) -> MarketingEvent:
    """A page view that a campaign led to, `number` minutes after noon of the day before."""
    return marketing_event(
        id=f"touch-{number:04}",
        time=NOON - days(1) + minutes(number),
        context={"campaign": {"name": f"c{number}", "medium": "email"}},
        **fields,
    )


def campaigns(touched: LeadTouched) -> list[str | None]:
    return [it.campaign for it in touched.touches]


def test_a_lead_that_qualifies_is_announced_with_its_touches_in_order(worker: Worker) -> None:
    worker.take(touch(5), marketing_event(), touch(1), marketing_event("email_opened"))
    worker.take(marketing_event("demo_requested", time=NOON), touch(3))

    [touched] = worker.touched()

    assert touched.lead_id == lead_of(worker).id
    assert (touched.qualification, touched.cause) == (1, TouchCause.QUALIFIED)
    assert touched.occurred_at == NOON
    assert touched.omitted == 0
    assert [(it.campaign, it.channel, it.type) for it in touched.touches] == [
        ("c1", "email", "page_viewed"),
        ("c3", "email", "page_viewed"),
        ("c5", "email", "page_viewed"),
        (None, "direct", "demo_requested"),
    ]
    assert {it.source for it in touched.touches} == {"website"}


def test_a_lead_that_only_ceases_to_be_qualified_is_not_announced_again(worker: Worker) -> None:
    worker.take(*(marketing_event("form_submitted") for _ in range(2)))
    worker.review_leads(NOON + days(60))

    assert len(worker.announced()) == 2
    assert [it.cause for it in worker.touched()] == [TouchCause.QUALIFIED]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (Change.WON, {}),
        (Change.LOST, {}),
        (Change.REJECTED, {"recycle": True, "reason": "not_ready", "rep": None}),
        (Change.REJECTED, {"then": "disqualify", "reason": "not_a_buyer", "rep": None}),
        (Change.RETURNED, {"recycle": True, "rep": None}),
    ],
    ids=["won", "lost", "recycled", "disqualified", "returned"],
)
def test_a_closing_is_announced_with_the_touches_until_then(
    worker: Worker, change: Change, fields: dict[str, Any]
) -> None:
    worker.take(touch(1), marketing_event("demo_requested", id="demo"))
    lead = lead_of(worker).id
    closing = handoff_changed(change, lead=lead, sequence=3, at=NOON + minutes(10), **fields)
    worker.follow(handoff_changed(Change.ASSIGNED, lead=lead, sequence=1))
    worker.take(touch(2), touch(24 * 60 + 20))

    worker.follow(closing, closing)
    worker.follow(closing)

    qualified, closed = worker.touched()
    assert (closed.cause, closed.occurred_at) == (TouchCause.CLOSED, NOON + minutes(10))
    assert (closed.lead_id, closed.qualification) == (qualified.lead_id, 1)
    assert campaigns(closed) == ["c1", "c2", None]  # not the one that came after the closing


def test_a_rejection_and_the_return_that_follows_it_are_one_closing(worker: Worker) -> None:
    worker.take(marketing_event("demo_requested"))
    lead = lead_of(worker).id
    for sequence, change in enumerate((Change.ASSIGNED, Change.REJECTED, Change.RETURNED), start=1):
        recycle = change is not Change.ASSIGNED
        worker.follow(handoff_changed(change, lead=lead, sequence=sequence, recycle=recycle))

    assert [it.cause for it in worker.touched()] == [TouchCause.QUALIFIED, TouchCause.CLOSED]


@pytest.mark.parametrize("change", [Change.REJECTED, Change.RETURNED, Change.REASSIGNED])
def test_a_handoff_that_goes_on_closes_nothing(worker: Worker, change: Change) -> None:
    worker.take(marketing_event("demo_requested"))
    lead = lead_of(worker).id
    worker.follow(handoff_changed(Change.ASSIGNED, lead=lead, sequence=1))
    worker.follow(handoff_changed(change, lead=lead, sequence=2, rep=None))

    assert [it.cause for it in worker.touched()] == [TouchCause.QUALIFIED]


@pytest.mark.parametrize("beyond", [0, 1, 50])
def test_the_first_and_the_last_touches_are_kept_and_the_others_counted(
    worker: Worker, beyond: int
) -> None:
    count = FIRST + LAST + beyond
    worker.take(*(touch(number) for number in range(count - 1)))
    worker.take(marketing_event("demo_requested"))

    [touched] = worker.touched()

    numbers = [f"c{it}" for it in range(count - 1)]
    assert touched.omitted == beyond
    assert campaigns(touched) == [*numbers[:FIRST], *numbers[count - LAST :], None]


def test_touches_of_one_instant_are_in_the_order_of_their_ids(worker: Worker) -> None:
    ids = ["b", "B", "_", "a", "A", "10", "9"]
    context = {"campaign": {"medium": "email"}}
    events = [
        marketing_event(id=it, context={"campaign": {**context["campaign"], "name": it}})
        for it in ids
    ]
    worker.take(
        *events, marketing_event("demo_requested", time=NOON + minutes(1)), now=NOON + days(1)
    )

    [touched] = worker.touched()

    assert campaigns(touched) == [*sorted(ids), None]


@pytest.mark.parametrize("seed", range(3))
def test_order_and_batches_do_not_matter(worker: Worker, seed: int) -> None:
    events = [touch(number) for number in range(FIRST + LAST + 30)]
    random_of(seed).shuffle(events)
    for at in range(0, len(events), 37):
        worker.take(*events[at : at + 37], *events[:5])
    worker.take(marketing_event("demo_requested"))

    [touched] = worker.touched()

    assert touched.omitted == 31
    assert campaigns(touched)[:FIRST] == [f"c{it}" for it in range(FIRST)]
    assert campaigns(touched)[FIRST:] == [f"c{it}" for it in range(51, 230)] + [None]


def test_a_lead_is_known_from_its_first_event_that_names_a_person(worker: Worker) -> None:
    worker.take(touch(1, **VISITOR), touch(2, **VISITOR))
    worker.take(touch(9), touch(7, anonymous_id="a-1"))
    worker.take(touch(8), marketing_event("demo_requested"))

    [touched] = worker.touched()

    assert campaigns(touched) == ["c1", "c2", "c7", "c8", "c9", None]
    assert touched.known_at == NOON - days(1) + minutes(7)


def test_a_merged_lead_is_closed_with_the_touches_of_both(worker: Worker) -> None:
    worker.take(touch(1, email="old@x.com"), touch(2, email="old@x.com"))
    worker.take(touch(3), marketing_event("demo_requested"))
    gone = lead_of(worker)
    worker.take(
        marketing_event("aliased", kind=EventKind.ALIAS, previous=Identity(email="old@x.com"))
    )
    assert lead_of(worker).id != gone.id

    worker.follow(handoff_changed(Change.WON, lead=gone.id))

    _, closed = worker.touched()
    assert closed.lead_id == gone.id
    assert campaigns(closed) == ["c1", "c2", "c3", None]
    assert closed.known_at == NOON - days(1) + minutes(1)


def test_the_agreement_may_name_channels_and_a_touch_keeps_the_one_that_it_had(
    worker: Worker,
) -> None:
    worker.publish(channels=[{"channel": "fairs", "types": ["badge_scanned"]}])
    worker.take(marketing_event("badge_scanned"))
    worker.publish(channels=[{"channel": "events", "types": ["badge_scanned"]}])
    worker.take(marketing_event("badge_scanned"), marketing_event("demo_requested"))

    [touched] = worker.touched()

    assert sorted(it.channel for it in touched.touches) == ["direct", "events", "fairs"]


def test_touches_hold_nothing_personal(worker: Worker) -> None:
    who: dict[str, Any] = {"email": "ada@example.com", "phone": "+4930123", "user_id": "ada-7"}
    worker.take(
        marketing_event(
            "demo_requested",
            id="ada@example.com/1",
            traits={"name": "Ada Lovelace"},
            properties={"form": "Ada Lovelace"},
            **who,
        )
    )

    [touched] = worker.touched()

    assert not {"ada", "lovelace", "+49"} & {
        it for it in ("ada", "lovelace", "+49") if it in str(touched).lower()
    }


def test_nothing_is_announced_of_leads_that_nobody_knows(worker: Worker) -> None:
    worker.follow(handoff_changed(Change.WON, lead="nobody"))

    assert worker.touched() == []
