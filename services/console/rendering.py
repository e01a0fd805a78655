"""Templates: whole pages, and the block of a page that its stream replaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2_fragments import render_block
from markupsafe import Markup
from pydantic import TypeAdapter

from services.console import formats
from services.console.apis import Gap

LIVE_BLOCK = "live"
DURATION = TypeAdapter(timedelta)
NONE = "\u2013"
"""A dash, where there is no value."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every template may use beside the page's own values."""

    title: str
    path: str
    now: datetime
    zone: ZoneInfo
    scope: str | None = None
    subject: str = ""
    token: str = ""
    """Against forged requests; empty in fragments, which many visitors share: the script fills it in."""
    status: str = ""
    """One line on what the visitor has just done."""
    live: str = ""
    """The URL of the page's stream, if it has one."""
    navigation: tuple[tuple[str, str, str], ...] = field(default=())
    """Path, title and key of each page."""
    keys: bool = True
    """Whether single letters are keys."""


class Renderer:
    """The templates of the console."""

    def __init__(self) -> None:
        self._environment = _environment()

    def page(self, template: str, frame: Frame, values: Mapping[str, Any]) -> str:
        """The whole page."""
        return self._environment.get_template(template).render(**values, frame=frame)

    def fragment(self, template: str, frame: Frame, values: Mapping[str, Any]) -> str:
        """The block `live` of the page; what the template imports at its top does not reach a block alone."""
        context = {**values, "frame": frame}
        parts = self._environment.get_template("parts.html").make_module(context)
        return render_block(self._environment, template, LIVE_BLOCK, **context, parts=parts)


@cache
def _environment() -> Environment:
    """Every template, compiled once in a process, and before the first visitor comes."""
    environment = Environment(
        loader=PackageLoader("services.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "time": _time,
        "due": _due,
        "duration": _duration,
        "number": formats.number_text,
        "percent": formats.percent_text,
        "id": formats.id_element,
        "code": formats.with_code,
    }
    environment.tests["gap"] = lambda value: isinstance(value, Gap)
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


@pass_context
def _time(context: Context, text: str | None) -> Markup | str:
    """An instant of an API as a `time` element; a dash for none."""
    if text is None:
        return NONE
    frame: Frame = context["frame"]
    return formats.time_element(formats.instant(text), frame.zone, frame.now)


@pass_context
def _due(context: Context, text: str | None) -> Markup | str:
    """The time until an instant of an API; a dash for none."""
    if text is None:
        return NONE
    frame: Frame = context["frame"]
    return formats.due_element(formats.instant(text), frame.zone, frame.now)


def _duration(value: float | str | None) -> str:
    """Seconds, or a duration of ISO 8601, as people say them; a dash for none."""
    if value is None:
        return NONE
    seconds = DURATION.validate_python(value).total_seconds() if isinstance(value, str) else value
    return formats.duration_text(seconds)
