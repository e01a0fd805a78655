"""What a lead is called, and the words by which people look for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import combining, normalize

from services.scoring.domain.profile import Profile

MAX_TEXT = 300
"""Characters of a name or a company."""

MAX_WORDS = 40
MAX_WORD = 40
"""How many words of a lead are kept, and how many characters of each."""

NAMING_TRAITS = ("name", "first_name", "last_name", "company", "account")
"""The traits whose words are kept."""

_WORD = re.compile(r"[^\W_]+")


def name_of(traits: Mapping[str, Any]) -> str | None:
    """The lead's name: the trait `name`, else first and last name."""
    if full := _text(traits.get("name")):
        return full
    parts = (traits.get("first_name"), traits.get("last_name"))
    return " ".join(part for part in parts if isinstance(part, str)) or None


def company_of(traits: Mapping[str, Any]) -> str | None:
    """The name of the lead's company."""
    company = traits.get("company")
    return _text(company.get("name") if isinstance(company, Mapping) else company)


def words_in(text: str) -> list[str]:
    """The words of the text, in lower case and without accents; signs separate words."""
    plain = "".join(it for it in normalize("NFKD", text.casefold()) if not combining(it))
    return [word[:MAX_WORD] for word in _WORD.findall(plain)]


def words_of(profile: Profile) -> list[str]:
    """The words of the lead's name, company, e-mail addresses and account, each once, MAX_WORDS at most."""
    words = dict.fromkeys(word for text in _texts(profile) for word in words_in(text[:MAX_TEXT]))
    return list(words)[:MAX_WORDS]


def changed_words(before: Profile, after: Profile) -> list[str] | None:
    """The words of the later profile; None where what they are taken from is the same in both."""
    same_traits = before.traits is after.traits or all(
        _value(before, name) == _value(after, name) for name in NAMING_TRAITS
    )
    if same_traits and before.emails.keys() == after.emails.keys():
        return None
    return words_of(after)


def _texts(profile: Profile) -> Iterator[str]:
    traits = profile.trait_values
    for name in ("name", "first_name", "last_name"):
        yield _text(traits.get(name)) or ""
    yield company_of(traits) or ""
    yield from profile.emails
    yield profile.account or ""


def _value(profile: Profile, name: str) -> Any:
    dated = profile.traits.get(name)
    return None if dated is None else dated[2]


def _text(value: object) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) and value else None
