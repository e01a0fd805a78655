"""What a rep reads about a lead: their own words, what they looked at, bought and agreed to, where they come from.

It is a function of the lead's last events, whatever order they came in, and of the agreement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import fsum
from typing import Any, NamedTuple

from services.scoring.domain.page import path_of
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.profile import Profile, event_key, event_order
from services.scoring.domain.touches import AUTOMATED_MARKS
from shared.agreement.facts import boolean_of, number_of
from shared.agreement.model import CardContents, ConsentSources, PageTopic, Question
from shared.contracts.payloads import (
    CardTouch,
    Consent,
    ConsentState,
    FormAnswer,
    LeadCard,
    MarketingEvent,
    PageViews,
    Purchase,
    TopicViews,
)
from shared.contracts.touches import MarketingTouch
from shared.text import plain_text

HISTORY = 1_000
"""How many of a lead's last events are looked at."""

ANSWERS = 8
ANSWER_BYTES = 800
LISTED = 5
"""How many topics, pages and purchases are listed."""
LABEL_BYTES = 300

FIRST_INSTANT_S = datetime.min.replace(tzinfo=UTC).timestamp()
"""Times of events may lie before it, in zones to the east."""

PAGE_VIEWED = "page_viewed"
"""The type of the events that are views of pages, whatever format they came in."""

_TITLES = ("title", "product", "product_name", "plan", "name")
_AMOUNTS = ("total", "revenue", "value", "amount", "price")


class Origins(NamedTuple):
    """The first and the last marketing touch of a lead; None where there is none."""

    first: CardTouch | None = None
    last: CardTouch | None = None


def origins_of(touches: Sequence[MarketingTouch]) -> Origins:
    """The first and the last of these touches, which are in their order."""
    if not touches:
        return Origins()
    first, last = (
        CardTouch(channel=it.channel, campaign=it.campaign, type=it.type, at=it.occurred_at)
        for it in (touches[0], touches[-1])
    )
    return Origins(first, last)


def origins_in(events: Iterable[MarketingEvent], policy: ScoringPolicy) -> Origins:
    """The first and the last touch among all events of a lead, by the channels of this policy."""
    touches = [
        CardTouch(channel=origin.channel, campaign=origin.campaign, type=event.type, at=event.time)
        for event in sorted(events, key=event_order)
        if (origin := policy.origin_of(event)) is not None
    ]
    return Origins(touches[0], touches[-1]) if touches else Origins()


@dataclass(frozen=True, slots=True)
class CardSources:
    """Which events tell something for a card: those of these types, and those with one of these properties.

    Events that tell of consent count however long ago they are.
    """

    types: tuple[str, ...]
    fields: tuple[str, ...]
    consent_types: tuple[str, ...]

    @classmethod
    def of(cls, contents: CardContents) -> CardSources:
        """Those that the section of the agreement names."""
        return cls(
            types=(PAGE_VIEWED, *contents.purchases),
            fields=tuple(it.field for it in contents.questions),
            consent_types=_consent_types(contents.consent or ConsentSources()),
        )


def build_card(
    profile: Profile,
    policy: ScoringPolicy,
    events: Iterable[MarketingEvent],
    origins: Origins,
    *,
    now: datetime,
) -> LeadCard:
    """The card of the lead with this profile and these events of the card, of which some may be there twice."""
    rules = policy.agreement.lead_card
    of_people = {event_key(it): it for it in events if AUTOMATED_MARKS.isdisjoint(it.marks)}
    newest_first = sorted(of_people.values(), key=event_order, reverse=True)
    views = _views(newest_first, half_life_s=rules.half_life.total_seconds(), now=now)
    purchases = [it for it in newest_first if it.type in rules.purchases]
    return LeadCard(
        persona=_persona_label(profile, policy),
        channel=None if origins.last is None else origins.last.channel,
        first_touch=origins.first,
        last_touch=origins.last,
        form_answers=tuple(_form_answers(rules.questions, newest_first))[:ANSWERS],
        topics=tuple(_topics(rules.topics, views)),
        pages=tuple(_pages(views)),
        purchases=tuple(_purchase(it) for it in purchases[:LISTED]),
        purchase_count=len(purchases),
        consent=None if rules.consent is None else _consent(rules.consent, profile, newest_first),
    )


def _persona_label(profile: Profile, policy: ScoringPolicy) -> str | None:
    id_ = policy.persona(profile.facts(policy))
    labels = (it.label or it.id for it in policy.agreement.personas if it.id == id_)
    return next(labels, None)


def _form_answers(
    questions: Sequence[Question], newest_first: Sequence[MarketingEvent]
) -> Iterator[FormAnswer]:
    """The latest answer to each question that somebody answered."""
    for question in questions:
        for event in newest_first:
            is_asked = not question.on or event.type in question.on
            text = _text(event.properties.get(question.field), ANSWER_BYTES) if is_asked else None
            if text is not None:
                label = question.label or question.field
                yield FormAnswer(field=question.field, label=label, text=text, at=event.time)
                break


