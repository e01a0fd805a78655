"""Identifiers belong to leads, and leads that turn out to be one person are merged."""

from __future__ import annotations

from typing import Any

import pytest

from services.scoring.domain.identities import IdentityResolver, NoIdentifier, Person
from shared.contracts.payloads import EventKind, Identity, MarketingEvent
from tests.builders import NOON, an_id, marketing_event, minutes


def groups(*events: MarketingEvent) -> list[int]:
    """The number of each event's lead; leads are numbered in the order of appearance."""
    resolver = IdentityResolver({}, {})
    lead_ids = [resolver.lead_of(event) for event in events]
    leads = [resolver.surviving(lead_id) for lead_id in lead_ids]
    return [list(dict.fromkeys(leads)).index(lead_id) for lead_id in leads]


def ev(email: str | None = None, **identity: Any) -> MarketingEvent:
    """An event with these identifiers and no others."""
    return marketing_event(email=email, **identity)


VISIT, LOGIN = ev(anonymous_id="a"), ev(user_id="u")
ADA, BOB = ev("ada@x.com"), ev("bob@x.com")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ADA, BOB], [0, 1]),
        ([VISIT, ev("ada@x.com", anonymous_id="a"), ADA], [0, 0, 0]),
        ([VISIT, LOGIN, ev(user_id="u", anonymous_id="a")], [0, 0, 0]),
        ([ev("ada@x.com", anonymous_id="a"), ev("bob@x.com", anonymous_id="a"), VISIT], [0, 1, 0]),
        ([ev("ada@x.com", user_id="u"), ev("bob@x.com", user_id="u"), LOGIN], [0, 1, 0]),
        ([ADA, BOB, VISIT, ev("bob@x.com", anonymous_id="a")], [0, 1, 1, 1]),
        ([ev(phone="+1"), ev("ada@x.com", phone="+1")], [0, 0]),
        ([ev("ada@x.com", user_id="u", anonymous_id="a", phone="+1")] * 2, [0, 0]),
    ],
    ids=[
        "two-emails", "visitor-named", "three-in-one", "shared-browser", "user-with-two-emails",
        "visitor-of-bob", "phone", "same-again",
    ],
)  # fmt: skip
def test_events_find_their_person(events: list[MarketingEvent], expected: list[int]) -> None:
    assert groups(*events) == expected


def test_an_id_of_another_source_is_another_id() -> None:
    assert groups(VISIT, marketing_event(email=None, anonymous_id="a", source="app")) == [0, 1]


def test_an_alias_joins_even_two_emails_and_only_an_alias_does() -> None:
    old = Identity(email="bob@x.com")
    alias = marketing_event("aliased", kind=EventKind.ALIAS, email="ada@x.com", previous=old)
    track = marketing_event(email="ada@x.com", previous=old)

    assert groups(ADA, BOB, alias) == [0, 0, 0]
    assert groups(ADA, BOB, track) == [0, 1, 0]
    assert groups(ADA, BOB, alias, ev("bob@x.com", user_id="u"), ev("ada@x.com", user_id="u")) == [
        0, 0, 0, 0, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("person", "other_person", "stays"),
    [
        (Person(an_id(1), NOON, known=True), Person(an_id(2), NOON - minutes(1), known=True), 2),
        (Person(an_id(1), NOON, known=True), Person(an_id(2), NOON - minutes(1)), 1),
        (Person(an_id(1), NOON), Person(an_id(2), NOON - minutes(1)), 2),
    ],
    ids=["the-older", "the-known", "the-older-visitor"],
)
def test_of_two_leads_the_right_one_stays(person: Person, other_person: Person, stays: int) -> None:
    owners = {"user/website/u": person.id, "anonymous/website/a": other_person.id}
    resolver = IdentityResolver(owners, {person.id: person, other_person.id: other_person})

    lead_id = resolver.lead_of(ev(user_id="u", anonymous_id="a"))

    assert lead_id == an_id(stays)
    assert resolver.merges == [(an_id(stays), an_id(3 - stays))]


@pytest.mark.parametrize(
    ("identity", "known"),
    [
        ({"email": "ada@x.com"}, True),
        ({"user_id": "u"}, True),
        ({"phone": "+1"}, True),
        ({}, False),
    ],
    ids=["e-mail", "user", "phone", "nothing"],
)
def test_a_visitor_who_shows_something_else_too_is_known(
    identity: dict[str, str], *, known: bool
) -> None:
    for before in ([], [VISIT]):
        resolver = IdentityResolver({}, {})
        [*_, person] = [
            resolver.lead_of(event) for event in [*before, ev(anonymous_id="a", **identity)]
        ]
        assert resolver.people[resolver.surviving(person)].known is known


def test_an_event_that_names_nobody_is_refused() -> None:
    with pytest.raises(NoIdentifier, match="names nobody"):
        groups(ev())
