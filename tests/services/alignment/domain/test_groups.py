"""Groups of handoffs, and the conditions that hold for them."""

from __future__ import annotations

import pytest

from services.alignment.domain.groups import facts_of, fields_read, groups_where
from shared.agreement.cel.condition import Condition


@pytest.mark.parametrize(
    ("sources", "fields"),
    [
        ((), ()),
        (("true",), ()),
        (('team == "emea"',), ("team",)),
        (('persona == "team" && tier in ["hot"]', 'campaign.startsWith("a")'), ("tier", "campaign", "persona")),
        (('["a"].exists(it, it == channel)',), ("channel",)),
    ],
)  # fmt: skip
def test_only_the_fields_that_conditions_read_are_grouped_by(
    sources: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    assert fields_read(map(Condition, sources)) == fields


def test_a_condition_holds_for_some_groups() -> None:
    where = Condition('team == "emea" || source == ""')
    fields = fields_read([where])

    groups = groups_where(where, fields, [("emea", "ads"), ("us", "ads"), ("us", "")])

    assert groups == (("team", "source"), (("emea", "ads"), ("us", "")))


def test_what_no_field_names_is_an_empty_text() -> None:
    assert facts_of(["tier"], ("hot",)) == {
        "team": "",
        "tier": "hot",
        "source": "",
        "campaign": "",
        "channel": "",
        "persona": "",
    }
