"""Fields about the owners of accounts are refused where they have no effect, with their position (▸)."""

from __future__ import annotations

import pytest

from shared.agreement.load import InvalidAgreement, parse
from shared.agreement.model import Strategy
from tests.shared.agreement.builders import changed, marked

REST = "{id: rest, when: true, team: sales}"
TEAMS = "teams: [{id: sales, calendar: office}]"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            TEAMS,
            f"{TEAMS}\n  account_owner: ▸contry",
            "unknown trait `contry`; did you mean `country`?",
        ),
        (
            TEAMS,
            f"{TEAMS}\n  account_owner: ▸tags",
            "the trait is a list; name one of type `string`, which has the id or the e-mail",
        ),
        (
            REST,
            "{id: rest, when: true, team: sales, else: ▸wait}",
            "`rest` does not ask for the owner; write `strategy: owner`, or delete `else`",
        ),
        (
            REST,
            "{id: rest, when: true, team: sales, strategy: owner, else: ▸waits}",
            "`waits` is not known here; write 'team' or 'wait'",
        ),
        (
            REST,
            "{id: rest, when: true, team: sales, sticky: false, sticky_across_teams: ▸true}",
            "`rest` is not sticky; write `sticky: true`, or delete this",
        ),
        (
            REST,
            "{id: rest, when: true, team: sales, strategy: ▸owners}",
            "`owners` is not known here; write 'fair_share', 'least_loaded', 'ranked' or 'owner'",
        ),
    ],
)
def test_a_field_without_effect_is_refused(before: str, after: str, message: str) -> None:
    source, position = marked(changed(before, after))

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.split("\n")
    assert line.startswith(f"a.yaml:{position}: {message}")


def test_a_rule_gives_leads_to_owners_and_compares_the_others_by_fair_share() -> None:
    owner = "{id: rest, when: true, team: sales, strategy: owner, else: wait}"
    source = changed(REST, owner).replace(TEAMS, f"{TEAMS}\n  account_owner: country")

    routing = parse(source).routing

    near, rest = routing.rules
    assert routing.account_owner == "country"
    assert (near.ranking, near.otherwise, near.asks_owner) == (Strategy.FAIR_SHARE, "team", True)
    assert (rest.ranking, rest.otherwise, rest.asks_owner) == (Strategy.FAIR_SHARE, "wait", True)
    assert not near.model_copy(update={"sticky": False}).asks_owner
    assert rest.model_copy(update={"strategy": Strategy.RANKED}).ranking is Strategy.RANKED
