"""Answer pages as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.routing.domain.answer_forms import AnswerForm
from services.routing.domain.answers import PastStep
from services.routing.domain.formats.message import MESSAGE, words_of
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.roster import Rep
from services.routing.handlers.answer_pages import AnswerPage
from shared.contracts.card_lines import lines_of_answers, lines_of_facts
from shared.contracts.payloads import Change, LeadCard, LeadContext, LeadQualified

STYLE: Final = (Path(__file__).parent / "static" / "answers.css").read_bytes()
MAX_TRAITS: Final = 8
MAX_TEXT: Final = 1_000
"""Characters of a text of the lead."""

_STEPS = {
    Change.ACCEPTED: "accepted this lead",
    Change.CONTACTED: "reported a contact",
    Change.REJECTED: "handed this lead back",
    Change.PAUSED: "paused this lead",
    Change.RESUMED: "resumed this lead",
    Change.WON: "won this lead",
    Change.LOST: "closed this lead as lost",
}
_STATES = {
    State.WAITING: "It waits for another rep.",
    State.RECYCLED: "It went back to marketing.",
    State.DISQUALIFIED: "The lead was handed back for good.",
    State.RETURNED: "The lead does not qualify any more.",
    State.MERGED: "It is one with another handoff of the same person now.",
}


class Renderer:
    """The templates of answer pages."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("services.routing.api"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["words"] = words_of

    def page(
        self,
        page: AnswerPage,
        *,
        stamp: str,
        message: str,
        confirmed: Mapping[str, str],
        now: datetime,
    ) -> str:
        """The page; `confirmed` are the fields of a form that came in haste and has to be confirmed, or none."""
        template = self._environment.get_template("answer.html")
        lead_card = page.handoff.lead.context.lead_card or LeadCard()
        return template.render(
            page=page,
            lead=page.handoff.lead.context,
            why_now=why_now(page.handoff.lead),
            traits=traits_of(page.handoff.lead.context),
            answers=lines_of_answers(lead_card),
            card_facts=lines_of_facts(lead_card),
            paused_until=paused_text(page, now),
            promises=[
                (words_of(it.kind), time_text(it.due_at, page.zone), span_text(it.due_at, now))
                for it in page.promises
            ],
            happened=happened(page),
            now_text=present_text(page.handoff, page.holder),
            confirmed=dict(confirmed),
            chosen=chosen_text(page.forms, confirmed),
            stamp=stamp,
            message=message,
        )

    def error(self, message: str) -> str:
        """A page that says why there is nothing to answer."""
        return self._environment.get_template("answer_error.html").render(message=message)


def why_now(lead: LeadQualified) -> tuple[str, str]:
    """Why the lead qualified, and what the person wrote then; nothing where their card has it."""
    touch = lead.context.why_now
    if touch is None:
        return words_of(lead.cause), ""
    title = _text(touch.title or words_of(touch.type))
    lead_card = lead.context.lead_card or LeadCard()
    if any(it.field == MESSAGE for it in lead_card.form_answers):
        return title, ""
    return title, _text(touch.properties.get(MESSAGE) or "")


def traits_of(lead: LeadContext) -> list[tuple[str, str]]:
    """Some of the lead's traits: their names as words, and their values as text."""
    known = {"name", "email", "phone", "company"}
    names = [it for it in lead.traits if it not in known][:MAX_TRAITS]
    return [(words_of(it), _text(lead.traits[it])) for it in names]


def _text(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def happened(page: AnswerPage) -> list[tuple[str, str]]:
    """What was answered in the link's hop, the newest first, each with its time."""
    answers = [it for it in page.steps if it.hop == page.link.hop and it.change in _STEPS]
    return [
        (step_text(it, page.link.rep), time_text(it.occurred_at, page.zone))
        for it in reversed(answers)
    ]


def step_text(step: PastStep, rep: str) -> str:
    """An answer in words, for this rep."""
    role = "You" if step.actor == f"rep/{rep}" else "Operations"
    detail = step.details.get("outcome") or step.details.get("reason")
    text = f"{role} {_STEPS[step.change]}"
    return f"{text}: {words_of(str(detail)).lower()}" if detail else text


def paused_text(page: AnswerPage, now: datetime) -> str:
    """Until when the handoff is paused; empty where it is not."""
    until = page.handoff.paused_until
    return "" if until is None or until <= now else time_text(until, page.zone)


def present_text(handoff: Handoff, holder: Rep | None) -> str:
    """The handoff's present state in words."""
    name = handoff.rep if holder is None else holder.name
    if handoff.state.held:
        return f"{name} has it now."
    if handoff.state in (State.WON, State.LOST):
        return f"{name} closed it as {handoff.state.value}."
    return _STATES.get(handoff.state, f"It is {handoff.state.value} now.")


def chosen_text(forms: Sequence[AnswerForm], fields: Mapping[str, str]) -> str:
    """What was chosen in a form, in words; empty without one."""
    for answer_form in forms:
        if answer_form.change.value == fields.get("answer"):
            return _choice(answer_form, fields)
    return ""


def _choice(answer_form: AnswerForm, fields: Mapping[str, str]) -> str:
    labels = [
        option.label
        for question in answer_form.questions
        for option in question.options
        if option.id == fields.get(question.name)
    ]
    return ", ".join([answer_form.button, *labels])


def time_text(at: datetime, zone: ZoneInfo) -> str:
    """`Mon 23 Nov 09:45` in the zone."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def span_text(at: datetime, now: datetime) -> str:
    """How long until `at`, or since: `in 22 min`, `3 h 5 min ago`."""
    minutes = int(abs((at - now).total_seconds()) // 60)
    units = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    parts = [f"{count} {unit}" for count, unit in units if count][:2]
    text = " ".join(parts) or "0 min"
    return f"in {text}" if at >= now else f"{text} ago"
