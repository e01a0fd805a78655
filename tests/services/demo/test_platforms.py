"""The platforms: Segment's own client and native batches, with the retries and duplicates that life brings."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from services.demo.activities import IDENTIFIED, Channel, activities_of
from services.demo.network import flaky_network
from services.demo.platforms import Mailings, Website, native
from tests.services.demo.recording import Answer, Posted, recording

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTS = activities_of(7, 30, until=NOON, run="run")
ON_SITE = [activity for activity in ACTS if activity.channel is Channel.WEBSITE]
MAILED = [
    activity
    for activity in ACTS
    if activity.channel is Channel.MAILINGS and not activity.id.endswith("5")
]


def ids(posted: list[Posted]) -> Counter[str]:
    return Counter(
        it.get("messageId", it.get("id"))
        for request in posted
        for it in request.body.get("batch", request.body.get("events", []))
    )


def all_ok(posted: Posted) -> Answer:
    return Answer(
        body={"results": {it["id"]: {"status": "ok"} for it in posted.body.get("events", [])}}
    )


def test_the_site_sends_each_activity_through_segments_client_with_the_id() -> None:
    with recording() as api:
        website = Website(api.url, "lb_ingest_x")
        website.send(ON_SITE)
        website.close()

    twice = [activity.id for activity in ON_SITE if activity.id.endswith(("00", "50"))]
    assert ids(api.posted) == Counter([activity.id for activity in ON_SITE] + twice)
    assert set(api.paths()) == {"/v1/batch"}
    assert api.posted[0].authorization == f"Basic {b64encode(b'lb_ingest_x:').decode()}"
    assert website.failed == 0


def test_the_site_tells_an_address_only_when_somebody_identifies_themselves() -> None:
    with recording() as api:
        website = Website(api.url, "key")
        website.send(ON_SITE)
        website.close()

    messages = [it for request in api.posted for it in request.body["batch"]]
    assert len(messages) >= len(ON_SITE)
    assert {it["userId"] for it in messages} == {None}
    with_address = {it["messageId"] for it in messages if "@" in str(it)}
    identifying = {activity.id for activity in ON_SITE if activity.type == IDENTIFIED}
    assert with_address == identifying != set()


def test_a_lost_answer_makes_segments_client_send_the_same_ids_again() -> None:
    with recording() as api, flaky_network(api.url, loses=2) as network:
        website = Website(network.url, "key")
        website.send(ON_SITE)
        website.close()

    assert network.lost > 0
    assert set(ids(api.posted)) == {activity.id for activity in ON_SITE}
    assert sum(ids(api.posted).values()) > len(ON_SITE) + 5
    assert website.failed == 0


def test_a_client_that_is_refused_counts_what_it_could_not_send() -> None:
    with recording(lambda _: Answer(401, {"code": "unknown_key", "message": "no"})) as api:
        website = Website(api.url, "key")
        website.send(ON_SITE[:3])
        website.close()

    assert website.failed == 3


def test_the_mailing_tool_sends_a_batch_again_until_it_is_answered() -> None:
    with recording(all_ok) as api, flaky_network(api.url, loses=1000) as network:
        network.numbers = count(999)
        mailings = Mailings(network.url, "key")
        mailings.send(MAILED[:3])
        mailings.close()

    # the second answer would have been lost: the first was not, so it was enough
    assert ids(api.posted) == Counter(activity.id for activity in MAILED[:3])
    assert mailings.failed == 0


def test_a_batch_whose_answer_is_lost_arrives_twice_with_the_same_ids() -> None:
    with recording(all_ok) as api, flaky_network(api.url, loses=2) as network:
        network.numbers = count(2)
        mailings = Mailings(network.url, "key")
        mailings.send(MAILED[:3])
        mailings.close()

    assert set(ids(api.posted).values()) == {2}
    assert mailings.failed == 0


def test_only_events_that_shall_be_tried_again_are_sent_again() -> None:
    verdicts = iter(["retry", "ok"])

    def first_is_asked_again(posted: Posted) -> Answer:
        results: dict[str, Any] = {it["id"]: {"status": "ok"} for it in posted.body["events"]}
        results[MAILED[0].id] = {"status": next(verdicts)}
        return Answer(body={"results": results})

    with recording(first_is_asked_again) as api:
        mailings = Mailings(api.url, "key")
        mailings.send(MAILED[:2])
        mailings.close()

    assert ids(api.posted) == {MAILED[0].id: 2, MAILED[1].id: 1}


def test_now_and_then_the_mailing_tool_exports_somebody_without_an_address() -> None:
    with recording(all_ok) as api:
        mailings = Mailings(api.url, "key")
        mailings.send([replace(MAILED[0], id="run-00005")])
        mailings.close()

    [request] = api.posted
    assert [it["lead"]["email"] for it in request.body["events"]] == [
        MAILED[0].person.email,
        "null",
    ]


def test_a_mailing_tool_that_nobody_answers_gives_up_in_plain_sight() -> None:
    with recording(lambda _: Answer(503, {})) as api:
        mailings = Mailings(api.url, "key")
        mailings.send(MAILED[:2])
        mailings.close()

    assert mailings.failed == 2
    assert len(api.posted) == 8


def test_native_events_carry_the_senders_id_and_the_past() -> None:
    activity = MAILED[0]

    assert native(activity) == {
        "id": activity.id,
        "type": activity.type,
        "time": activity.at.isoformat(),
        "lead": {"email": activity.person.email},
        "properties": activity.properties,
    }
