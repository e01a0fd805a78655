"""The section `channels`: which channel a marketing touch came by."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.agreement.model.base import EventType, Id, Section
from shared.documents.limits import AtMost, TextForm

Names = Annotated[tuple[Annotated[str, Field(min_length=1), AtMost(200)], ...], AtMost(200)]
Host = Annotated[
    str,
    AtMost(253),
    TextForm(
        r"[^\s/:?#*.]+(\.[^\s/:?#*.]+)*(\.\*)?",
        name="a host",
        words="such as partner.example, or google.* for all of its domains",
        example="partner.example",
    ),
]


class ChannelRule(Section):
    """A channel, and what an event names that came by it; before the built-in ones."""

    channel: Id
    mediums: Names = Field(
        default=(),
        description="`utm_medium`. With `sources` too, both must be named. `-`, `_`, blanks and case do not matter.",
    )
    sources: Names = Field(default=(), description="`utm_source`.")
    referrers: Annotated[tuple[Host, ...], AtMost(200)] = Field(
        default=(),
        description="Hosts, with all hosts below them; `example.*` is `example` under every public suffix.",
    )
    types: Annotated[tuple[EventType, ...], AtMost(200)] = Field(
        default=(), description="Event types that are touches wherever they came from."
    )
