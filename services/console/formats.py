"""How the console writes times, durations, numbers and ids."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

THIN_SPACE = "\u2009"
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
SHORT_ID = 8
"""Characters of an id that a page shows; the whole is in its title and can be copied."""


def instant(text: str) -> datetime:
    """The instant of an API's text, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def time_text(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """`14:32` for today, `26 Nov 14:32` for this year, else with the year; in the viewer's zone."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    clock = local.strftime("%H:%M")
    if local.date() == today.date():
        return clock
    day = f"{local.day} {local.strftime('%b')}"
    return f"{day} {clock}" if local.year == today.year else f"{day} {local.year} {clock}"


def exact_text(at: datetime, zone: ZoneInfo) -> str:
    """The instant to the second, with the zone's name."""
    local = at.astimezone(zone)
    return f"{local.strftime('%Y-%m-%d %H:%M:%S')} {zone.key}"


def duration_text(seconds: float) -> str:
    """`3 h 20 min`: the two largest units, rounded down; `-` before one that is past."""
    sign, whole = ("\u2212" if seconds < 0 else ""), int(abs(seconds))
    if whole < MINUTE_S:
        return f"{sign}{whole} s"
    days, rest = divmod(whole, DAY_S)
    hours, minutes = rest // HOUR_S, rest % HOUR_S // MINUTE_S
    units = [(days, "d"), (hours, "h"), (minutes, "min")]
    while units[0][0] == 0:
        units.pop(0)
    return sign + " ".join(f"{count} {unit}" for count, unit in units[:2] if count)


def number_text(value: float) -> str:
    """The number with thin spaces between thousands; a fraction has at most two digits."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", THIN_SPACE).replace("-", "\u2212")


def percent_text(share: float) -> str:
    """The share of 1 as `97.5 %`."""
    text = f"{share * 100:.1f}".removesuffix(".0").replace("-", "\u2212")
    return f"{text}{THIN_SPACE}%"


def time_element(at: datetime, zone: ZoneInfo, now: datetime) -> Markup:
    """A `time` element: short, with the exact instant in its title."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(), exact_text(at, zone), time_text(at, zone, now)
    )


def due_element(at: datetime, zone: ZoneInfo, now: datetime) -> Markup:
    """The time that is left until `at`, or has passed since; the browser keeps it up to date."""
    left_s = (at - now).total_seconds()
    text = f"in {duration_text(left_s)}" if left_s >= 0 else f"{duration_text(-left_s)} ago"
    return Markup('<time class="due" data-due datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(), exact_text(at, zone), text
    )


def with_code(text: str) -> Markup:
    """A sentence in which commands stand between backticks."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(it) if index % 2 else it for index, it in enumerate(parts)
    )


def id_element(value: str) -> Markup:
    """A short id, with the whole in its title and for the copy button."""
    return Markup('<code class="id" data-copy="{}" title="{}">{}</code>').format(
        value, value, value[:SHORT_ID]
    )
