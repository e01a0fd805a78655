"""Questions, topics and consent of cards are refused at the field where they cannot be read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.agreement.load import InvalidAgreement, parse
from shared.agreement.unseen_types import unseen_types
from tests.shared.agreement.builders import WHOLE, marked

TOPIC = "{id: prices, paths: [/pricing]}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{questions: [{field: a}, {field: ▸a}]}", "`a` is in `questions` already; delete it"),
        ("{questions: [▸{label: What}]}", "`field` is missing"),
        ("{questions: [{field: ▸''}]}", "`` is empty"),
        (f"{{questions: [{{field: ▸{'x' * 201}}}]}}", f"`{'x' * 60}…`: 201 characters are more than the 200"),
        ("{questions: [{field: a, on: [▸Form Sent]}]}", "no event has the type `Form Sent`; it arrives as `form_sent`"),
        (f"{{questions: ▸[{', '.join(f'{{field: f{it}}}' for it in range(31))}]}}", "a list: 31 entries are more"),
        (f"{{topics: [{TOPIC}, {{id: ▸prices, paths: [/plans]}}]}}", "`prices` is in `topics` already; write another"),
        (f"{{topics: [{TOPIC}, {{id: plans, paths: [▸/pricing]}}]}}", "`/pricing` belongs to the topic `prices`"),
        ("{topics: [{id: prices, paths: [▸pricing]}]}", "`pricing` is not a path; write such as /pricing, or /docs/*"),
        ("{topics: [{id: prices, paths: [▸/pricing/]}]}", "`/pricing/` is not a path"),
        ("{topics: [{id: prices, paths: [▸'/a?b=c']}]}", "`/a?b=c` is not a path"),
        ("{topics: [{id: prices, paths: ▸[]}]}", "a list has too few entries; write at least 1"),
        ("{half_life: ▸1s}", "`1s`: write 1h to 3650d"),
        ("{purchases: [▸Order Completed]}", "no event has the type `Order Completed`; it arrives as"),
        ("{consent: ▸{}}", "by what is it known? write `trait`, `granted_by` or `withdrawn_by`"),
        ("{consent: {trait: ▸optin}}", "unknown trait `optin`"),
        ("{consent: {trait: ▸country}}", "`country` is a string; declare it as `boolean`, or name a trait that is one"),
        ("{consent: {trait: ▸email}}", "unknown trait `email`"),
        ("{consent: {granted_by: [a], withdrawn_by: [b, ▸a]}}", "`a` gives consent already; delete it here or there"),
        ("{▸question: []}", "unknown field `question`; did you mean `questions`?"),
    ],
)  # fmt: skip
def test_faults_of_cards_are_refused_at_the_field(text: str, message: str) -> None:
    source, position = marked(f"{WHOLE}lead_card: {text}\n")

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.splitlines()
    assert line.startswith(f"a.yaml:{position}: {message}")


@pytest.mark.parametrize("path", ["/", "/pricing", "/docs/*", "/a/b-c/d_e", "/grüße", "/*a/b"])
def test_a_path_may_name_a_page_or_those_below_it(path: str) -> None:
    text = f"lead_card: {{topics: [{{id: prices, paths: ['{path}']}}]}}\n"

    if "*" in path and not path.endswith("/*"):
        with pytest.raises(InvalidAgreement, match="is not a path"):
            parse(WHOLE + text)
    else:
        assert parse(WHOLE + text).lead_card.topics[0].paths == (path,)


def test_a_card_is_optional_and_shows_no_questions_then() -> None:
    contents = parse(WHOLE).lead_card

    assert (contents.questions, contents.topics, contents.purchases, contents.consent) == (
        (),
        (),
        (),
        None,
    )
    assert contents.half_life == timedelta(days=14)


def test_types_that_a_card_names_and_that_never_arrived_are_pointed_out() -> None:
    contents = "{purchases: [order_completd], consent: {withdrawn_by: [unsubscribed]}}"
    agreement = parse(f"{WHOLE}lead_card: {contents}\n")

    problems = list(unseen_types(agreement, ["order_completed", "unsubscribed"]))

    of_card = [it for it in problems if it.path[0] == "lead_card"]
    assert [it.path for it in of_card] == [("lead_card", "purchases", 0)]
    assert "did you mean `order_completed`?" in of_card[0].message


def test_an_unread_trait_is_no_fault_of_consent() -> None:
    source = f"{WHOLE}lead_card: {{consent: {{trait: agreed}}}}\n".replace(
        "country: string", "country: string\n  agreed: ▸bool"
    )
    source, position = marked(source)

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.splitlines()
    assert line.startswith(f"a.yaml:{position}: `bool`")
