"""E-mails, phone numbers and ids in one notation, and the values that identify nobody."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

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

_USUAL_EMAIL = re.compile(
    r"(?=.{6,254}\Z)[a-z0-9_+-]{1,32}(?:\.[a-z0-9_+-]{1,15}){0,2}"
    r"@(?:[a-z0-9](?:-?[a-z0-9]){0,30}\.){1,3}([a-z]{2,12})"
)
"""Addresses that are valid without asking the library, which takes a hundred times longer."""


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


def normal_id(identifier: str | None) -> str | None:
    """The id without blanks at its ends; None for a value that identifies nobody."""
    if identifier is None:
        return None
    text = identifier.strip()
    if text.lower() in JUNK or len(text) > LONGEST_ID or _PLACEHOLDER.fullmatch(text):
        return None
    return text


@lru_cache(maxsize=10_000)
def normal_email(address: str) -> str | None:
    """The address in lower case; None if it is not valid. No server is asked."""
    text = address.strip().lower()
    usual = _USUAL_EMAIL.fullmatch(text)
    if usual is not None and usual[1] not in SPECIAL_USE_DOMAIN_NAMES:
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


@lru_cache(maxsize=10_000)
def normal_phone(text: str) -> str | None:
    """The number in E.164; None if it is not valid, or does not say its country."""
    text = text.strip()
    try:
        number = phonenumbers.parse("+" + text[2:] if text.startswith("00") else text, None)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
