"""What scoring's API answers about leads, and which key sees what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from services.scoring.main import build_api
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.contracts.payloads import Change, HandoffChanged
from shared.contracts.topic import Outgoing
from shared.db.session import Sessions
from tests.builders import NOON, days, handoff_changed, marketing_event, minutes
from tests.services.scoring.conftest import Worker

pytestmark = pytest.mark.postgres


class RefusingPublisher:
    """A publisher for tests that post no events."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Fail: nothing is to be published."""
        raise AssertionError(records)


class LeadClient:
    """A client with a key."""

    def __init__(self, client: TestClient, key: str) -> None:
        self._client = client
        self._headers = {"authorization": f"Bearer {key}"}

    def get(self, path: str = "", status: int = 200, **params: Any) -> Any:
        """The body of the answer, which must have this status."""
        got = self._client.get(f"/v1/leads{path}", params=params, headers=self._headers)
        assert got.status_code == status, got.text
        return got.json()


def client_with_key(
    client: TestClient, sessions: Sessions, scope: KeyScope, subject: str = "grace"
) -> LeadClient:
    """A client with a key of this scope."""
    with sessions.begin() as session:
        return LeadClient(client, create_key(session, scope=scope, subject=subject, now=NOON))


@pytest.fixture
def client(sessions: Sessions) -> Iterator[TestClient]:
    """Scoring's API a week after noon."""
    app = build_api(sessions, publisher=RefusingPublisher(), time_source=lambda: NOON + days(7))
    with TestClient(app) as client:
        yield client


@pytest.fixture
def ops(client: TestClient, sessions: Sessions) -> LeadClient:
    """Ada has read four pages and a form, first as a visitor, then by name."""
    with sessions.begin() as session:
        worker = Worker(session)
        worker.publish()
        worker.take(marketing_event(email=None, anonymous_id="a"))
        worker.take(
            marketing_event(anonymous_id="a", user_id="u", time=NOON + minutes(1)),
            marketing_event(phone="+491", time=NOON + minutes(2)),
            marketing_event(time=NOON + minutes(3)),
            marketing_event(
                "form_submitted", time=NOON + minutes(4), traits={"company_size": "300"}
            ),
        )
    return client_with_key(client, sessions, KeyScope.OPS)


def test_a_lead_shows_its_numbers_now_and_the_parts_that_sum_to_them(ops: LeadClient) -> None:
    ada = ops.get(email=" Ada@Example.com ")

    assert (ada["stage"], ada["email"], ada["account"]) == (
        "engaged",
        "ada@example.com",
        "example.com",
    )
    assert (ada["fit"], ada["grade"], ada["agreement_version"]) == (40.0, "C3", 1)
    assert 28.0 < ada["engagement"] < 29.0  # 15 after a half-life of 7 days, 30 after half of 14
    parts = sum(part["points"] for part in ada["engagement_reasons"])
    assert parts == pytest.approx(ada["engagement"], abs=1e-9)
    assert [step["stage"] for step in ada["steps"]] == ["known", "engaged"]
    assert len(ada["identities"]) == 4


@pytest.mark.parametrize(
    "params",
    [
        {"email": "ada@example.com"},
        {"phone": "+491"},
        {"user_id": "u", "source": "website"},
        {"anonymous_id": "a", "source": "website"},
    ],
    ids=["email", "phone", "user-id", "anonymous-id"],
)
def test_a_lead_is_found_by_each_of_its_identities(ops: LeadClient, params: dict[str, Any]) -> None:
    assert ops.get(**params)["email"] == "ada@example.com"


def test_a_lead_that_was_merged_away_is_the_one_that_stayed(
    ops: LeadClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        Worker(session).take(
            marketing_event(email=None, user_id="phone-app", time=NOON + minutes(9))
        )
    before = ops.get(user_id="phone-app", source="website")["id"]
    with sessions.begin() as session:
        Worker(session).take(marketing_event(user_id="phone-app"))

    assert ops.get(f"/{before}")["id"] == ops.get(email="ada@example.com")["id"] != before


def test_the_events_of_a_lead_come_in_pages_the_latest_first(ops: LeadClient) -> None:
    lead_id = ops.get(email="ada@example.com")["id"]

    first = ops.get(f"/{lead_id}/events", limit=3)
    rest = ops.get(f"/{lead_id}/events", limit=3, after=first["next"])

    items = [*first["items"], *rest["items"]]
    assert [it["type"] for it in items] == ["form_submitted", *["page_viewed"] * 4]
    assert [part["points"] for part in items[0]["points"]] == [30.0]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        (f"/{uuid4()}", {}, 404, "unknown_lead"),
        (f"/{uuid4()}/events", {}, 404, "unknown_lead"),
        ("", {"email": "nobody@example.com"}, 404, "unknown_lead"),
        ("", {}, 400, "no_identity"),
        ("", {"user_id": "u"}, 400, "no_identity"),
        ("", {"anonymous_id": "a"}, 400, "no_identity"),
        ("/seven", {}, 422, "invalid_request"),
    ],
    ids=["id", "events", "email", "nothing", "no-source", "no-source-either", "no-uuid"],
)
def test_an_unknown_lead_is_a_problem_that_says_so(
    ops: LeadClient, path: str, params: dict[str, str], status: int, code: str
) -> None:
    assert ops.get(path, status, **params)["code"] == code


def test_a_strange_cursor_is_refused(ops: LeadClient) -> None:
    lead_id = ops.get(email="ada@example.com")["id"]

    assert ops.get(f"/{lead_id}/events", 400, after="?")["code"] == "bad_cursor"


def test_a_key_for_ingest_may_not_read_leads(
    client: TestClient, sessions: Sessions, ops: LeadClient
) -> None:
    del ops
    refused = client_with_key(client, sessions, KeyScope.INGEST).get(
        status=403, email="ada@example.com"
    )

    assert refused["code"] == "wrong_scope"


def follow(sessions: Sessions, *changes: HandoffChanged) -> None:
    """Let scoring handle these changes of handoffs."""
    with sessions.begin() as session:
        Worker(session).follow(*changes)


def assert_unknown(client_of_rep: LeadClient, lead_id: str) -> None:
    """Every route to the lead answers as for a lead that does not exist."""
    nobody = client_of_rep.get(f"/{uuid4()}", 404)
    assert client_of_rep.get(f"/{lead_id}", 404) == nobody
    assert client_of_rep.get(f"/{lead_id}/events", 404) == nobody
    assert client_of_rep.get(status=404, email="ada@example.com") == nobody


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
    assert grace.get(status=404, user_id="new", source="website") == grace.get(f"/{uuid4()}", 404)
    assert linus.get(user_id="new", source="website") == ops.get(f"/{lead}") != after
    assert linus.get(f"/{lead}")["stage"] == "accepted"


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
