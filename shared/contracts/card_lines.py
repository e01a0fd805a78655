"""A lead's card in words: the same in chats, on pages for reps and ops, and in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from shared.contracts.payloads import CardTouch, Consent, LeadCard, Purchase


class CardLine(NamedTuple):
    """A labelled text."""

    label: str
    text: str


def lines_of_answers(lead_card: LeadCard) -> list[CardLine]:
    """What the person wrote, by question."""
    return [CardLine(it.label, it.text) for it in lead_card.form_answers]


def lines_of_facts(lead_card: LeadCard) -> list[CardLine]:
    """Everything else on the card that says something."""
    return [CardLine(label, text) for label, text in _facts(lead_card) if text]


def _facts(lead_card: LeadCard) -> Iterator[tuple[str, str]]:
    yield "Persona", lead_card.persona or ""
    yield "Topics", ", ".join(f"{it.label} ({it.views})" for it in lead_card.topics)
    yield "Pages", ", ".join(f"{it.title or it.path} ({it.views})" for it in lead_card.pages)
    yield "Bought", _purchases(lead_card)
    first, last = lead_card.first_touch, lead_card.last_touch
    yield "First touch", _touch(first) if first else ""
    yield "Last touch", _touch(last) if last and last != first else ""
    yield "Consent", _consent(lead_card.consent) if lead_card.consent else ""


def _purchases(lead_card: LeadCard) -> str:
    listed = "; ".join(map(_purchase, lead_card.purchases))
    others = lead_card.purchase_count - len(lead_card.purchases)
    if others <= 0:
        return listed
    return f"{listed}; and {others} more" if listed else f"{others} times"


def _purchase(purchase: Purchase) -> str:
    title = purchase.title or _words(purchase.type)
    amount = "" if purchase.amount is None else _amount(purchase.amount)
    paid = " ".join(it for it in (amount, purchase.currency or "") if it) if amount else ""
    return ", ".join(it for it in (title, paid, _day(purchase.at)) if it)


def _amount(amount: float) -> str:
    """`490`, `1,200.50`; an amount that nobody pays in a short notation."""
    if abs(amount) >= 1e12:
        return f"{amount:.6g}"
    return f"{amount:,.2f}".removesuffix(".00")


def _touch(touch: CardTouch) -> str:
    campaign = f"campaign {touch.campaign}" if touch.campaign else ""
    origin = ", ".join(it for it in (_words(touch.channel), campaign) if it)
    return f"{origin}: {_words(touch.type)}, {_day(touch.at)}"


def _consent(consent: Consent) -> str:
    if consent.at is None or consent.by is None:
        return consent.state.value
    return f"{consent.state.value} by {_words(consent.by)}, {_day(consent.at)}"


def _words(id: str) -> str:
    return id.replace("_", " ")


def _day(at: datetime) -> str:
    """The day where it was reported: `3 Nov 2026`. An instant at the edge of time could not be converted."""
    return f"{at.day} {at:%b %Y}"
