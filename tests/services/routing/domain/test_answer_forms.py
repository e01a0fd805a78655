"""What a rep may choose on an answer page, and the proof that a form came from a page."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from services.routing.domain.answer_forms import (
    FORM_IS_VALID_FOR,
    MAX_NOTE,
    ForeignForm,
    NoChoice,
    age_of,
    chosen_form,
    forms_of,
    stamp_of,
)
from services.routing.domain.handoff import State
from shared.agreement.model import Routing
from shared.contracts.payloads import Change
from tests.builders import DEFAULT_SECTIONS, NOON, agreement
from tests.services.routing.builders import handoff

OLD, NEW = b"old key", b"new key"
PAUSES = [
    {"id": "on_holiday", "label": "They are away", "kinds": ["first_touch"], "longest": "10d"}
]


def routing(**fields: Any) -> Routing:
    return agreement(routing={**DEFAULT_SECTIONS["routing"], **fields}).routing


def changes(state: State, section: Routing, **fields: Any) -> list[Change]:
    return [it.change for it in forms_of(handoff(state, **fields), section, now=NOON)]


def test_what_a_handoff_takes_depends_on_its_state() -> None:
    assert changes(State.ASSIGNED, routing()) == [
        Change.ACCEPTED,
        Change.CONTACTED,
        Change.REJECTED,
    ]
    assert changes(State.ACCEPTED, routing()) == [Change.CONTACTED, Change.REJECTED]


def test_a_handoff_can_be_paused_where_the_agreement_has_reasons_and_resumed_while_it_is() -> None:
    section = routing(pause_reasons=PAUSES)

    assert Change.PAUSED in changes(State.ACCEPTED, section)
    paused = changes(State.ACCEPTED, section, paused_until=NOON + timedelta(hours=1))
    assert Change.RESUMED in paused
    assert Change.PAUSED not in paused
    over = changes(State.ACCEPTED, section, paused_until=NOON)
    assert Change.PAUSED in over
    assert Change.RESUMED not in over


def test_the_options_are_those_of_the_agreement_with_its_labels() -> None:
    section = routing(
        contact_outcomes=[{"id": "no_answer"}, {"id": "talked", "label": "We talked"}]
    )
    contact, reject = forms_of(handoff(State.ACCEPTED), section, now=NOON)

    outcome = next(it for it in contact.questions if it.name == "outcome")
    assert list(outcome.options) == [("no_answer", "No answer"), ("talked", "We talked")]
    assert [it.id for it in reject.questions[0].options] == ["no_capacity", "not_ready"]


def test_without_lists_there_are_usual_options() -> None:
    contact, reject = forms_of(handoff(State.ACCEPTED), routing(reject_reasons=[]), now=NOON)

    assert "reached" in {it.id for it in contact.questions[1].options}
    assert "no_capacity" in {it.id for it in reject.questions[0].options}


def test_a_choice_becomes_an_answer_for_the_hop_of_the_link() -> None:
    forms = forms_of(handoff(), routing(), now=NOON)
    fields = {"answer": "rejected", "reason": "no_capacity", "note": " a\r\nb ", "x": "y"}

    answer = chosen_form(forms, fields).answer(fields, hop=3)

    assert (answer.change, answer.hop, answer.occurred_at) == (Change.REJECTED, 3, None)
    assert answer.details == {"reason": "no_capacity", "note": "a\nb"}


@pytest.mark.parametrize(("lines", "is_taken"), [(MAX_NOTE // 2, True), (MAX_NOTE, False)])
def test_a_note_is_never_cut_and_a_line_end_counts_once(lines: int, *, is_taken: bool) -> None:
    forms = forms_of(handoff(), routing(), now=NOON)
    note = "n\r\n" * lines
    fields = {"answer": "rejected", "reason": "no_capacity", "note": note}

    with nullcontext() if is_taken else pytest.raises(NoChoice, match="more than 2000 characters"):
        answer = chosen_form(forms, fields).answer(fields, hop=1)
        assert len(answer.details["note"]) == 2 * lines - 1


def test_accepting_takes_no_note_and_is_always_a_choice() -> None:
    fields = {"answer": "accepted", "note": "hello"}
    answer = chosen_form([], fields).answer(fields, hop=1)

    assert answer.details == {}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"answer": ""},
        {"answer": "won"},
        {"answer": "paused", "reason": "no_capacity"},
        {"answer": "rejected"},
        {"answer": "rejected", "reason": ""},
        {"answer": "rejected", "reason": "because"},
        {"answer": "contacted", "channel": "phone"},
    ],
    ids=str,
)
def test_without_a_whole_choice_there_is_no_answer(fields: dict[str, str]) -> None:
    forms = forms_of(handoff(), routing(), now=NOON)
    with pytest.raises(NoChoice, match="nothing is saved"):
        chosen_form(forms, fields).answer(fields, hop=1)


def test_a_stamp_says_how_old_its_page_is() -> None:
    stamp = stamp_of("token", "nonce", OLD, at=NOON)

    for keys in ([OLD], [NEW, OLD]):
        age = age_of(stamp, "token", "nonce", keys, now=NOON + timedelta(milliseconds=1500))
        assert age == timedelta(milliseconds=1500)


@pytest.mark.parametrize(
    ("stamp", "token", "nonce"),
    [
        ("", "token", "nonce"),
        ("1.abc", "token", "nonce"),
        ("é.é", "token", "nonce"),
        (stamp_of("token", "nonce", OLD, at=NOON), "other", "nonce"),
        (stamp_of("token", "nonce", OLD, at=NOON), "token", "other"),
        (stamp_of("token", "", OLD, at=NOON), "token", ""),
        (stamp_of("token", "nonce", NEW, at=NOON), "token", "nonce"),
        ("1" + stamp_of("token", "nonce", OLD, at=NOON), "token", "nonce"),
    ],
)
def test_a_form_of_another_page_or_browser_is_refused(stamp: str, token: str, nonce: str) -> None:
    with pytest.raises(ForeignForm, match="did not come from this page"):
        age_of(stamp, token, nonce, [OLD], now=NOON)


def test_a_page_that_was_open_for_long_is_refused() -> None:
    stamp = stamp_of("token", "nonce", OLD, at=NOON)
    with pytest.raises(ForeignForm, match="for a long time"):
        age_of(stamp, "token", "nonce", [OLD], now=NOON + FORM_IS_VALID_FOR + timedelta(seconds=1))
