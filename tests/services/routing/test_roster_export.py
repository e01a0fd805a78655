"""The exported roster imports to no difference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.routing.domain.accounts import Account
from services.routing.domain.roster import Absence, Rep
from services.routing.roster_export import roster_as_yaml
from services.routing.roster_file import MAX_ACCOUNTS, RosterFile, parse
from tests.builders import NOON, days
from tests.services.routing.builders import rep

texts = st.one_of(
    st.text(min_size=1, max_size=20).filter(str.isprintable),
    st.sampled_from(["no", "Null", "1e3", "0x1f", "- a", "a: b", "#", "'", '"', "2026-12-24", "~"]),
)
reps = st.fixed_dictionaries(
    {
        "name": texts,
        "territories": st.lists(texts, max_size=3).map(tuple),
        "skills": st.lists(texts, max_size=3).map(tuple),
        "weight": st.sampled_from([1.0, 2.5, 0.001]),
        "open_limit": st.sampled_from([None, 3]),
        "per_day_limit": st.sampled_from([None, 7]),
        "hours": st.sampled_from([None, "office"]),
        "time_off": st.sampled_from([(), (Absence(NOON, NOON + days(1)),)]),
        "active": st.booleans(),
    }
)


def read(source: str) -> RosterFile:
    return parse(source, name="reps.yaml", agreement=None, check_url=lambda _: None)


@forall(st.lists(reps, min_size=1, max_size=3))
def test_what_was_exported_is_read_as_it_was(rows: list[dict[str, Any]]) -> None:
    listed = [
        Rep(id=f"r_{number}", email="a@x.io", team="sales", position=number, **fields)
        for number, fields in enumerate(rows)
    ]
    accounts = [Account("kestrel.example", "r_0")]

    file = read(roster_as_yaml(listed, accounts))

    assert file.all_reps() == listed
    assert file.addresses() == {}
    assert [Account(it.domain, it.rep) for it in file.accounts or ()] == accounts


def test_without_accounts_the_file_says_that_there_are_none() -> None:
    listed = [rep("grace")]
    assert read(roster_as_yaml(listed, [])).accounts == ()


@pytest.mark.parametrize("count", [MAX_ACCOUNTS + 1, 9_000])
def test_accounts_that_do_not_fit_into_the_file_stay_as_they_are(count: int) -> None:
    listed = [rep("grace")]
    accounts = [Account(f"{'x' * 100}{it}.example", "grace") for it in range(count)]

    source = roster_as_yaml(listed, accounts)

    assert read(source).accounts is None
    assert "leadbaton accounts export" in source