class _View(NamedTuple):
    """One view of a page; its weight halves with age."""

    path: str
    title: str | None
    at: datetime
    weight: float


def _views(
    newest_first: Sequence[MarketingEvent], *, half_life_s: float, now: datetime
) -> Mapping[str, Sequence[_View]]:
    """The views of each page, the newest first."""
    views: dict[str, list[_View]] = defaultdict(list)
    for event in newest_first:
        path = path_of(event) if event.type == PAGE_VIEWED else None
        if path is not None:
            age_s = max((now - event.time).total_seconds(), 0.0)
            weight = 2.0 ** (-age_s / half_life_s)
            views[path].append(_View(path, _page_title(event), event.time, weight))
    return views


def _pages(views: Mapping[str, Sequence[_View]]) -> list[PageViews]:
    pages = [
        PageViews(
            path=plain_text(path, limit=LABEL_BYTES),
            title=next((it.title for it in of_page if it.title), None),
            views=len(of_page),
            weight=_sum_of(of_page),
            last_at=of_page[0].at,
        )
        for path, of_page in views.items()
    ]
    return sorted(pages, key=lambda it: (-it.weight, it.path))[:LISTED]


def _topics(topics: Sequence[PageTopic], views: Mapping[str, Sequence[_View]]) -> list[TopicViews]:
    of_topic: dict[str, list[_View]] = defaultdict(list)
    for path, of_page in views.items():
        topic_id = next((it.id for it in topics if _is_about(path, it.paths)), None)
        if topic_id is not None:
            of_topic[topic_id].extend(of_page)
    listed = [
        TopicViews(
            topic=it.id,
            label=it.label or it.id,
            views=len(of_topic[it.id]),
            weight=_sum_of(of_topic[it.id]),
        )
        for it in topics
        if it.id in of_topic
    ]
    return sorted(listed, key=lambda it: -it.weight)[:LISTED]


def _is_about(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns names the page: itself, or as one of those below it (`/docs/*`)."""
    return any(
        path == it.removesuffix("/*") or (it.endswith("/*") and path.startswith(it[:-1]))
        for it in patterns
    )


def _sum_of(views: Sequence[_View]) -> float:
    return round(fsum(it.weight for it in views), 3)


def _page_title(event: MarketingEvent) -> str | None:
    page: Any = event.context.get("page")
    of_page = page.get("title") if isinstance(page, Mapping) else None
    return _text(event.properties.get("title") or of_page, LABEL_BYTES)


def _purchase(event: MarketingEvent) -> Purchase:
    """What was bought, as far as the event says it by the names that shops use."""
    properties = event.properties
    amounts = (number_of(properties.get(it)) for it in _AMOUNTS)
    titles = (_text(properties.get(it), LABEL_BYTES) for it in _TITLES)
    currency = properties.get("currency")
    return Purchase(
        type=event.type,
        title=_names_of(properties.get("products")) or next(filter(None, titles), None),
        amount=next((it for it in amounts if it is not None), None),
        currency=_text(currency, 3) if isinstance(currency, str) and len(currency) == 3 else None,
        at=event.time,
    )


def _names_of(products: object) -> str | None:
    """The names of the products of an order, one after the other."""
    entries = products if isinstance(products, list) else []
    return _text([it.get("name") for it in entries if isinstance(it, Mapping)], LABEL_BYTES)


def _consent(
    sources: ConsentSources, profile: Profile, events: Sequence[MarketingEvent]
) -> Consent:
    """What the latest of the trait and the events says."""
    types = _consent_types(sources)
    dated = [
        (event.time, event_key(event), event.type in sources.granted_by, event.type)
        for event in events
        if event.type in types
    ]
    at, key, value = profile.traits.get(sources.trait or "", (0.0, "", None))
    by_trait = boolean_of(value)
    if by_trait is not None:
        changed_at = datetime.fromtimestamp(max(at, FIRST_INSTANT_S), UTC)
        dated.append((changed_at, key, by_trait, sources.trait or ""))
    if not dated:
        return Consent(state=ConsentState.UNKNOWN)
    since, _, is_granted, by = max(dated)
    state = ConsentState.GRANTED if is_granted else ConsentState.WITHDRAWN
    return Consent(state=state, by=by, at=since)


def _consent_types(sources: ConsentSources) -> tuple[str, ...]:
    return (*sources.granted_by, *sources.withdrawn_by)


def _text(value: object, limit: int) -> str | None:
    """The value as plain text; None for what says nothing."""
    if isinstance(value, list | tuple):
        parts = (_text(it, limit) for it in value[:20] if not isinstance(it, list | tuple))
        value = ", ".join(filter(None, parts))
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if not isinstance(value, str | int | float):
        return None
    return plain_text(str(value), limit=limit) or None
