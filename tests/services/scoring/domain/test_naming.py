"""The words of a lead do not depend on case, accents or signs, and change only with its names and addresses."""

from __future__ import annotations

import pytest

from services.scoring.domain.naming import (
    MAX_WORD,
    MAX_WORDS,
    changed_words,
    company_of,
    name_of,
    words_in,
    words_of,
)
from services.scoring.domain.profile import Profile


def profile(*emails: str, **traits: object) -> Profile:
    """A profile with these addresses and traits."""
    return Profile(
        emails=dict.fromkeys(emails, 1.0),
        traits={name: (1.0, "website/1", it) for name, it in traits.items()},
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ines Müller", ["ines", "muller"]),
        ("ÉCOLE Déjà-vu", ["ecole", "deja", "vu"]),
        ("Straße 7", ["strasse", "7"]),
        ("ada@tidewater-analytics", ["ada", "tidewater", "analytics"]),
        ("Дмитрий_王", ["дмитрии", "王"]),
        ("' & | ! ( ) : * <-> \\", []),
        ("x" * 99, ["x" * MAX_WORD]),
    ],
)
def test_words_are_in_lower_case_without_accents_and_signs(text: str, words: list[str]) -> None:
    assert words_in(text) == words


@pytest.mark.parametrize(
    ("traits", "name", "company"),
    [
        ({"name": "Ada L", "company": "Acme"}, "Ada L", "Acme"),
        ({"first_name": "Ada", "last_name": "L", "company": {"name": "Acme"}}, "Ada L", "Acme"),
        ({"first_name": "Ada", "last_name": 7}, "Ada", None),
        ({"name": 7, "company": 7}, None, None),
        ({}, None, None),
    ],
)
def test_a_lead_has_a_name_and_a_company(
    traits: dict[str, object], name: str | None, company: str | None
) -> None:
    assert (name_of(traits), company_of(traits)) == (name, company)


def test_the_words_are_those_of_name_company_and_addresses_each_once() -> None:
    lead = profile(
        "ines.m@tidewater-analytics.com", "ines@example.co.uk", name="Ines M", company="Tidewater"
    )
    assert words_of(lead) == [
        "ines",
        "m",
        "tidewater",
        "analytics",
        "com",
        "example",
        "co",
        "uk",
    ]


def test_an_account_that_was_sent_has_words() -> None:
    assert words_of(profile(account="acme-labs.io")) == ["acme", "labs", "io"]


def test_the_number_of_words_is_bounded() -> None:
    addresses = [f"a{n}@b{n}.com" for n in range(MAX_WORDS)]
    assert len(words_of(profile(*addresses))) == MAX_WORDS


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (Profile(), Profile(), None),
        (Profile(), profile("ada@x.io"), ["ada", "x", "io"]),
        (profile("ada@x.io"), profile("ada@x.io", title="CEO"), None),
        (profile("ada@x.io", name="Ada"), profile("ada@x.io", name="Ada", title="CEO"), None),
        (profile(name="Ada"), profile(name="Eve"), ["eve"]),
        (profile(name="Ada"), profile(name=None), []),
    ],
)
def test_words_are_computed_only_where_names_or_addresses_changed(
    before: Profile, after: Profile, words: list[str] | None
) -> None:
    assert changed_words(before, after) == words
