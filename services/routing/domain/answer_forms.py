"""The forms of an answer page: what a rep may choose, the answer that a form gives, and the proof of its page."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Final, NamedTuple

from services.routing.domain.answers import Answer
from services.routing.domain.formats.message import words_of
from services.routing.domain.handoff import Handoff, State
from shared.agreement.model import Routing
from shared.contracts.payloads import Change
from shared.errors import Rejected

HASTE: Final = timedelta(seconds=1)
"""An answer that comes sooner after its page is shown again for confirmation: only programs are so quick."""
FORM_IS_VALID_FOR: Final = timedelta(hours=12)
"""For so long a page may lie open before its form is sent."""
MAX_NOTE: Final = 2_000
"""Characters of a note."""

CHANNELS: Final = ("phone", "email", "meeting", "message")
OUTCOMES: Final = ("reached", "no_answer", "voicemail", "wrong_number", "mail_sent")
"""What a rep may choose where the agreement lists no outcomes."""
REASONS: Final = ("no_capacity", "not_a_fit", "wrong_contact", "other_reason")
"""What a rep may choose where the agreement lists no reasons."""


class NoChoice(Rejected):
    """The form says no answer, or lacks a part of it."""

    code: ClassVar[str] = "no_choice"


class ForeignForm(Rejected):
    """The form does not come from a page of this link in this browser, or the page was open for too long."""

    code: ClassVar[str] = "foreign_form"
    status: ClassVar[int] = 403


class Option(NamedTuple):
    """Something that a rep may choose."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """A part of an answer that has to be chosen: its field, how it is asked, and what there is."""

    name: str
    text: str
    options: Sequence[Option]


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """An answer that the handoff takes now, with what it asks for."""

    change: Change
    title: str
    button: str
    questions: Sequence[Question] = ()
    takes_note: bool = False

    def answer(self, fields: Mapping[str, str], *, hop: int) -> Answer:
        """The answer that was chosen; raises NoChoice where something was not, or the note is too long."""
        details: dict[str, Any] = {}
        for question in self.questions:
            value = fields.get(question.name, "")
            if value not in {it.id for it in question.options}:
                raise NoChoice(f"nothing is saved yet: choose {question.text.lower()}")
            details[question.name] = value
        note = fields.get("note", "").replace("\r\n", "\n").strip()
        if self.takes_note and note:
            if len(note) > MAX_NOTE:
                raise NoChoice(
                    f"nothing is saved yet: the note has more than {MAX_NOTE} characters"
                )
            details["note"] = note
        return Answer(self.change, hop=hop, details=details)


FOLLOW_UP: Final = "You asked them how it goes"
ACCEPT: Final = AnswerForm(Change.ACCEPTED, "Take this lead", "Accept")


def forms_of(
    handoff: Handoff, routing: Routing, *, now: datetime, outcomes_after_win: Collection[str] = ()
) -> list[AnswerForm]:
    """The answers that the handoff takes now from its rep, in the order of the page; none where it takes no more.

    A won one takes contacts with the outcomes of `outcomes_after_win`.
    """
    if handoff.state.held:
        return list(_forms(handoff, routing, now))
    outcomes = [it for it in routing.contact_outcomes if it.id in outcomes_after_win]
    return [_contact(FOLLOW_UP, "Save the answer", _listed(outcomes, ()))] if outcomes else []


def _forms(handoff: Handoff, routing: Routing, now: datetime) -> Iterator[AnswerForm]:
    is_paused = handoff.paused_until is not None and handoff.paused_until > now
    if handoff.state is State.ASSIGNED:
        yield ACCEPT
    if is_paused:
        yield AnswerForm(Change.RESUMED, "Go on with this lead", "Resume")
    outcomes = _listed(routing.contact_outcomes, OUTCOMES)
    yield _contact("You contacted them, or tried to", "Save the contact", outcomes)
    if routing.pause_reasons and not is_paused:
        reasons = _listed(routing.pause_reasons, ())
        yield AnswerForm(
            Change.PAUSED,
            "It has to wait",
            "Pause",
            (Question("reason", "The reason", reasons),),
            takes_note=True,
        )
    reasons = _listed(routing.reject_reasons, REASONS)
    yield AnswerForm(
        Change.REJECTED,
        "You cannot take it",
        "Hand it back",
        (Question("reason", "The reason", reasons),),
        takes_note=True,
    )


def _contact(title: str, button: str, outcomes: Sequence[Option]) -> AnswerForm:
    questions = (
        Question("channel", "How", _options(CHANNELS)),
        Question("outcome", "The outcome", outcomes),
    )
    return AnswerForm(Change.CONTACTED, title, button, questions, takes_note=True)


def chosen_form(forms: Sequence[AnswerForm], fields: Mapping[str, str]) -> AnswerForm:
    """The form whose button was pressed; raises NoChoice where none was, or where the handoff does not take it now.

    Accepting is always a choice: who does so again is told that it was done before.
    """
    for answer_form in (ACCEPT, *forms):
        if answer_form.change.value == fields.get("answer"):
            return answer_form
    raise NoChoice("nothing is saved: choose one of the answers")


def _listed(entries: Sequence[Any], defaults: Sequence[str]) -> list[Option]:
    """The entries of a list of the agreement, or the defaults where it is empty."""
    listed = [Option(it.id, it.label or words_of(it.id)) for it in entries]
    return listed or _options(defaults)


def _options(ids: Sequence[str]) -> list[Option]:
    return [Option(it, words_of(it)) for it in ids]


def stamp_of(token: str, nonce: str, key: bytes, *, at: datetime) -> str:
    """What a page carries in its forms: when it was made, signed for its link and for the nonce of its browser."""
    at_ms = str(int(at.timestamp() * 1000))
    return f"{at_ms}.{_stamp_mac(token, nonce, at_ms, key)}"


def age_of(
    stamp: str, token: str, nonce: str, keys: Sequence[bytes], *, now: datetime
) -> timedelta:
    """How old the page is that the form came from; raises ForeignForm unless it was made for this link and nonce."""
    at_ms, _, mac = stamp.partition(".")
    if not nonce or not any(
        hmac.compare_digest(_stamp_mac(token, nonce, at_ms, it).encode(), mac.encode())
        for it in keys
    ):
        raise ForeignForm(
            "nothing is saved: this form did not come from this page in your browser. Choose again, here; "
            "if that does not help, let your browser keep cookies of this page"
        )
    age = now - datetime.fromtimestamp(int(at_ms) / 1000, now.tzinfo)
    if age > FORM_IS_VALID_FOR:
        raise ForeignForm("nothing is saved: the page was open for a long time. Choose again, here")
    return age


def _stamp_mac(token: str, nonce: str, at_ms: str, key: bytes) -> str:
    return hmac.new(key, f"{token}/{nonce}/{at_ms}".encode(), sha256).hexdigest()[:32]
