"""Whose event it is: e-mails, phone numbers and ids as they should be, and what is none of them."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

LONGEST_ID = 200

JUNK = frozenset(
    {
        "", "-", "--", "-1", "0", "1970-01-01", "(none)", "(not set)", "(null)", "<null>", "[]", "{}",
        "anon", "anonymous", "empty", "false", "guest", "n/a", "na", "nan", "nil", "none", "not set",
        "null", "true", "undefined", "unknown", "user", "visitor",
    }
)  # fmt: skip
"""What programs write when they know nobody."""

_PLACEHOLDER = re.compile(
    r"\[object .*\]|\{\{.*\}\}|\$\{.*\}|%%.*%%|%[A-Za-z_]+%|\*\|.*\|\*|<%.*%>|[0-]+"
)
"""An object turned to text, a template that nobody filled in, a UUID of zeros."""

_USUAL_EMAIL = re.compile(
    r"(?=.{6,254}\Z)[a-z0-9_+-]{1,32}(?:\.[a-z0-9_+-]{1,15}){0,2}"
    r"@(?:[a-z0-9](?:-?[a-z0-9]){0,30}\.){1,3}([a-z]{2,12})"
)
"""Addresses of which no library needs to be asked; everything else takes the long way."""


def id_of(said: str | int | None) -> str | None:
    """The id as text; None for what stands for nobody."""
    if said is None:
        return None
    text = str(said).strip()
    if text.lower() in JUNK or len(text) > LONGEST_ID or _PLACEHOLDER.fullmatch(text):
        return None
    return text


@lru_cache(maxsize=10_000)
def email_of(said: str) -> str | None:
    """The address in lower case; None for what is none. Nobody is asked over the network."""
    text = said.strip().lower()
    usual = _USUAL_EMAIL.fullmatch(text)
    if usual is not None and usual[1] not in SPECIAL_USE_DOMAIN_NAMES:
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


@lru_cache(maxsize=10_000)
def phone_of(said: str) -> str | None:
    """The number in E.164; None if it is not valid, or does not say its country."""
    text = said.strip()
    try:
        number = phonenumbers.parse("+" + text[2:] if text.startswith("00") else text, None)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
