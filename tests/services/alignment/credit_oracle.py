"""The oracle of attribution: plain loops over all wins and their touches, with fractions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.alignment.domain.attribution import CreditBy, Terms
from shared.db.time_range import TimeRange

WINS = """
    select handoff.closed_at, handoff.qualified_at, touched.known_at, handoff.currency, handoff.amount_cents,
        coalesce(touched.touches, '[]') as touches
    from alignment.handoffs as handoff left join alignment.touches as touched using (lead_id, qualification)
    where handoff.outcome = 'won' and handoff.closed_at >= :since and handoff.closed_at < :until
"""
POINTS = {
    "first": (1000, 0, 0, 0, 0),
    "last": (0, 0, 0, 1000, 0),
    "u_shaped": (400, 400, 0, 0, 200),
    "w_shaped": (300, 300, 300, 0, 100),
    "full_path": (225, 225, 225, 225, 100),
}
"""The thousandths of the first touch, the last ones before the lead was known, qualified and won, and of the others."""
MODELS = ("first", "last", "linear", "time_decay", "u_shaped", "w_shaped", "full_path")


class Key(NamedTuple):
    """Whose credit it is, by which model."""

    currency: str
    is_touched: bool
    name: str | None
    model: str


class Answer(NamedTuple):
    """What a report says."""

    won: int
    unknown: int
    cents: dict[Key, int]
    wins: dict[Key, int]


def expected_credit(session: Session, times: TimeRange, by: CreditBy, terms: Terms) -> Answer:
    """What a report must say; groups without any credit are left out."""
    won, unknown = 0, 0
    cents, wins = Counter[Key](), Counter[Key]()
    parameters = {"since": times.since, "until": times.until}
    for win in session.execute(text(WINS), parameters):
        won += 1
        if win.amount_cents is None or win.currency is None:
            unknown += 1
            continue
        for model in MODELS:
            credit = Counter[Key]()
            for touched, name, part in _parts(win, by, model, terms):
                credit[Key(win.currency, touched, name, model)] += part
            cents += credit
            wins += Counter(dict.fromkeys(+credit, 1))
    return Answer(won, unknown, dict(+cents), dict(+wins))


def _parts(
    win: Any, by: CreditBy, model: str, terms: Terms
) -> Iterator[tuple[bool, str | None, int]]:
    touches = sorted(
        (datetime.fromisoformat(it["at"]), it["channel"], it["campaign"] or "")
        for it in win.touches
    )
    touches = [it for it in touches if win.closed_at - terms.window <= it[0] <= win.closed_at]
    if not touches:
        yield False, None, win.amount_cents
        return
    instants = [at for at, _, _ in touches]
    weights = _weights(win, instants, model, terms)
    exact = [win.amount_cents * it / sum(weights) for it in weights]
    parts = [int(it) for it in exact]
    for _ in range(win.amount_cents - sum(parts)):
        remainders = [it - whole for it, whole in zip(exact, parts, strict=True)]
        parts[remainders.index(max(remainders))] += 1
    for (_, channel, campaign), part in zip(touches, parts, strict=True):
        yield True, (campaign if by is CreditBy.CAMPAIGN else channel) or None, part


def _weights(win: Any, instants: list[datetime], model: str, terms: Terms) -> list[Fraction]:
    if model == "linear":
        return [Fraction(1)] * len(instants)
    if model == "time_decay":
        ages = [(instants[-1] - it) / terms.half_life for it in instants]
        return [Fraction(2.0**-age) for age in ages]
    *shares, rest = POINTS[model]
    positions = [
        0,
        _last(instants, win.known_at),
        _last(instants, win.qualified_at),
        len(instants) - 1,
    ]
    weights = [Fraction(0)] * len(instants)
    for share, position in zip(shares, positions, strict=True):
        if position is not None:
            weights[position] += share
    others = [position for position, it in enumerate(weights) if not it]
    for position in others:
        weights[position] = Fraction(rest, len(others))
    return weights


def _last(instants: list[datetime], until: datetime | None) -> int | None:
    """The position of the last instant that is not later."""
    return max((n for n, at in enumerate(instants) if until and at <= until), default=None)
