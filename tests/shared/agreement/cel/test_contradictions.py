"""Parts of conditions that no value satisfies are found; everything that may hold is left alone."""

from __future__ import annotations

import pytest

from shared.agreement.cel.contradictions import contradictions


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("fit >= 450", "`fit >= 450` never holds: `fit` is from 0 to 100"),
        ("100 < engagement", "`100 < engagement` never holds"),
        ("engagement == -1", "`engagement == -1` never holds"),
        ("fit < 0", "`fit < 0` never holds"),
        ("fit in [101, 200.5]", "`fit in [101, 200.5]` never holds"),
        ('fit == "A"', '`fit == "A"` never holds'),
        ("hand_raised || fit > 100", "`fit > 100` never holds"),
        ("(fit > 100 || engagement > 100) && lead.customer", "`fit > 100` never holds"),
        ("lead.n > 5000 && lead.n < 100", "`lead.n > 5000` and `lead.n < 100` never hold together"),
        ("lead.n > 5 && lead.x && lead.n <= 5", "`lead.n > 5` and `lead.n <= 5` never hold together"),
        ("lead.n >= 5 && 5 > lead.n", "never hold together"),
        ("lead.n == 5 && lead.n == 6", "never hold together"),
        ("lead.n == 5 && lead.n > 5u", "never hold together"),
        ("lead.n in [1, 2] && lead.n >= 3", "never hold together"),
        ("lead.n in [1, 2] && lead.n in [3]", "never hold together"),
        ('lead.c == "DE" && "FR" == lead.c', '`lead.c == "DE"` and `"FR" == lead.c` never hold together'),
        ("(lead.a || lead.b) && (lead.n > 5 && lead.n < 5)", "never hold together"),
        ("lead.a && !lead.a", "`lead.a` and `!lead.a` never hold together"),
        ("lead.a == true && lead.a == false", "never hold together"),
        ("(lead.n > 5 || lead.n > 7) && lead.n < 3", "never hold together"),
    ],
)  # fmt: skip
def test_what_never_holds_is_named(source: str, message: str) -> None:
    [fault] = contradictions(source)

    assert message in fault.message
    assert fault.offset == source.index(
        fault.message.split("`")[-2 if " and `" in fault.message else 1]
    )


@pytest.mark.parametrize(
    "source",
    [
        "fit >= 0 && fit <= 100",
        "fit == 100 && engagement > 99.5",
        "fit != 450",
        "!(fit >= 450)",
        "fit >= 450 ? lead.a : lead.b",
        "lead.n >= 5 && lead.n <= 5",
        "lead.n in [1, 2] && lead.n in [2, 3]",
        "lead.n > 5 || lead.n < 5",
        "(lead.n > 5 || lead.n < 3) && lead.n < 4",
        "lead.n > lead.m && lead.n < lead.m",
        "lead.tags.exists(it, it == 1 && it == 2)",
        'lead.c == "DE" && lead.d == "FR"',
        'lead.c == "a\\\\b" && lead.c == "c"',
        "lead.c in [lead.d, 1] && lead.c == 2",
        "lead.n > 0x10 && lead.n < 3",
        "lead.n > -x",
        "lead.n in 5",
        "lead[0] > 5 && lead[0] < 3",
        "",
        "fit >",
        " || ".join(["a"] * 40),
        " && ".join(["(fit > 101 || a)"] * 12),
    ],
    ids=lambda it: it[:40],
)
def test_what_may_hold_is_left_alone(source: str) -> None:
    assert list(contradictions(source)) == []
