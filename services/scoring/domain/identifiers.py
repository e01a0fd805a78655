"""E-mails, phone numbers and ids in one notation, and the values that identify nobody."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from shared.values import EXACT, NumberText

LONGEST_ID = 200

JUNK = frozenset(
    {
        "", "-", "--", "-1", "0", "1970-01-01", "(none)", "(not set)", "(null)", "<null>", "[]", "{}",
        "anon", "anonymous", "empty", "false", "guest", "n/a", "na", "nan", "nil", "none", "not set",
        "null", "true", "undefined", "unknown", "user", "visitor",
    }
)  # fmt: skip
"""Values that programs send where they have no id."""

_PLACEHOLDER = re.compile(
    r"\[object .*\]|\{\{.*\}\}|\$\{.*\}|%%.*%%|%[A-Za-z_]+%|\*\|.*\|\*|<%.*%>|[0-]+"
)
"""An object turned into text, a template without its values, a UUID of zeros."""

_MARKS = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
"""Soft hyphens, joiners, direction marks, byte order marks: they come with copied text and cannot be seen."""
_INVISIBLE = re.compile(f"[{_MARKS}]")
_UNUSUAL_SPACE = re.compile(r"[^\S ]")
_ENDS = re.compile(rf"\A[\s{_MARKS}]+|[\s{_MARKS}]+\Z")

_USUAL_EMAIL = re.compile(
    r"(?=.{6,254}\Z)[a-z0-9_+-]{1,32}(?:\.[a-z0-9_+-]{1,15}){0,2}"
    r"@(?:[a-z0-9](?:-?[a-z0-9]){0,30}\.){1,3}([a-z]{2,12})"
)
"""Addresses that are valid without asking the library, which takes a hundred times longer."""

_VIETNAM_2018 = {
    "120": "70", "121": "79", "122": "77", "123": "83", "124": "84", "125": "85", "126": "76",
    "127": "81", "128": "78", "129": "82", "162": "32", "163": "33", "164": "34", "165": "35",
    "166": "36", "167": "37", "168": "38", "169": "39", "186": "56", "188": "58", "199": "59",
}  # fmt: skip
_CHANGED_PLANS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\+521(\d{10})"), r"+52\1"),  # Mexico 2019: mobiles lost their 1
    (re.compile(r"\+55(\d\d)([6-9]\d{7})"), r"+55\g<1>9\2"),  # Brazil 2012-2016: mobiles got a 9
    (re.compile(r"\+225([04-9][0-3]\d{6})"), r"+22501\1"),  # Ivory Coast 2021: by operator
    (re.compile(r"\+225([04-9][4-6]\d{6})"), r"+22505\1"),
    (re.compile(r"\+225([04-9][7-9]\d{6})"), r"+22507\1"),
    (re.compile(r"\+229(\d{8})"), r"+22901\1"),  # Benin 2024
    (re.compile(r"\+57([124-8]\d{7})"), r"+5760\1"),  # Colombia 2021: fixed lines
    (re.compile(r"\+593([89]\d{7})"), r"+5939\1"),  # Ecuador 2012: mobiles
    (re.compile(r"\+230(7\d{6})"), r"+2305\1"),  # Mauritius 2013: mobiles
    *(
        (re.compile(rf"\+84{old}(\d{{7}})"), rf"+84{new}\1")  # Vietnam 2018: mobiles lost a digit
        for old, new in _VIETNAM_2018.items()
    ),
)
"""Numbers before a change of their numbering plan, and the same numbers since then."""


def id_text(value: Any) -> Any:
    """The digits of an id that came as a number; any other value unchanged.

    Raises ValueError where digits or characters of the id are lost: two people could become one.
    """
    if type(value) is str:
        if "\N{REPLACEMENT CHARACTER}" in value:
            raise ValueError("should be text that can be stored: a character of it is none")
        return value
    if type(value) is int:
        return str(value)
    if type(value) is float:
        value = str(int(value)) if value.is_integer() and abs(value) < EXACT else None
    elif type(value) is NumberText:
        value = value.digits()
    else:
        return value
    if value is None:
        raise ValueError("should be text or a whole number: send the digits as text")
    return value


def visible(text: str) -> str:
    """The text without characters that cannot be seen, with ordinary blanks for unusual ones, and none at its ends."""
    if not text.isascii():
        text = _UNUSUAL_SPACE.sub(" ", _INVISIBLE.sub("", text))
    return text.strip()


def trimmed(text: str) -> str:
    """The text without blanks and characters that cannot be seen at its ends; inside, it stays as it is."""
    return text.strip() if text.isascii() else _ENDS.sub("", text)


def normal_id(identifier: str | None) -> str | None:
    """The id without blanks at its ends and without invisible characters; None for a value that identifies nobody."""
    if identifier is None:
        return None
    text = visible(identifier)
    if text.lower() in JUNK or len(text) > LONGEST_ID or _PLACEHOLDER.fullmatch(text):
        return None
    return text


@lru_cache(maxsize=10_000)
def normal_email(address: str) -> str | None:
    """The address in lower case; None if it is not valid. No server is asked."""
    text = visible(address).lower()
    usual = _USUAL_EMAIL.fullmatch(text)
    if usual is not None and usual[1] not in SPECIAL_USE_DOMAIN_NAMES:
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


@lru_cache(maxsize=10_000)
def normal_phone(text: str) -> str | None:
    """The number in E.164 by today's numbering plan; None if it is not valid, or has no country code."""
    text = visible(text)
    try:
        number = phonenumbers.parse("+" + text[2:] if text.startswith("00") else text, None)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return _renumbered(_e164(number))
    return _e164(number)


def _renumbered(before: str) -> str | None:
    """Today's number for one that was valid before a change of its numbering plan; None for any other."""
    for pattern, replacement in _CHANGED_PLANS:
        if pattern.fullmatch(before) is not None:
            number = phonenumbers.parse(pattern.sub(replacement, before), None)
            return _e164(number) if phonenumbers.is_valid_number(number) else None
    return None


def _e164(number: PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
