"""Leads change without an event, because points fade or by a new version of the agreement."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.scoring.domain.lead import Stage
from shared.contracts.payloads import Qualified
from tests.builders import NOON, days, marketing_event, minutes
from tests.services.scoring.conftest import Worker
from tests.services.scoring.handlers.helpers import engagement, lead_of

pytestmark = pytest.mark.postgres


def test_decay_alone_ends_a_qualification_that_nobody_holds(worker: Worker) -> None:
    worker.take(marketing_event("form_submitted"), marketing_event("form_submitted"))
    review_at = lead_of(worker).review_at
    assert review_at is not None
    assert abs(review_at - (NOON + days(14))) < timedelta(seconds=5)

    worker.review_leads(review_at - minutes(1))
    assert [it.change for it in worker.announced()] == [Qualified.BECAME]
    worker.review_leads(review_at)

    assert [it.change for it in worker.announced()] == [Qualified.BECAME, Qualified.CEASED]
    lead = lead_of(worker)
    assert (lead.stage, lead.armed, lead.review_at) == (Stage.ENGAGED, True, None)


def test_a_review_that_comes_too_early_sets_the_next_one(worker: Worker) -> None:
    worker.take(marketing_event("form_submitted"), marketing_event("form_submitted"))
    first = lead_of(worker).review_at
    assert first is not None
    worker.take(marketing_event("form_submitted", time=NOON + days(1)), now=NOON + days(1))
    assert lead_of(worker).review_at == first

    worker.review_leads(first)

    then = lead_of(worker).review_at
    assert then is not None
    assert then > first
    assert len(worker.announced()) == 1


def test_a_new_version_counts_leads_again_from_the_ledger(worker: Worker) -> None:
    worker.take(marketing_event("form_submitted"))
    worker.take(marketing_event("form_submitted", email="bob@example.com"))
    version = worker.publish(
        scoring={"signals": [{"id": "form", "on": "form_submitted", "points": 60}]}
    )

    worker.take(marketing_event("page_viewed"))
    assert engagement(worker, lead_of(worker)) == 60.0
    assert [it.lead_id for it in worker.announced()] == [lead_of(worker).id]
    worker.review_leads(NOON)

    assert lead_of(worker, "email/bob@example.com").version == version
    assert len(worker.announced()) == 2
