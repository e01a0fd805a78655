"""Who owns a lead's account, and in which team the lead begins."""

from __future__ import annotations

from typing import Any

import pytest

from services.routing.domain.accounts import Owners, domains_of, first_team
from services.routing.domain.policy import RuleMatch
from services.routing.domain.roster import Rep, Roster
from tests.services.routing.builders import rep, rule

ROSTER = Roster.of(
    1,
    [
        rep("claire", team="enterprise"),
        rep("grace", email="Sales@example.com"),
        rep("gone", email="sales@example.com", active=False),
    ],
)
BY_DOMAIN = {"kestrel.example": "claire", "eu.kestrel.example": "grace", "old.example": "nobody"}


def owner(trait: str | None = None, **lead: Any) -> str | None:
    rep_or_none = Owners(BY_DOMAIN, ROSTER).owner_of({"lead": lead}, trait=trait)
    return None if rep_or_none is None else rep_or_none.id


@pytest.mark.parametrize(
    ("lead", "trait", "expected"),
    [
        ({"domain": "kestrel.example", "account": "kestrel.example"}, None, "claire"),
        ({"domain": "eu.kestrel.example", "account": "kestrel.example"}, None, "grace"),
        ({"domain": "us.kestrel.example", "account": "Kestrel.example"}, None, "claire"),
        ({"domain": "gmail.com"}, None, None),
        ({"domain": "gmail.com", "owner": "claire"}, "owner", "claire"),
        ({"domain": "gmail.com", "owner": " SALES@example.com"}, "owner", "grace"),
        ({"domain": "gmail.com", "owner": "stranger"}, "owner", None),
        ({"domain": "kestrel.example", "owner": "grace"}, "owner", "claire"),
        ({"domain": "old.example", "owner": "grace"}, "owner", "grace"),
        ({"owner": "grace"}, None, None),
        ({}, "owner", None),
    ],
    ids=[
        "by account",
        "the address before the account",
        "in any case",
        "none",
        "by the trait",
        "by e-mail address, of an active rep",
        "nobody of this name",
        "the file before the trait",
        "a rep whom nobody knows",
        "no trait is named",
        "nothing is known",
    ],
)
def test_the_owner_of_an_account(
    lead: dict[str, Any], trait: str | None, expected: str | None
) -> None:
    assert owner(trait, **lead) == expected


def test_the_owner_is_added_where_the_rule_asks_for_one() -> None:
    facts = {"lead": {"domain": "kestrel.example"}}
    owners = Owners(BY_DOMAIN, ROSTER)
    owned = {
        sticky: owners.added_to(RuleMatch(rule(sticky=sticky), facts, ()), trait=None).owner
        for sticky in (True, False)
    }

    assert owned == {True: "claire", False: None}
    assert domains_of(facts) == ["kestrel.example"]


CLAIRE, GRACE = rep("claire", team="enterprise"), rep("grace", team="partners")


@pytest.mark.parametrize(
    ("rule_fields", "owner", "previous", "expected"),
    [
        ({}, CLAIRE, GRACE, "sales"),
        ({"strategy": "owner"}, CLAIRE, GRACE, "enterprise"),
        ({"strategy": "owner"}, None, GRACE, "sales"),
        ({"sticky_across_teams": True}, CLAIRE, GRACE, "enterprise"),
        ({"sticky_across_teams": True}, None, GRACE, "partners"),
        ({"sticky_across_teams": True}, rep("off", team="enterprise", active=False), GRACE, "partners"),
        ({"sticky_across_teams": True}, rep("far", team="unknown"), None, "sales"),
    ],
)  # fmt: skip
def test_the_team_in_which_a_lead_begins(
    rule_fields: dict[str, Any], owner: Rep | None, previous: Rep | None, expected: str
) -> None:
    teams = {"sales", "enterprise", "partners"}
    assert first_team(rule(**rule_fields), owner, previous, teams=teams) == expected
