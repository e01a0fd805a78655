"""Batches of marketing events change leads, identifiers, the ledger and the outbox."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from sqlalchemy.orm import Session

from services.scoring.domain.content_ids import content_id
from services.scoring.domain.lead import Stage
from services.scoring.handlers.marketing_events import CHECKED_BATCHES
from services.scoring.ingest.normalize.timestamps import in_batch_order
from services.scoring.metrics import ANNOUNCED
from services.scoring.queries import leads, ledger
from services.scoring.queries.event_counts import delete_counts_before, source_counts
from shared.agreement.cel.failures import FAILURES, Cause
from shared.agreement.store import NoAgreement
from shared.contracts.payloads import EventKind, Identity, LeadsMerged, Qualified
from tests.builders import NOON, marketing_event, minutes
from tests.services.scoring.conftest import Worker
from tests.services.scoring.handlers.helpers import engagement, lead_of

pytestmark = pytest.mark.postgres


def test_an_event_makes_a_lead_with_its_score_and_its_first_steps(worker: Worker) -> None:
    worker.take(marketing_event("form_submitted", traits={"company_size": 500}))

    lead = lead_of(worker)
    assert (lead.stage, lead.fit, engagement(worker, lead)) == (Stage.ENGAGED, 40.0, 30.0)
    steps = leads.steps_of(worker.session, lead.id)
    assert [step.stage for step in steps] == [Stage.KNOWN, Stage.ENGAGED]


def counted() -> float:
    """How many announcements were counted."""
    [family] = ANNOUNCED.collect()
    return sum(it.value for it in family.samples if it.name.endswith("_total"))


def test_crossing_the_line_announces_the_lead_once(worker: Worker) -> None:
    before, demo = counted(), marketing_event("demo_requested")
    for batch in ([marketing_event("page_viewed"), demo], [demo], [demo, demo]):
        worker.take(*batch)

    [announcement] = worker.announced()
    assert (announcement.change, announcement.qualification, announcement.cause) == (
        Qualified.BECAME,
        1,
        "hand_raise",
    )
    assert counted() == before + 1
    assert announcement.context.why_now is not None
    assert announcement.context.why_now.id == demo.id
    assert {touch.type for touch in announcement.context.recent} == {
        "page_viewed",
        "demo_requested",
    }


def test_a_duplicate_adds_nothing_even_after_its_lead_was_joined(worker: Worker) -> None:
    viewed = marketing_event(email=None, anonymous_id="a")
    worker.take(viewed)
    worker.take(marketing_event("page_viewed", anonymous_id="a"))
    before = lead_of(worker)

    worker.take(viewed, viewed)

    assert lead_of(worker) == before
    assert engagement(worker, before) == 10.0


def test_accepted_and_repeated_events_are_counted_by_source(worker: Worker) -> None:
    viewed, of_crm = marketing_event(), marketing_event(source="crm")
    worker.take(viewed, viewed, of_crm)
    worker.take(viewed, marketing_event(), now=NOON + minutes(90))

    assert source_counts(worker.session, since=NOON) == [("crm", 1, 0, 0), ("website", 2, 2, 0)]
    assert source_counts(worker.session, since=NOON + minutes(30)) == [("website", 1, 1, 0)]
    delete_counts_before(worker.session, NOON + minutes(30))
    assert source_counts(worker.session, since=NOON) == [("website", 1, 1, 0)]


def test_equal_content_without_an_id_counts_again_after_ten_minutes(worker: Worker) -> None:
    arrivals = [NOON + minutes(it) for it in (0, 9, 12, 60)]
    for at in arrivals:
        worker.take(marketing_event(id=content_id("0f" * 32, at), time=at, received_at=at))

    lead_id = lead_of(worker).id
    events = ledger.events_of(worker.session, [lead_id])[lead_id]
    assert sorted(it.received_at for it in events) == [arrivals[0], arrivals[2], arrivals[3]]


@pytest.mark.parametrize("ids", list(permutations("abc")))
def test_of_two_traits_of_one_millisecond_the_later_in_the_batch_stays(
    worker: Worker, ids: tuple[str, ...]
) -> None:
    times = in_batch_order([NOON] * 3, NOON + minutes(1))
    worker.take(
        *(
            marketing_event(id=id, time=time, traits={"title": f"title {number}"})
            for number, (id, time) in enumerate(zip(ids, times, strict=True))
        )
    )

    assert lead_of(worker).profile.trait_values["title"] == "title 2"


def test_where_repeats_come_the_ledger_is_asked_first_for_a_while(worker: Worker) -> None:
    demo = marketing_event("demo_requested")
    worker.take(demo)
    assert worker.repeat_check.batches == 0

    worker.take(demo, marketing_event("page_viewed"))
    assert worker.repeat_check.batches == CHECKED_BATCHES - 1

    worker.take(demo)  # found by asking, so that nothing had to be done again
    assert worker.repeat_check.batches == CHECKED_BATCHES - 2


def test_a_merge_is_announced_once_with_what_the_merged_lead_had(worker: Worker) -> None:
    worker.take(marketing_event("demo_requested", email=None, user_id="u"))
    worker.take(marketing_event("demo_requested", time=NOON + minutes(1)))
    first, ada = lead_of(worker, "user/website/u"), lead_of(worker)
    assert (first.qualification, ada.qualification, worker.merges()) == (0, 1, [])

    link = marketing_event(user_id="u", time=NOON + minutes(2))
    for _ in range(2):
        worker.take(link, now=NOON + minutes(2))

    assert worker.merges() == [
        LeadsMerged(lead_id=first.id, merged_lead_id=ada.id, at=NOON + minutes(2), qualifications=1)
    ]


def test_a_lead_that_only_this_batch_knew_is_merged_silently(worker: Worker) -> None:
    worker.take(
        marketing_event(email=None, anonymous_id="a"),
        marketing_event(email=None, user_id="u"),
        marketing_event(email=None, user_id="u", anonymous_id="a"),
    )

    assert worker.merges() == []


def test_leads_that_merge_one_after_the_other_in_a_batch_all_name_the_lead_that_stays(
    worker: Worker,
) -> None:
    identifiers: list[dict[str, Any]] = [{"user_id": "u"}, {"phone": "+491"}, {"user_id": "v"}]
    for at, identifier in enumerate(identifiers):
        worker.take(marketing_event(email=None, time=NOON + minutes(at), **identifier))
    first, second, third = (
        lead_of(worker, key).id for key in ("user/website/u", "phone/+491", "user/website/v")
    )

    worker.take(
        marketing_event(email=None, user_id="v", phone="+491"),
        marketing_event(email=None, user_id="u", phone="+491"),
    )

    assert {(it.lead_id, it.merged_lead_id) for it in worker.merges()} == {
        (first, second),
        (first, third),
    }


def test_a_known_person_wins_over_an_older_anonymous_visitor(worker: Worker) -> None:
    worker.take(marketing_event(email=None, anonymous_id="a"))
    visitor = lead_of(worker, "anonymous/website/a")
    worker.take(marketing_event())
    ada = lead_of(worker)

    worker.take(marketing_event(anonymous_id="a"))

    assert lead_of(worker, "anonymous/website/a").id == ada.id != visitor.id
    assert leads.find_lead(worker.session, visitor.id) == lead_of(worker)
    assert len(ledger.events_of(worker.session, [ada.id])[ada.id]) == 3


def test_of_two_known_people_the_older_lead_stays(worker: Worker) -> None:
    worker.take(marketing_event(email=None, user_id="u"))
    worker.take(marketing_event(time=NOON + minutes(1)))
    older = lead_of(worker, "user/website/u")

    worker.take(marketing_event(user_id="u", time=NOON + minutes(2)), now=NOON + minutes(2))

    assert lead_of(worker).id == older.id


def test_two_emails_are_two_people_unless_an_alias_says_otherwise(worker: Worker) -> None:
    worker.take(
        marketing_event(anonymous_id="a"), marketing_event(email="b@x.com", anonymous_id="a")
    )
    assert lead_of(worker).id != lead_of(worker, "email/b@x.com").id

    worker.take(
        marketing_event(
            "aliased",
            kind=EventKind.ALIAS,
            email="b@x.com",
            previous=Identity(email="ada@example.com"),
        )
    )

    assert lead_of(worker).id == lead_of(worker, "email/b@x.com").id
    assert lead_of(worker).profile.email == "b@x.com"


def test_joins_within_one_batch_leave_no_trace_of_the_lead_that_never_was(worker: Worker) -> None:
    worker.take(
        marketing_event(email=None, anonymous_id="a"),
        marketing_event(email=None, user_id="u"),
        marketing_event(email=None, user_id="u", anonymous_id="a"),
    )

    lead = lead_of(worker, "anonymous/website/a")
    assert engagement(worker, lead) == 15.0
    assert [it.id for it in leads.leads_after(worker.session, None, limit=10)] == [lead.id]


def test_a_bot_is_kept_and_scores_nothing(worker: Worker) -> None:
    worker.take(marketing_event("demo_requested", marks=("bot",), traits={"company_size": 900}))

    lead = lead_of(worker)
    assert (lead.stage, lead.fit, lead.profile.signals) == (Stage.KNOWN, 0.0, {})
    assert worker.announced() == []


def test_a_lead_without_a_required_trait_waits_and_qualifies_when_it_arrives(
    worker: Worker,
) -> None:
    worker.take(marketing_event("demo_requested", email=None, user_id="u"))
    assert lead_of(worker, "user/website/u").blocker == "incomplete: email"
    assert worker.announced() == []

    worker.take(marketing_event("identified", user_id="u", kind=EventKind.IDENTIFY))

    [announcement] = worker.announced()
    assert (announcement.cause, announcement.hand_raised) == ("required_trait", True)
    assert announcement.context.email == "ada@example.com"


def test_an_announcement_has_every_declared_trait_complete_and_with_its_type(
    worker: Worker,
) -> None:
    undeclared = {f"other_{number}": number for number in range(30)}
    declared = {"company_size": "250", "customer": "true", "title": "x" * 1_000}
    traits = {**undeclared, **declared}
    worker.take(
        marketing_event("identified", kind=EventKind.IDENTIFY, traits=traits),
        marketing_event("demo_requested"),
    )

    [announcement] = worker.announced()
    assert announcement.traits == {"company_size": 250, "customer": True, "title": "x" * 1_000}


def test_events_that_a_condition_cannot_be_asked_about_count_without_it(worker: Worker) -> None:
    tagged = {"id": "tagged", "points": 60, "on": "form_submitted"}
    rule = "scoring.signals.tagged.when"
    worker.publish(
        scoring={
            "signals": [
                {**tagged, "when": 'event.properties.tags.exists(it, it == "never")'},
                {"id": "form", "on": "form_submitted", "points": 30},
            ]
        }
    )
    before = FAILURES.totals().get((rule, Cause.ITERATIONS), 0)

    worker.take(
        marketing_event("form_submitted", email="bob@example.com"),
        *(
            marketing_event("form_submitted", properties={"tags": [f"{number}"] * 15_000})
            for number in range(30)
        ),
    )

    assert engagement(worker, lead_of(worker, "email/bob@example.com")) == 30.0
    assert engagement(worker, lead_of(worker)) == 100.0
    assert FAILURES.totals()[rule, Cause.ITERATIONS] >= before + 30


def test_without_an_agreement_the_batch_waits(session: Session) -> None:
    with pytest.raises(NoAgreement):
        Worker(session).take(marketing_event())
