"""It is announced when a person becomes known, and engaged; of visitors nothing is announced."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers import announce_known_before
from services.scoring.handlers.known import MAX_LEADS
from services.scoring.handlers.reopening import reopen_lead
from services.scoring.tables import leads as stored_leads
from shared.agreement.store import Policies
from shared.contracts.known import LeadKnown
from shared.contracts.payloads import Change, EventKind, Identity, MarketingEvent
from shared.contracts.topics import LEADS_KNOWN
from shared.db.session import Sessions
from shared.messaging import backfills
from tests.builders import DEFAULT_SECTIONS, NOON, days, handoff_changed, marketing_event, minutes
from tests.services.scoring.conftest import Worker, payloads_in_outbox
from tests.services.scoring.handlers.helpers import lead_of

pytestmark = pytest.mark.postgres

VISITOR: dict[str, Any] = {"email": None, "anonymous_id": "a-1"}
NAMED: dict[str, Any] = {"anonymous_id": "a-1"}


def announced(worker: Worker) -> list[LeadKnown]:
    """The announcements of known leads, in order."""
    return payloads_in_outbox(worker.session, LEADS_KNOWN)


def at(minute: float, type: str = "other", **fields: Any) -> MarketingEvent:
    """An event so many minutes after noon."""
    return marketing_event(type, time=NOON + minutes(minute), **fields)


def click(minute: float, campaign: str | None, **fields: Any) -> MarketingEvent:
    """A page view by a link in a mail, so many minutes after noon."""
    return at(
        minute, "other", context={"campaign": {"medium": "email", "name": campaign}}, **fields
    )


def test_of_visitors_nothing_is_announced(worker: Worker) -> None:
    worker.take(at(1, "form_submitted", **VISITOR), click(2, "autumn", **VISITOR))

    assert announced(worker) == []


def test_a_person_is_announced_with_where_they_came_from(worker: Worker) -> None:
    worker.take(click(1, "autumn", **VISITOR), at(2, "demo_requested", **VISITOR))
    worker.take(click(3, "winter", **VISITOR), at(4, source="crm", **NAMED))
    worker.take(click(5, "spring"))

    [known, *more] = announced(worker)

    assert more == []
    assert known == LeadKnown(
        lead_id=lead_of(worker).id,
        sequence=1,
        known_at=NOON + minutes(4),
        engaged_at=None,
        source="crm",
        channel=None,
        agreement_version=1,
    )


def test_a_visitor_who_becomes_known_is_engaged_from_then_on(worker: Worker) -> None:
    worker.take(click(1, "autumn", **VISITOR), at(2, "demo_requested", **VISITOR))
    worker.take(click(5, "winter", **NAMED), at(4, **NAMED))

    [known] = announced(worker)

    assert (known.known_at, known.engaged_at) == (NOON + minutes(4), NOON + minutes(4))
    assert (known.source, known.channel, known.campaign) == ("website", "direct", "autumn")


def test_a_known_person_is_announced_again_when_engaged_and_then_no_more(worker: Worker) -> None:
    events = [at(1), at(3, "form_submitted"), at(4, "form_submitted"), at(9, "demo_requested")]
    for event in events:
        worker.take(event)
    worker.take(*events)

    assert [(it.sequence, it.engaged_at) for it in announced(worker)] == [
        (1, None),
        (2, NOON + minutes(3)),
    ]


def test_a_late_event_moves_the_instants_back(worker: Worker) -> None:
    worker.take(at(5, "form_submitted"))
    worker.take(at(1))
    worker.take(at(3, "form_submitted"))
    worker.take(at(4, "form_submitted"))

    assert [(it.known_at, it.engaged_at) for it in announced(worker)] == [
        (NOON + minutes(5), NOON + minutes(5)),
        (NOON + minutes(1), NOON + minutes(5)),
        (NOON + minutes(1), NOON + minutes(3)),
    ]


def test_a_touch_that_comes_late_changes_the_campaign(worker: Worker) -> None:
    worker.take(at(5), click(1, "autumn"))
    worker.take(click(0, "too early", **VISITOR))
    worker.take(at(4, user_id="u"), click(2, None))

    assert [(it.known_at, it.campaign, it.channel) for it in announced(worker)] == [
        (NOON + minutes(1), "autumn", "email"),
    ]
    worker.take(click(1, "winter", id="zz", **VISITOR), at(1, **NAMED))
    assert announced(worker)[-1].campaign == "winter"


def test_of_two_merged_leads_one_is_counted_since_the_earlier_instant(worker: Worker) -> None:
    worker.take(at(2, "form_submitted", email="old@x.com"))
    worker.take(at(5))
    old, ada = lead_of(worker, "email/old@x.com"), lead_of(worker)
    worker.take(at(9, kind=EventKind.ALIAS, previous=Identity(email="old@x.com")))

    gone, stays = announced(worker)[2:]
    lead = lead_of(worker)
    [goes] = {old.id, ada.id} - {lead.id}
    assert (gone.lead_id, gone.sequence, gone.merged_into) == (goes, 2, lead.id)
    assert (stays.lead_id, stays.sequence, stays.merged_into) == (lead.id, 2, None)
    assert (stays.known_at, stays.engaged_at) == (NOON + minutes(2), NOON + minutes(2))


def test_a_visitor_who_goes_into_a_known_lead_is_no_news_but_for_the_touches(
    worker: Worker,
) -> None:
    worker.take(at(5))
    worker.take(click(3, "autumn", **VISITOR))
    worker.take(at(9, **NAMED))

    first, second = announced(worker)
    assert (first.campaign, second.campaign) == (None, "autumn")
    assert (second.known_at, second.merged_into) == (NOON + minutes(5), None)


def test_the_persona_is_that_of_the_announcement(worker: Worker) -> None:
    worker.publish(personas=[{"id": "champion", "when": 'lead.title == "CTO"'}])
    worker.take(at(1))
    worker.take(at(2, "form_submitted", traits={"title": "CTO"}))

    assert [it.persona for it in announced(worker)] == [None, "champion"]


def test_a_new_agreement_announces_nobody_again_and_takes_nothing_back(worker: Worker) -> None:
    worker.take(at(1, "form_submitted"), at(2, email="bob@x.com"))
    before = announced(worker)
    worker.publish(scoring={"signals": []})
    worker.review_leads(NOON)
    assert announced(worker) == before

    signals = [{"id": "other", "on": "other", "points": 5}]
    worker.publish(scoring={"signals": signals})
    worker.review_leads(NOON + days(1))
    worker.review_leads(NOON + days(1))

    [engaged] = announced(worker)[len(before) :]
    assert engaged.lead_id == lead_of(worker, "email/bob@x.com").id
    assert (engaged.sequence, engaged.engaged_at) == (2, NOON + days(1))


def test_a_lead_that_qualifies_for_what_it_is_is_engaged_then(worker: Worker) -> None:
    qualification = DEFAULT_SECTIONS["qualification"]
    worker.publish(
        qualification={**qualification, "threshold": {"when": "fit >= 20", "rearm_below": 3}}
    )
    worker.take(at(1, traits={"country": "DE"}), now=NOON + minutes(2))

    [known] = announced(worker)
    assert len(worker.announced()) == 1
    assert known.engaged_at == NOON + minutes(2)


def test_a_lead_that_ops_reopen_is_announced_no_more_than_once(worker: Worker) -> None:
    worker.take(at(1, "demo_requested"))
    lead = lead_of(worker)
    worker.follow(handoff_changed(Change.ASSIGNED, lead=lead.id, sequence=1))
    worker.follow(
        handoff_changed(
            Change.REJECTED, lead=lead.id, sequence=2, rep=None, then="disqualify", reason="no"
        )
    )
    reopen_lead(worker.session, lead.id, actor="ops", policies=worker.policies, now=NOON)

    assert len(announced(worker)) == 1


def as_of_an_older_version(worker: Worker) -> None:
    """Forget since when leads are known, as if an older version had stored them."""
    worker.session.execute(update(stored_leads).values(known_at=None, active_at=None, announced=0))


def test_leads_that_were_known_before_are_announced_once_page_by_page(worker: Worker) -> None:
    worker.take(*(at(it, "form_submitted", email=f"{it}@x.com") for it in range(MAX_LEADS + 1)))
    worker.take(at(1, **VISITOR))
    expected = [(it.lead_id, it.known_at, it.engaged_at, it.source) for it in announced(worker)]
    as_of_an_older_version(worker)

    assert announce_known_before(worker.session, NOON, policies=worker.policies)
    assert not announce_known_before(worker.session, NOON, policies=worker.policies)
    assert backfills.is_running(worker.session, LEADS_KNOWN.name)
    assert not announce_known_before(worker.session, NOON, policies=worker.policies)
    assert not backfills.is_running(worker.session, LEADS_KNOWN.name)

    again = announced(worker)[len(expected) :]
    assert {it.sequence for it in again} == {1}
    assert sorted((it.lead_id, it.known_at, it.engaged_at, it.source) for it in again) == sorted(
        expected
    )


def test_the_backfill_runs_as_long_as_another_worker_holds_a_lead(sessions: Sessions) -> None:
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(at(1, email="ada@x.com"))
        as_of_an_older_version(worker)

    policies = Policies(ScoringPolicy)
    with sessions() as first, sessions() as second:
        announce_known_before(first, NOON, policies=policies)
        backfills.note_running(second, "another.topic", NOON)
        assert not announce_known_before(second, NOON, policies=policies)
        first.commit()
        assert backfills.is_running(second, LEADS_KNOWN.name)
        announce_known_before(second, NOON, policies=policies)
        assert not backfills.is_running(second, LEADS_KNOWN.name)
        assert backfills.is_running(second, "another.topic")
        backfills.note_running(second, LEADS_KNOWN.name, NOON)
        assert backfills.is_running(second, LEADS_KNOWN.name)


def test_events_of_a_lead_that_was_known_before_wait_for_its_turn(worker: Worker) -> None:
    worker.take(at(1))
    as_of_an_older_version(worker)
    worker.take(at(5, "form_submitted"), at(6, email="old@x.com"))
    worker.take(at(9, kind=EventKind.ALIAS, previous=Identity(email="old@x.com")))
    assert [it.merged_into is None for it in announced(worker)] == [True, True, False]

    announce_known_before(worker.session, NOON, policies=worker.policies)

    last = announced(worker)[-1]
    assert (last.lead_id, last.sequence) == (lead_of(worker).id, 1)
    assert (last.known_at, last.engaged_at) == (NOON + minutes(1), NOON + minutes(5))


def test_an_announced_lead_that_got_one_of_an_older_version_is_still_merged(worker: Worker) -> None:
    worker.take(at(9, email="old@x.com"))
    as_of_an_older_version(worker)
    worker.take(at(5))
    ada = lead_of(worker)
    worker.take(at(9, kind=EventKind.ALIAS, previous=Identity(email="old@x.com")))
    assert lead_of(worker).id == ada.id
    assert lead_of(worker).known_at is None

    worker.take(at(1, email="first@x.com"))
    worker.take(at(9, kind=EventKind.ALIAS, previous=Identity(email="first@x.com")))

    first = lead_of(worker)
    assert first.id != ada.id
    gone = announced(worker)[-1]
    assert (gone.lead_id, gone.sequence, gone.merged_into) == (ada.id, 2, first.id)
    announce_known_before(worker.session, NOON, policies=worker.policies)
    again = announced(worker)[-1]
    assert (again.lead_id, again.sequence, again.known_at) == (first.id, 2, NOON + minutes(1))
