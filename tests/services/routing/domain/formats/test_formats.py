"""Messages for Slack and Teams stay within the limits that are written down, whatever a lead is called."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.api.webhook_examples import example_bodies
from services.routing.domain import notifications
from services.routing.domain.added_links import read_notification
from services.routing.domain.attempts import Response
from services.routing.domain.formats import Format, confirmed, encode, slack, teams
from services.routing.domain.formats.message import (
    ChatMessage,
    Fact,
    Link,
    shortened,
    utf16_size,
)
from shared.contracts.payloads import LeadContext, Reason, Touch
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import URL, handoff
from tests.services.routing.domain.test_notifications import due_times

LINKS = {
    "answer": "https://leads.example.com/a/" + "t" * 138,
    "console": "https://console.example.com/handoffs/1",
}
TYPES = sorted(example_bodies())
NASTY = st.text(
    st.one_of(
        st.sampled_from("&<>|*_~`[](){}!@#\"'\\\n\r\t\0\u2028\u202e\U0001f600é漢"),
        st.characters(codec="utf-8"),
    ),
    max_size=400,
).map(lambda it: it * 12)
VALUES = st.one_of(NASTY, st.none())


def assigned(context: LeadContext) -> bytes:
    """An assignment with every link."""
    held = handoff()._replace(lead=lead_qualified(context=context))
    notification = notifications.assignment(held, due_times=due_times(), public_url=URL)
    return read_notification(notification.body).with_links(LINKS)


@st.composite
def leads(draw: st.DrawFn) -> LeadContext:
    """Leads with texts that no form should accept, long ones too."""
    touch = Touch(
        id="1",
        type="demo_requested",
        time=NOON,
        title=draw(VALUES),
        properties={"message": draw(NASTY)},
    )
    reasons = tuple(Reason(rule="r", label=draw(NASTY), points=1.0) for _ in range(3))
    return LeadContext(
        email="ada@example.com",
        name=draw(VALUES),
        company=draw(VALUES),
        phone=draw(VALUES),
        why_now=touch,
        reasons=reasons,
    )


def texts_of(content: Any) -> list[str]:
    """Every text in a message of Slack or a card."""
    if isinstance(content, dict):
        return [it for value in content.values() for it in texts_of(value)]
    if isinstance(content, list):
        return [it for value in content for it in texts_of(value)]
    return [content] if isinstance(content, str) else []


@settings(max_examples=60, deadline=None)
@given(leads())
def test_a_message_for_slack_is_within_its_limits_and_names_mention_nobody(
    lead: LeadContext,
) -> None:
    encoded = encode(Format.SLACK, assigned(lead))

    message = orjson.loads(encoded)
    sections = [it["text"]["text"] for it in message["blocks"]]
    assert len(sections) <= 50
    assert max(map(utf16_size, sections)) <= 3_000
    assert sum(map(utf16_size, sections)) <= 12_000
    assert message["unfurl_links"] is False
    for text in (*sections, message["text"]):
        ours = re.sub(r"<(https://[^<>|]+\|[A-Za-z ]+|!date\^\d+\^[^<>|]+\|[^<>|]+)>", "", text)
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", ours)
    assert f"<{LINKS['answer']}#accepted|Accept>" in sections[-1]


@settings(max_examples=60, deadline=None)
@given(leads())
def test_a_card_for_teams_is_small_enough_and_names_are_no_markdown(lead: LeadContext) -> None:
    encoded = encode(Format.TEAMS, assigned(lead))

    assert len(encoded) <= 28_000
    message = orjson.loads(encoded)
    assert message["type"] == "message"
    [attachment] = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attachment["content"]
    assert content["type"] == "AdaptiveCard"
    for element in content["body"]:
        if element["type"] == "TextBlock":  # the only elements whose text is Markdown
            assert re.fullmatch(
                r"[A-Za-z0-9 ]+ by \*\*\{\{DATE\([\dTZ:-]+, SHORT\)\}\} \{\{TIME\([\dTZ:-]+\)\}\}\*\*",
                element["text"],
            )
    assert {it["type"] for it in content["actions"]} == {"Action.OpenUrl"}
    assert content["actions"][0]["url"] == f"{LINKS['answer']}#accepted"


@pytest.mark.parametrize("type", TYPES)
def test_every_type_has_a_message_with_what_it_is_about(type: str) -> None:
    body = orjson.dumps(example_bodies()[type])
    about = "rep/amira" if type == "endpoint.test" else "Ines Tide"

    for format_ in (Format.SLACK, Format.TEAMS):
        assert about in "".join(texts_of(orjson.loads(encode(format_, body))))
    assert encode(Format.STANDARD, body) == body


def test_a_type_that_is_not_known_here_has_a_message_too() -> None:
    body = orjson.dumps({"type": "handoff.sent_on", "timestamp": NOON, "data": {"handoff": {}}})

    message = orjson.loads(encode(Format.SLACK, body))

    assert message["text"] == "Handoff sent on: a lead"


def test_a_breach_of_a_handoff_that_is_not_known_has_a_message() -> None:
    breach = {"policy": "accept_inbound", "due_at": "2026-11-18T13:00:00+01:00"}
    body = orjson.dumps({"type": "handoff.breached", "timestamp": NOON, "data": {"breach": breach}})

    text = "".join(texts_of(orjson.loads(encode(Format.SLACK, body))))

    assert "*Promise:* Accept inbound" in text
    assert "|2026-11-18 12:00 UTC>" in text


def test_a_text_is_cut_between_characters_and_counted_as_slack_counts() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"
    assert shortened("\U0001f600" * 3, 4) == "\U0001f600…"
    assert utf16_size("\U0001f600a") == 3


def test_many_facts_are_in_several_sections_and_a_link_stays_whole() -> None:
    facts = tuple(Fact("Fact", "x" * 1_400) for _ in range(5))
    blocks = list(slack._blocks(ChatMessage("T", facts, (Link("a>b", "https://x.example/|y"),))))

    assert len(blocks) == 5
    assert slack.is_within_limits(blocks)
    assert blocks[-1]["text"]["text"] == "<https://x.example/%7Cy|a&gt;b>"
    assert not slack.is_within_limits(blocks * 11)


def test_the_longest_texts_are_still_a_card() -> None:
    lead = LeadContext(name="\0😀" * 2_000, company='"\\' * 4_000, phone="漢" * 3_000)

    assert len(teams.encode(assigned(lead))) <= teams.MAX_BYTES


@pytest.mark.parametrize(
    ("format_", "status", "detail", "counts_as"),
    [
        (Format.SLACK, 200, "ok", "success"),
        (Format.SLACK, 200, " ok\n", "success"),
        (Format.SLACK, 200, "<html>sign in</html>", "failure"),
        (Format.SLACK, 204, "", "failure"),
        (Format.SLACK, 404, "no_service", "failure"),
        (Format.TEAMS, 202, "", "success"),
        (Format.TEAMS, 400, "ok", "failure"),
        (Format.STANDARD, 200, "anything", "success"),
    ],
)
def test_slack_has_to_say_ok(format_: Format, status: int, detail: str, counts_as: str) -> None:
    response = confirmed(format_, Response(status, detail))

    assert response.is_success == (counts_as == "success")
    assert response.status == status


def test_the_longest_links_are_in_sections_of_their_own() -> None:
    links = {name: f"https://{'x' * 1_950}.example/{url}" for name, url in LINKS.items()}
    body = read_notification(assigned(LeadContext(name="&" * 3_000))).with_links(links)

    blocks = orjson.loads(encode(Format.SLACK, body))["blocks"]

    assert slack.is_within_limits(blocks)
    assert blocks[-1]["text"]["text"].endswith("|Open in the console>")
    assert len(encode(Format.TEAMS, body)) <= teams.MAX_BYTES
