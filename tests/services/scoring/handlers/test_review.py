"""Leads change without an event, because points fade or by a new version of the agreement."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from services.scoring.domain.lead import Stage
from services.scoring.handlers.review import MAX_JUDGED
from services.scoring.progress import progress_of
from services.scoring.queries import leads
from services.scoring.tables import events
from shared.contracts.payloads import Qualified
from tests.builders import DEFAULT_SECTIONS, NOON, days, marketing_event, minutes
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


def test_a_new_qualification_judges_leads_again_without_their_events(worker: Worker) -> None:
    worker.take(marketing_event("form_submitted"))
    worker.take(marketing_event("form_submitted"), marketing_event("form_submitted"), now=NOON)
    worker.take(marketing_event("page_viewed", email="bob@example.com"))
    before = lead_of(worker)
    worker.session.execute(delete(events))  # nothing can be counted again
    qualification = DEFAULT_SECTIONS["qualification"]
    version = worker.publish(
        qualification={**qualification, "threshold": {"when": "engagement >= 5", "rearm_below": 3}}
    )

    assert worker.review_leads(NOON) is False

    ada, bob = lead_of(worker), lead_of(worker, "email/bob@example.com")
    assert {ada.version, bob.version} == {version}
    assert ada.profile == before.profile
    assert (ada.qualification, bob.qualification) == (1, 1)
    assert [it.lead_id for it in worker.announced()] == [ada.id, bob.id]
    assert worker.announced()[1].agreement_version == version
    assert before.review_at is not None
    assert ada.review_at is not None
    assert ada.review_at > before.review_at + days(40)  # 3 points are left much later than 30


def test_leads_that_nothing_changes_get_the_new_version_and_stay_the_same(worker: Worker) -> None:
    worker.take(marketing_event("form_submitted"), marketing_event("form_submitted"))
    worker.take(*(marketing_event(email=f"{at}@example.com") for at in range(MAX_JUDGED)))
    before = leads.leads_after(worker.session, None, limit=MAX_JUDGED + 1)
    version = worker.publish(name="Another name")

    assert worker.review_leads(NOON) is True
    status = progress_of(worker.session, worker.policies)
    assert (status.done, status.leads) == (MAX_JUDGED, MAX_JUDGED + 1)
    assert (status.version, status.to_judge, status.to_count) == (version, 1, 0)
    assert worker.review_leads(NOON) is False

    after = leads.leads_after(worker.session, None, limit=MAX_JUDGED + 1)
    assert after == [it._replace(version=version) for it in before]
    assert len(worker.announced()) == 1


def test_leads_are_counted_again_only_where_scores_may_differ(worker: Worker) -> None:
    scoring = {"signals": [{"id": "form", "on": "form_submitted", "points": 7}]}
    worker.take(marketing_event("form_submitted"))
    first = worker.publish(name="Another name", scoring=scoring)
    worker.take(marketing_event("form_submitted", email="bob@example.com"))
    worker.publish(name="And another", scoring=scoring)

    status = progress_of(worker.session, worker.policies)
    assert (status.to_count, status.to_judge, status.done) == (1, 1, 0)
    while worker.review_leads(NOON):
        pass
    worker.review_leads(NOON)

    assert first == 2
    assert engagement(worker, lead_of(worker)) == 7.0
    assert engagement(worker, lead_of(worker, "email/bob@example.com")) == 7.0
    assert progress_of(worker.session, worker.policies).done == 2


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
