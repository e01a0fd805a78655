"""Which leads a rep's key sees, and how much of them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change, HandoffChanged
from shared.db.session import Sessions
from tests.builders import NOON, days, handoff_changed, marketing_event, minutes
from tests.services.scoring.api.clients import LeadClient, client_with_key
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres


def follow(sessions: Sessions, *changes: HandoffChanged) -> None:
    """Let scoring handle these changes of handoffs."""
    with sessions.begin() as session:
        Worker(session).follow(*changes)


def assert_unknown(client_of_rep: LeadClient, lead_id: str) -> None:
    """Every route to the lead answers as for a lead that does not exist."""

    def problem(sought: str, path: str = "", **params: str) -> Any:
        answer = json.dumps(client_of_rep.get(path, 404, **params))
        assert sought in answer
        return json.loads(answer.replace(sought, "…"))

    unknown, address = str(uuid4()), "ada@example.com"
    assert problem(lead_id, f"/{lead_id}") == problem(unknown, f"/{unknown}")
    assert problem(lead_id, f"/{lead_id}/events") == problem(unknown, f"/{unknown}/events")
    assert problem(address, email=address) == problem("x@y.com", email="x@y.com")


def test_a_rep_sees_the_leads_of_their_handoffs_and_no_others(
    client: TestClient, sessions: Sessions, ops: LeadClient
) -> None:
    ada = ops.get(email="ada@example.com")
    grace, linus = (
        client_with_key(client, sessions, KeyScope.REP, it) for it in ("grace", "linus")
    )
    assert_unknown(grace, ada["id"])

    follow(sessions, handoff_changed(lead=UUID(ada["id"])))

    assert grace.get(email="ada@example.com") == ops.get(f"/{ada['id']}")
    assert grace.get(f"/{ada['id']}/events") == ops.get(f"/{ada['id']}/events")
    assert client_with_key(client, sessions, KeyScope.READ).get(f"/{ada['id']}") == ops.get(
        f"/{ada['id']}"
    )
    assert_unknown(linus, ada["id"])


@pytest.mark.parametrize("close", [Change.WON, Change.LOST])
def test_a_rep_sees_all_of_a_lead_that_the_rep_has_closed(
    client: TestClient, sessions: Sessions, ops: LeadClient, close: Change
) -> None:
    lead_id = ops.get(email="ada@example.com")["id"]
    follow(
        sessions,
        handoff_changed(lead=UUID(lead_id)),
        handoff_changed(close, lead=UUID(lead_id), sequence=2),
    )

    assert client_with_key(client, sessions, KeyScope.REP).get(f"/{lead_id}") == ops.get(
        f"/{lead_id}"
    )


def test_a_rep_who_has_lost_a_lead_sees_nothing_that_came_later(
    client: TestClient, sessions: Sessions, ops: LeadClient
) -> None:
    lead = UUID(ops.get(email="ada@example.com")["id"])
    grace, linus = (
        client_with_key(client, sessions, KeyScope.REP, it) for it in ("grace", "linus")
    )
    follow(sessions, handoff_changed(lead=lead, at=NOON + minutes(10)))
    before, events = grace.get(f"/{lead}"), grace.get(f"/{lead}/events")
    lost_at, later = NOON + minutes(20), NOON + minutes(30)

    follow(
        sessions,
        handoff_changed(Change.REASSIGNED, lead=lead, sequence=2, at=lost_at, rep="linus", hop=2),
        handoff_changed(Change.ACCEPTED, lead=lead, sequence=3, at=later, rep="linus", hop=2),
    )
    with sessions.begin() as session:
        Worker(session).take(
            marketing_event("form_submitted", time=later, user_id="new", traits={"plan": "gold"}),
            marketing_event(time=NOON + minutes(5), received_at=lost_at),  # late news is later news
            now=later,
        )

    after = grace.get(f"/{lead}")
    unlike = {name for name in after if after[name] != before[name]}
    assert unlike <= {"armed"}
    assert grace.get(f"/{lead}/events") == events
    page = grace.get(f"/{lead}/events", limit=3)
    rest = grace.get(f"/{lead}/events", limit=3, after=page["next"])
    assert page["items"] + rest["items"] == events["items"]
    assert grace.get(email="ada@example.com") == after
    later = grace.get(status=404, user_id="new", source="website")
    unknown = grace.get(status=404, user_id="xyz", source="website")
    assert later["message"] == unknown["message"].replace("xyz", "new")
    assert linus.get(user_id="new", source="website") == ops.get(f"/{lead}") != after
    assert linus.get(f"/{lead}")["stage"] == "accepted"


def test_a_rep_who_has_lost_a_lead_reads_no_words_and_touches_that_came_later(
    client: TestClient, sessions: Sessions, ops: LeadClient
) -> None:
    lead = UUID(ops.get(email="ada@example.com")["id"])
    grace = client_with_key(client, sessions, KeyScope.REP, "grace")
    campaign = {"campaign": {"medium": "email", "name": "autumn"}}
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish(lead_card={"questions": [{"field": "pain"}]})
        early = marketing_event(
            "form", time=NOON + minutes(5), properties={"pain": "early"}, context=campaign
        )
        worker.take(early, now=NOON)
        worker.follow(
            handoff_changed(lead=lead, at=NOON + minutes(10)),
            handoff_changed(
                Change.REASSIGNED, lead=lead, sequence=2, at=NOON + minutes(20), rep="linus", hop=2
            ),
        )
        late = NOON + minutes(30)
        worker.take(
            marketing_event("demo_requested", time=late, properties={"pain": "late"}), now=late
        )

    lost, present = (it.get(f"/{lead}")["lead_card"] for it in (grace, ops))

    assert [it["text"] for it in lost["form_answers"]] == ["early"]
    assert [it["text"] for it in present["form_answers"]] == ["late"]
    ends = [datetime.fromisoformat(it["last_touch"]["at"]) for it in (lost, present)]
    assert ends == [NOON + minutes(5), late]


def test_a_rep_who_gets_a_lead_again_sees_all_of_it_again(
    client: TestClient, sessions: Sessions, ops: LeadClient
) -> None:
    lead = UUID(ops.get(email="ada@example.com")["id"])
    grace = client_with_key(client, sessions, KeyScope.REP)
    follow(sessions, handoff_changed(lead=lead))
    follow(sessions, handoff_changed(Change.WAITING, lead=lead, sequence=2, rep=None))
    assert grace.get(f"/{lead}")["steps"] == []  # they lost it before anything was known of it
    assert grace.get(f"/{lead}")["stage"] == "known"

    follow(sessions, handoff_changed(Change.REASSIGNED, lead=lead, sequence=3, hop=2))

    assert grace.get(f"/{lead}") == ops.get(f"/{lead}")


@pytest.mark.parametrize("merged_first", [True, False], ids=["held-then", "lost-before"])
def test_of_merged_leads_a_rep_sees_what_was_merged_while_they_held_it(
    client: TestClient, sessions: Sessions, ops: LeadClient, *, merged_first: bool
) -> None:
    visitor: dict[str, Any] = {"user_id": "phone-app", "source": "website"}
    with sessions.begin() as session:
        Worker(session).take(
            marketing_event("form_submitted", email=None, user_id="phone-app", time=NOON - days(1))
        )
    ada, other_id = ops.get(email="ada@example.com")["id"], ops.get(**visitor)["id"]
    grace = client_with_key(client, sessions, KeyScope.REP)
    follow(sessions, handoff_changed(lead=UUID(ada)))
    lost = handoff_changed(
        Change.RETURNED, lead=UUID(ada), sequence=2, rep=None, at=NOON + minutes(20)
    )
    if not merged_first:
        follow(sessions, lost)
        assert grace.get(f"/{ada}")["id"] == ada
    with sessions.begin() as session:
        Worker(session).take(marketing_event(user_id="phone-app", time=NOON + minutes(9)))
    if merged_first:
        follow(sessions, lost)

    assert ops.get(f"/{ada}")["id"] == other_id  # the older lead stays
    if merged_first:
        assert grace.get(**visitor)["id"] == other_id
        assert len(grace.get(f"/{ada}/events")["items"]) == 7
    else:  # they would see what somebody did of whom they never knew
        assert_unknown(grace, ada)
        assert_unknown(grace, other_id)
