"""Messages for Slack and Teams stay within the limits that are written down, whatever a lead is called."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

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
from shared.contracts.payloads import (
    CardTouch,
    Consent,
    ConsentState,
    FormAnswer,
    LeadCard,
    LeadContext,
    PageViews,
    Purchase,
    Reason,
    TopicViews,
    Touch,
)
from tests.builders import NOON, lead_qualified
from tests.services.routing.builders import URL, handoff
from tests.services.routing.domain.test_notifications import due

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
    notification = notifications.assignment(held, due(held), public_url=URL)
    return read_notification(notification.body).with_links(LINKS)


@st.composite
def cards(draw: st.DrawFn) -> LeadCard:
    """Cards with everything on them, each text as bad as it can be."""
    text = draw(NASTY)
    touch = CardTouch(channel=text, campaign=text, type="page_viewed", at=NOON)
    answer = FormAnswer(field="message", label=draw(NASTY), text=draw(NASTY), at=NOON)
    bought = Purchase(type="order_completed", title=text, amount=1e300, currency="EUR", at=NOON)
    return LeadCard(
        persona=text,
        first_touch=touch,
        last_touch=replace(touch, campaign=draw(VALUES)),
        form_answers=(answer,) * 8,
        topics=(TopicViews(topic="t", label=draw(NASTY), views=2**60, weight=1.0),) * 5,
        pages=(PageViews(path=text, views=1, weight=1.0, last_at=NOON),) * 5,
        purchases=(bought,) * 5,
        purchase_count=99,
        consent=Consent(state=ConsentState.GRANTED, by=draw(NASTY), at=NOON),
    )


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
        lead_card=draw(st.none() | cards()),
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
    subjects = {"endpoint.test": "rep/amira", "campaign.outcome": "revops_leaders"}
    about = subjects.get(type, "Ines Tide")

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


def test_the_fullest_card_with_the_longest_links_is_within_all_limits() -> None:
    answers = tuple(
        FormAnswer(field=f"f{it}", label="&" * 200, text="&" * 800, at=NOON) for it in range(8)
    )
    touch = CardTouch(channel="<" * 63, campaign=">" * 200, type="&" * 100, at=NOON)
    lead_card = LeadCard(
        persona="&" * 200,
        first_touch=touch,
        last_touch=replace(touch, campaign=None),
        form_answers=answers,
        topics=(TopicViews(topic="t", label="&" * 200, views=1, weight=1.0),) * 5,
        pages=(PageViews(path="&" * 300, views=1, weight=1.0, last_at=NOON),) * 5,
        consent=Consent(state=ConsentState.GRANTED, by="&" * 63, at=NOON),
    )
    context = LeadContext(name="&" * 300, email="a@b.c", phone="&" * 300, lead_card=lead_card)
    links = {name: f"https://{'x' * 1_950}.example/{url}" for name, url in LINKS.items()}
    body = read_notification(assigned(context)).with_links(links)

    assert slack.is_within_limits(orjson.loads(encode(Format.SLACK, body))["blocks"])
    assert len(encode(Format.TEAMS, body)) <= teams.MAX_BYTES


def test_a_chat_shows_a_persons_words_once_and_as_one_line_each() -> None:
    wrote = "<b>Call</b> me\n\u202enow @here <!channel>"
    touch = Touch(id="1", type="demo_requested", time=NOON, properties={"message": wrote})
    answers = [
        FormAnswer(field=field, label=label, text=wrote, at=NOON)
        for field, label in (("message", "What they\nwrote"), ("b", "B"), ("c", "C"), ("d", "D"), ("e", "E"))
    ]  # fmt: skip
    lead_card = LeadCard(form_answers=tuple(answers), topics=(
        TopicViews(topic="prices", label="Prices", views=3, weight=1.0),
    ))  # fmt: skip
    body = assigned(LeadContext(email="ada@example.com", why_now=touch, lead_card=lead_card))

    [_, facts, *_] = orjson.loads(encode(Format.SLACK, body))["blocks"]

    lines = facts["text"]["text"].split("\n")
    words = "&lt;b&gt;Call&lt;/b&gt; me now @here &lt;!channel&gt;"
    assert [it for it in lines if "Call" in it] == [
        f"*{label}:* {words}" for label in ("What they wrote", "B", "C", "D")
    ]
    assert "*Topics:* Prices (3)" in lines


def test_a_message_that_no_question_asks_for_is_shown_as_before() -> None:
    touch = Touch(id="1", type="demo_requested", time=NOON, properties={"message": "Call me"})
    body = assigned(LeadContext(email="ada@example.com", why_now=touch))

    assert "*Message:* Call me" in "".join(texts_of(orjson.loads(encode(Format.SLACK, body))))
