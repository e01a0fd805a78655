"""Personas are checked as conditions are, and are the first that holds."""

from __future__ import annotations

import pytest

from shared.agreement.facts import persona_of
from shared.agreement.load import InvalidAgreement, parse
from tests.shared.agreement.builders import WHOLE, marked

BUYER = "{id: buyer, when: lead.employees > 50}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{id: buyer, when: ▸lead.size > 5}]", "unknown trait `size`"),
        ("[{id: buyer, when: ▸lead.stage == 'known'}]", "`lead.stage` is not known where"),
        ("[{id: buyer, when: ▸fit > 5}]", "unknown name `fit`"),
        (f"[{BUYER}, {{id: ▸buyer, when: lead.customer}}]", "`buyer` is in `personas` already"),
        (f"[{BUYER}, {{id: again, when: ▸lead.employees > 50}}]", "`again` is never reached: `buyer` before it"),
        ("[{id: all, when: true}, {id: buyer, when: ▸lead.customer}]", "`buyer` is never reached: `all` before it"),
        ("[{id: ▸Buyer, when: true}]", "`Buyer` is not an id"),
        ("[▸{id: buyer}]", "`when` is missing"),
        ("▸buyer", "`buyer` is not a list"),
    ],
)  # fmt: skip
def test_faults_of_personas_are_refused_at_the_field(text: str, message: str) -> None:
    source, position = marked(f"{WHOLE}personas: {text}\n")

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.splitlines()
    assert line.startswith(f"a.yaml:{position}: {message}")


def test_a_persona_that_does_not_exist_is_refused_where_it_is_named() -> None:
    tier = '{id: hot, when: persona == ▸"byer"}'
    source, position = marked(
        WHOLE.replace("{id: hot, when: hand_raised}", tier) + f"personas: [{BUYER}]\n"
    )

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.splitlines()
    assert line.startswith(f"a.yaml:{position}: unknown persona `byer`; did you mean `buyer`?")


def test_the_first_persona_that_holds_counts_whatever_the_stage_is() -> None:
    personas = parse(
        f"{WHOLE}personas: [{BUYER}, {{id: user, when: has(lead.country)}}]\n"
    ).personas

    assert [it.when.rule for it in personas] == ["personas.buyer.when", "personas.user.when"]
    assert persona_of(personas, {"employees": 70.0, "country": "DE", "stage": "known"}) == "buyer"
    assert persona_of(personas, {"country": "DE"}) == "user"
    assert persona_of(personas, {}) == ""
    assert persona_of((), {"country": "DE"}) == ""
