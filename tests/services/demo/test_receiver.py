"""The reps' side: nothing unsigned is believed, nothing is answered twice, each rep answers as is their habit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import httpx
import pytest
from standardwebhooks import Webhook

from services.demo.receiver import Habit, Receiver, Rep, answer_of, serving
from tests.engine import PATIENCE_S
from tests.services.demo.recording import Answer, Posted, Recording, recording

SECRET = "whsec_" + "QUJD" * 8
HANDOFF = "7a0c6f7e-4c0e-5f2e-9d5f-0b8f5a3a6d30"
PROMPT = Habit("answers at once", ((0.0, "accept"),))


class Answered:
    """The routing API's place: keeps the answers, and says when one has come."""

    def __init__(self) -> None:
        self.came = Event()

    def __call__(self, _: Posted) -> Answer:
        self.came.set()
        return Answer()


@pytest.fixture
def answered() -> Answered:
    return Answered()


@pytest.fixture
def routing(answered: Answered) -> Iterator[Recording]:
    with recording(answered) as api:
        yield api


@pytest.fixture
def receiver(routing: Recording) -> Iterator[Receiver]:
    reps = {
        "mara": Rep("mara", PROMPT, "lb_rep_mara"),
        "idle": Rep("idle", Habit("never answers", ()), "lb_rep_idle"),
    }
    secrets = {"/reps/mara": SECRET, "/reps/idle": SECRET, "/teams/inbound": SECRET}
    secrets["/marketing"] = SECRET
    with serving(Receiver(0, secrets=secrets, reps=reps, routing_url=routing.url)) as receiver:
        yield receiver


def post(receiver: Receiver, path: str, **changed: Any) -> int:
    data = {"handoff": {"id": HANDOFF}, "links": changed.get("links", {})} | changed.get("data", {})
    body = json.dumps({"type": changed.get("type", "handoff.assigned"), "data": data})
    at = changed.get("at", datetime.now(UTC))
    id = changed.get("id", "msg_1")
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(changed.get("secret", SECRET)).sign(id, at, body),
    }
    url = f"http://127.0.0.1:{receiver.server_port}{path}"
    return httpx.post(
        url, content=body, headers=headers | changed.get("headers", {}), timeout=PATIENCE_S
    ).status_code


def test_a_signed_assignment_is_accepted_with_the_reps_own_key(
    receiver: Receiver, routing: Recording, answered: Answered
) -> None:
    status = post(receiver, "/reps/mara")

    assert status == 204
    assert answered.came.wait(5)
    [answer] = routing.posted
    assert answer.path == f"/v1/handoffs/{HANDOFF}/accept"
    assert answer.authorization == "Bearer lb_rep_mara"


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": "whsec_" + "WFla" * 8},
        {"at": datetime.now(UTC) - timedelta(minutes=10)},
        {"headers": {"webhook-signature": "v1,AAAA"}},
        {"headers": {"webhook-timestamp": "yesterday"}},
    ],
    ids=["another secret", "too old", "no signature", "no instant"],
)
def test_what_is_not_signed_is_refused(
    receiver: Receiver, routing: Recording, changed: dict[str, Any]
) -> None:
    assert post(receiver, "/reps/mara", **changed) == 401
    assert receiver.counts.refused == 1
    assert routing.posted == []


def test_an_endpoint_that_nobody_knows_is_refused(receiver: Receiver) -> None:
    assert post(receiver, "/reps/nobody") == 401


def test_a_webhook_that_comes_twice_is_answered_once(
    receiver: Receiver, routing: Recording, answered: Answered
) -> None:
    assert [post(receiver, "/reps/mara"), post(receiver, "/reps/mara")] == [204, 204]

    assert answered.came.wait(5)
    assert len(routing.posted) == 1
    assert receiver.counts.repeated == 1


def test_a_rep_who_never_answers_and_other_news_lead_to_no_answer(
    receiver: Receiver, routing: Recording
) -> None:
    post(receiver, "/reps/idle")
    post(receiver, "/reps/mara", type="sla.breached", id="msg_2")
    post(receiver, "/teams/inbound", id="msg_3")

    assert receiver.counts.verified == {"/reps/idle": 1, "/reps/mara": 1, "/teams/inbound": 1}
    assert routing.posted == []


def test_the_link_of_a_rep_who_never_answers_is_kept_for_people(receiver: Receiver) -> None:
    assert receiver.answer_hint().startswith("No rep got a lead")
    post(receiver, "/reps/mara", links={"answer": "http://x/a/mara"}, id="msg_1")
    assert receiver.answer_hint().endswith(": http://x/a/mara")
    post(receiver, "/reps/idle", links={"answer": "http://x/a/idle"}, id="msg_2")
    post(receiver, "/reps/mara", links={"answer": "http://x/a/mara2"}, id="msg_3")

    assert receiver.answer_hint().endswith(": http://x/a/idle")


def test_what_marketing_is_told_is_kept(receiver: Receiver) -> None:
    outcome = {"campaign": "autumn", "qualified": 3}
    receiver.wait_for_outcomes(1, timeout_s=0)
    assert receiver.outcomes == []

    post(receiver, "/marketing", type="campaign.outcome", data={"outcome": outcome})

    receiver.wait_for_outcomes(1)
    assert receiver.outcomes == [outcome]


def test_an_answer_that_finds_nobody_is_counted(answered: Answered) -> None:
    with recording(answered) as gone:
        url = gone.url
    receiver = Receiver(0, secrets={}, reps={}, routing_url=url)

    receiver.answer(Rep("mara", PROMPT, "key"), HANDOFF, "accept")

    assert receiver.counts.answers == {"accept 503": 1}
    receiver.server_close()


def test_some_handoffs_are_won_and_some_lost() -> None:
    verbs = {answer_of(str(UUID(int=number)), "close")[0] for number in range(16)}

    assert verbs == {"win", "lose"}


def test_a_contact_says_how_and_with_what_outcome() -> None:
    assert answer_of(HANDOFF, "contact") == ("contact", {"channel": "phone", "outcome": "reached"})
