"""E-mails, phone numbers and ids in one notation, with what hypothesis thinks of them."""

from __future__ import annotations

from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from services.scoring.domain.identifiers import (
    id_text,
    normal_email,
    normal_id,
    normal_phone,
    trimmed,
    visible,
)
from shared.values import NumberText


@pytest.mark.parametrize(
    ("value", "email"),
    [
        (" Ada.L+news@Acme.Example.COM ", "ada.l+news@acme.example.com"),
        ("o'hara@acme.com", "o'hara@acme.com"),
        ("ada@bücher.example", "ada@bücher.example"),
        ("ada@acme", None),
        ("ada@acme.test", None),
        ("ada@acme.invalid", None),
        ("ada@-acme.com", None),
        ("ada@acme..com", None),
        (".ada@acme.com", None),
        ("ada lovelace@acme.com", None),
        ("null", None),
        ("", None),
        ("\ufeffada@acme.com", "ada@acme.com"),
        ("ada\u200b@ac\u00adme.com\u2060", "ada@acme.com"),
        ("\u00a0ada@acme.com\u3000", "ada@acme.com"),
        ("ada\u00a0lovelace@acme.com", None),
    ],
)
def test_an_email_is_normalised_or_none(value: str, email: str | None) -> None:
    assert normal_email(value) == email


@given(
    st.from_regex(r"[a-z0-9_+.-]{1,70}@([a-z0-9-]{1,30}\.){1,4}[a-z]{1,13}", fullmatch=True)
    | st.emails()
)
@example("a" * 32 + "." + "b" * 31 + "@acme.com")
@example("a@b--c.com")
@example("a@xn--a.com")
def test_the_short_way_agrees_with_the_long_one(value: str) -> None:
    try:
        expected = validate_email(value.lower(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        expected = None
    assert normal_email(value) == expected


@pytest.mark.parametrize(
    ("value", "phone"),
    [
        ("+49 (30) 901820", "+4930901820"),
        ("0049 30 901820", "+4930901820"),
        ("030 901820", None),
        ("+49 1", None),
        ("+1 200 000 0000", None),
        ("no number", None),
        ("\u202a+49\u00a030 901\u200b820\u202c", "+4930901820"),
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+52 55 1234 5678", "+525512345678"),
        ("+55 11 8123-4567", "+5511981234567"),
        ("+55 20 8123-4567", None),
        ("+225 07 12 34 56", "+2250707123456"),
        ("+225 45 12 34 56", "+2250545123456"),
        ("+225 01 12 34 56", "+2250101123456"),
        ("+229 97 12 34 56", "+2290197123456"),
        ("+84 168 123 4567", "+84381234567"),
        ("+84 121 123 4567", "+84791234567"),
        ("+57 1 234 5678", "+576012345678"),
        ("+593 9 876 5432", "+593998765432"),
        ("+230 712 3456", "+23057123456"),
    ],
)
def test_a_phone_number_is_e164_or_none(value: str, phone: str | None) -> None:
    assert normal_phone(value) == phone


@pytest.mark.parametrize(
    "junk",
    [None, "", " ", "null", "UNDEFINED", "Anonymous", 0, "0", "-1", "[object Object]", "{{user.id}}",
     "${id}", "%%id%%", "%ID%", "*|EMAIL|*", "<%= id %>", "0000-00", "x" * 201],
)  # fmt: skip
def test_what_stands_for_nobody_is_no_id(junk: Any) -> None:
    assert normal_id(id_text(junk)) is None


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (17, "17"),
        (5551.0, "5551"),
        (-0.0, None),
        (2**63 - 1, "9223372036854775807"),
        (NumberText("123456789012345678901"), "123456789012345678901"),
        (NumberText("123456789012345678901.0"), "123456789012345678901"),
        (NumberText("1e20"), "100000000000000000000"),
        (NumberText("1e250"), None),
        (" u-1 ", "u-1"),
        ("\ufeffu\u200d-1\u00a0", "u-1"),
        ("\u2060null", None),
        ("Nullmeyer", "Nullmeyer"),
    ],
)
def test_an_id_is_text_with_every_digit(value: Any, kept: str | None) -> None:
    assert normal_id(id_text(value)) == kept


@pytest.mark.parametrize(
    "value",
    [0.5, 2.0**53, float("inf"), NumberText("1e400"), NumberText("9007199254740993.5"), "a\ufffd"],
)
def test_an_id_that_lost_a_digit_or_a_character_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="should be text"):
        id_text(value)


@pytest.mark.parametrize("value", [None, True, [], {}])
def test_what_is_neither_text_nor_a_number_is_left_to_others(value: Any) -> None:
    assert id_text(value) is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Acme\n", "Acme"),
        ("\ufeff \u200bAc\u200bme\u00a0\u2060", "Ac\u200bme"),
        ("\u200b", ""),
        ("", ""),
    ],
)
def test_ends_are_trimmed_of_what_cannot_be_seen(value: str, expected: str) -> None:
    assert trimmed(value) == expected


@given(st.text())
def test_visible_text_is_trimmed_and_stays_as_it_is(value: str) -> None:
    text = visible(value)
    assert text == trimmed(text) == visible(text)
