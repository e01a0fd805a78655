"""The order of events in the ledger: that of the domain."""

from __future__ import annotations

import pytest

from services.scoring.domain.profile import event_order
from services.scoring.queries import leads, ledger
from tests.builders import NOON, marketing_event
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres


def test_the_ledger_lists_events_of_one_instant_in_the_order_of_the_domain(worker: Worker) -> None:
    ids = ["a", "B", "_", "a-1", "A", "1", "ä", "z"]
    events = [
        marketing_event(id=id, source=source) for id in ids for source in ("web-2", "web", "Web")
    ]
    worker.take(*events)
    latest_first = sorted(events, key=event_order, reverse=True)
    lead_id = leads.owners(worker.session, ["email/ada@example.com"])["email/ada@example.com"]

    listed = ledger.events_before(worker.session, lead_id, before=None, until=None, limit=100)
    latest = ledger.latest_events(worker.session, [lead_id], ["page_viewed"])[lead_id]

    assert [(it.source, it.id) for it in listed] == [(it.source, it.id) for it in latest_first]
    assert latest == listed[: len(latest)]
    rest = ledger.events_before(
        worker.session, lead_id, before=event_order(listed[4]), until=None, limit=100
    )
    assert rest == listed[5:]


def test_the_latest_events_of_a_lead_are_its_own(worker: Worker) -> None:
    worker.take(
        *(
            marketing_event(id=f"{name}-{number}", email=f"{name}@example.com")
            for name in ("ada", "ben", "cy")
            for number in range(3)
        )
    )
    owners = leads.owners(
        worker.session, [f"email/{name}@example.com" for name in ("ada", "ben", "cy")]
    )

    latest = ledger.latest_events(worker.session, list(owners.values()), ["page_viewed"])

    emails = {it: {event.identity.email for event in latest[it]} for it in latest}
    assert emails == {lead_id: {key.removeprefix("email/")} for key, lead_id in owners.items()}
    assert [len(it) for it in latest.values()] == [3, 3, 3]


def test_arrivals_are_those_of_the_events_that_are_there(worker: Worker) -> None:
    worker.take(marketing_event(id="a"))

    keys = [("website", "a"), ("website", "b")]

    assert ledger.arrivals(worker.session, keys) == {("website", "a"): NOON}
