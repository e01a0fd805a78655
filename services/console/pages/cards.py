"""A lead's card on the pages of leads and of handoffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.contracts.card_lines import CardLine, lines_of_answers, lines_of_facts
from shared.contracts.codec import Codec
from shared.contracts.payloads import LeadCard

_codec = Codec(LeadCard)


class CardView(NamedTuple):
    """What a page shows of a card."""

    answers: Sequence[CardLine] = ()
    facts: Sequence[CardLine] = ()


def card_of(lead: Mapping[str, Any]) -> CardView:
    """The card of a lead as an API answers it; with nothing on it where it was announced without one."""
    lead_card = _codec.convert(lead.get("lead_card") or {})
    return CardView(lines_of_answers(lead_card), lines_of_facts(lead_card))
