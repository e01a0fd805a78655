"""Promises of both sides, money and attribution are refused at the field where they cannot be kept or counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.agreement.facts import handoff_facts
from shared.agreement.load import InvalidAgreement, parse
from shared.agreement.model import AttributionModel, Measure
from tests.shared.agreement.builders import WHOLE, marked

MONEY = "money: {currency: EUR, value: [{when: true, close_rate: 0.1, average_deal: 9000}]}\n"


def of_marketing(fields: str) -> str:
    return f"promises: {{marketing: [{{{fields}}}]}}\n"


def refusals(text: str) -> list[str]:
    with pytest.raises(InvalidAgreement) as refused:
        parse(WHOLE + text, name="a.yaml")
    return refused.value.message.splitlines()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("id: a, measure: ▸qualified, per: month", "`qualified` needs `at_least`; write such as"),
        ("id: a, measure: ▸qualified, at_least: 400", "`qualified` needs `per`; write such as `per: month`"),
        ("id: a, measure: qualified, at_least: ▸-1, per: month", "`-1`: write 0 to 1000000000000"),
        ("id: a, measure: qualified, at_least: ▸.nan, per: month", "`.nan` is not a number"),
        ("id: a, measure: qualified, at_least: 4, per: ▸day", "`day` is not known here; write 'week', 'month' or"),
        ("id: a, measure: ▸qualified_value, at_least: 4, per: month", "what is a lead worth? write `money.value`"),
        ("id: a, measure: ▸leads, at_least: 4", "`leads` is not known here; write 'qualified'"),
        ("id: a, measure: acceptance_rate, at_least: ▸70", "`acceptance_rate` is a share of at most 1"),
        ("id: a, measure: acceptance_rate, at_least: 0.7, ▸per: month", "`acceptance_rate` has no `per`; delete"),
        ("id: a, measure: ▸completeness, at_least: 1", "`completeness` needs `traits`; write such as"),
        ("id: a, measure: completeness, at_least: 1, traits: [▸contry]", "unknown trait `contry`; did you mean `c"),
        ("id: a, measure: ▸handover_time, at_most: 5m", "`handover_time` needs `p`; write such as `p: 0.95`"),
        ("id: a, measure: handover_time, at_most: ▸0s, p: 1", "`0s`: write 1s to 365d"),
        ("id: a, measure: handover_time, at_most: 5m, p: ▸95", "`95`: write 0.01 to 1"),
        ("id: a, measure: handover_time, at_most: 5m, p: 1, ▸at_least: 1", "`handover_time` has no `at_least`"),
        ("id: a, measure: ▸attainment, at_least: 0.9", "`attainment` needs `policy`; write such as"),
        ("id: a, measure: attainment, at_least: 0.9, policy: ▸answr", "unknown policy `answr`; did you mean `answer`?"),
        ("id: a, measure: ▸win_rate, at_least: 0.1", "`win_rate` needs `cohort`; write such as `cohort: 90d`"),
        ("id: a, measure: win_rate, at_least: 0.1, cohort: ▸1h", "`1h`: write 1d to 1095d"),
        ("id: a, measure: reasons_given, at_least: 1, where: ▸lead.country == 'DE'", "unknown name `lead`; the"),
        ("id: a, measure: reasons_given, at_least: 1, where: 'team == ▸\"emea\"'", "unknown team `emea`; there are"),
        ("id: a, measure: reasons_given, at_least: 1, where: 'channel == ▸\"e-mail\"'", "unknown channel `e-mail`"),
        ("id: a, measure: reasons_given, at_least: 1, where: 'tier == ▸\"hottt\"'", "unknown tier `hottt`; there are"),
        (
            "id: a, measure: capacity, per: month, at_least: 1, where: 'team == \"sales\" && ▸source == \"web\"'",
            "`capacity` is known by team, not by `source`: this may read `team` alone, such as `team == \"inbound\"`",
        ),
        (
            "id: a, measure: capacity, per: month, at_least: 1, where: ▸channel == 'email'",
            "`capacity` is known by team, not by `channel`: this may read `team` alone",
        ),
        ("id: a, measure: reasons_given, at_least: 1, at_least_n: ▸0", "`0`: write 1 to 1000000"),
        (
            "id: a, measure: reasons_given, at_least: 1}, {id: ▸a, measure: reasons_given, at_least: 1",
            "`a` is in `marketing` already; write another name",
        ),
        ("id: a, measure: reasons_given, at_least: 1, ▸atleast: 1", "unknown field `atleast`; did you mean `at_l"),
    ],
)  # fmt: skip
def test_a_measure_without_what_it_needs_is_refused(fields: str, message: str) -> None:
    source, position = marked(WHOLE + of_marketing(fields))

    [line] = refusals(source.removeprefix(WHOLE))

    assert line.startswith(f"a.yaml:{position}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "promises:\n  marketing: [{id: a, measure: reasons_given, at_least: 1}]\n"
            "  sales: [{id: ▸a, measure: reasons_given, at_least: 1}]\n",
            "marketing has a promise `a` already; write another name",
        ),
        ("parties: {effective: {from: 2026-11-01, until: ▸2026-10-31}}\n", "this is before `from`, 2026-11-01"),
        ("parties: {effective: {from: ▸01.11.2026}}\n", "`01.11.2026` is not a date; write 2026-11-01"),
        ("parties: {marketing: {owner: ▸''}}\n", "`` is empty; write something"),
        ("parties: {review: ▸daily}\n", "`daily` is not known here; write 'weekly' or 'monthly'"),
        ("money: {currency: ▸euro}\n", "`euro`: 4 characters are more than the 3"),
        ("money: {currency: ▸eur}\n", "`eur` is not a currency; write the three letters of ISO 4217"),
        ("money: {currency: EUR, rates: {▸EUR: 1}}\n", "`EUR` is the currency of the agreement, which needs no rate"),
        ("money: {currency: EUR, rates: {USD: ▸0}}\n", "`0`: write 1e-06 to 1000000"),
        ("money: {currency: EUR, rates: {USD: ▸.inf}}\n", "`.inf` is not a number"),
        ("money: {currency: EUR, gross_margin: ▸1.5}\n", "`1.5`: write 0 to 1"),
        ("money: {currency: EUR, monthly_churn: ▸0}\n", "`0` is too small; write more than 0"),
        ("money: {currency: EUR, quota: {amount: ▸-5, per: month, marketing_share: 1}}\n", "`-5`"),
        ("money: {currency: EUR, value: [{when: true, close_rate: ▸25, average_deal: 1}]}\n", "`25`: write 0 to 1"),
        (
            "money: {currency: EUR, value: [{when: ▸tier == 'hot', close_rate: 0.2, average_deal: 1}]}\n",
            "the last of `value` must hold for every lead; add one with `when: true`",
        ),
        ("attribution: {window: ▸0d}\n", "`0d`: write 1d to 1095d"),
        ("attribution: {half_life: ▸never}\n", "`never`: a duration is a number and a unit"),
        ("attribution: {show: ▸best}\n", "`best` is not known here; write 'first', 'last', 'linear'"),
    ],
)  # fmt: skip
def test_faults_of_parties_money_and_attribution_are_refused(text: str, message: str) -> None:
    source, position = marked(WHOLE + text)

    [line] = refusals(source.removeprefix(WHOLE))

    assert line.startswith(f"a.yaml:{position}: {message}")


def test_an_agreement_without_promises_is_one() -> None:
    agreement = parse(WHOLE)

    assert agreement.parties is None
    assert agreement.money is None
    assert (agreement.promises.marketing, agreement.promises.sales) == ((), ())
    assert agreement.attribution.window == timedelta(days=90)
    assert agreement.attribution.show is AttributionModel.W_SHAPED


def test_promises_are_read_as_they_are_written() -> None:
    promises = of_marketing(
        "id: worth, measure: qualified_value, per: month, at_least: 250000, where: team == 'sales'"
    )

    agreement = parse(WHOLE + MONEY + promises)

    [promise] = agreement.promises.marketing
    assert (promise.measure, promise.per, promise.at_least) == (
        Measure.QUALIFIED_VALUE,
        "month",
        250_000,
    )
    assert promise.where is not None
    assert promise.where.rule == "promises.marketing.worth.where"
    of_team = handoff_facts(
        team="sales", tier="hot", source=None, campaign=None, channel=None, persona=None
    )
    assert promise.where.holds(of_team)
    assert not promise.where.holds({**of_team, "team": ""})
    assert agreement.money is not None
    assert agreement.money.value[0].when.holds(of_team)


@pytest.mark.parametrize(
    "text",
    [
        "promises: {sales: [{id: a, measure: attainment, at_least: 0.9, policy: late}]}\n",
        "promises: {sales: [{id: a, measure: completeness, at_least: 1, traits: [size]}]}\n",
        "promises: {sales: [{id: a, measure: reasons_given, at_least: 1, where: channel == 'fairs'}]}\n",
    ],
    ids=["policy", "trait", "channel"],
)  # fmt: skip
def test_nothing_is_said_of_what_an_unread_part_may_name(text: str) -> None:
    source = WHOLE.replace("{id: answer, kind: accept,", "{id: late!, kind: accept,").replace(
        "country: string", "country: string\n  size: nmber"
    )

    with pytest.raises(InvalidAgreement) as refused:
        parse(f"{source}channels: [{{channel: fairs!}}]\n{text}", name="a.yaml")

    assert "unknown" not in refused.value.message
