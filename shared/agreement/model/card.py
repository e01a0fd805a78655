"""The section `lead_card`: what a rep reads about a lead besides its scores and traits."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from shared.agreement.durations import Duration
from shared.agreement.model.base import EventType, Id, Label, Section
from shared.documents.limits import AtMost, Between, TextForm

EventTypes = Annotated[tuple[EventType, ...], AtMost(50)]
PagePath = Annotated[
    str,
    AtMost(500),
    TextForm(
        r"/([^\s?#*]*[^\s?#*/])?(/\*)?",
        name="a path",
        words="such as /pricing, or /docs/* for /docs and all pages below it",
        example="/docs/*",
    ),
]


class Question(Section):
    """A field of forms whose answer a rep reads, in the person's own words."""

    field: Annotated[str, Field(min_length=1), AtMost(200)] = Field(
        description="Its name in the `properties` of events."
    )
    label: Label | None = Field(
        default=None, description="How people read it; by default the field's name."
    )
    on: EventTypes = Field(
        default=(), description="Types of the events that it is read from; by default all."
    )


class PageTopic(Section):
    """What some pages are about; a page is about the first topic that names it."""

    id: Id
    label: Label | None = Field(default=None, description="How people read it; by default the id.")
    paths: Annotated[tuple[PagePath, ...], AtMost(100)] = Field(
        min_length=1, description="`/docs/*` is `/docs` and all pages below it."
    )


class ConsentSources(Section):
    """What tells whether a person agreed to be written to; the latest of them counts."""

    trait: Annotated[str, AtMost(63)] | None = Field(
        default=None,
        description="A trait that is declared `boolean`: true is granted, false withdrawn.",
    )
    granted_by: EventTypes = Field(default=(), description="Types of events that grant it.")
    withdrawn_by: EventTypes = Field(default=(), description="Types of events that withdraw it.")


class CardContents(Section):
    """What a rep reads about a lead besides its scores and traits, from the lead's last 1,000 events."""

    questions: Annotated[tuple[Question, ...], AtMost(30)] = Field(
        default=(),
        description="Fields of forms whose text is shown, the latest answer to each; at most 8 answers, in this order.",
    )
    topics: Annotated[tuple[PageTopic, ...], AtMost(50)] = Field(
        default=(), description="What pages are about."
    )
    half_life: Annotated[Duration, Between(timedelta(hours=1), timedelta(days=3650))] = Field(
        default=timedelta(days=14),
        description="After how long a view of a page has half its weight, by which topics and pages are ordered.",
    )
    purchases: EventTypes = Field(
        default=(), description="Types of events that are purchases, such as `order_completed`."
    )
    consent: ConsentSources | None = Field(
        default=None,
        description="What tells whether a person agreed to be written to; without it nothing is shown of consent.",
    )
