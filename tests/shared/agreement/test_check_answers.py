"""What reps may answer is refused at the field where it contradicts itself."""

from __future__ import annotations

import pytest

from shared.agreement.load import InvalidAgreement, parse
from tests.shared.agreement.builders import WHOLE, changed, marked

REJECT = "reject_reasons: [{id: no_time, then: reassign}]"
POLICY = "    - {id: touch, kind: first_touch, scope: hop, anchor: assigned, target: 1h}\n"


def with_answers(text: str) -> str:
    """The whole agreement with a promise of a first touch, and with these lists of answers."""
    return changed(REJECT, f"{REJECT}\n  {text}") + POLICY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contact_outcomes: [{id: a}, {id: ▸a}]", "`a` is in `contact_outcomes` already"),
        ("contact_outcomes: [{id: a, touch: ▸maybe}]", "`maybe` is neither true nor false"),
        (
            "contact_outcomes: [{id: talked, touch: ▸false, reached: true}]",
            "with `talked` the rep reached the person, which is a touch; delete `touch`",
        ),
        ("contact_outcomes: [{id: a, ▸attempts: true}]", "unknown field `attempts`; did you mean `attempt`?"),
        ("pause_reasons: [▸{id: a, kinds: [first_touch]}]", "`longest` is missing"),
        ("pause_reasons: [{id: a, kinds: ▸[], longest: 10d}]", ""),
        ("pause_reasons: [{id: a, kinds: [first_touch], longest: ▸366d}]", "`366d`: write 1m to 365d"),
        ("pause_reasons: [{id: a, kinds: [first_touch], longest: ▸0m}]", "`0m`: write 1m to 365d"),
        ("pause_reasons: [{id: a, kinds: [▸accept], longest: 1d}]", "`accept` cannot be paused, as a rep can"),
        ("pause_reasons: [{id: a, kinds: [▸satisfaction], longest: 1d}]", "`satisfaction` cannot be paused"),
        ("pause_reasons: [{id: a, kinds: [▸first_tuoch], longest: 1d}]", "unknown kind `first_tuoch`; did you mean `f"),
        (
            "pause_reasons: [{id: a, kinds: [first_touch, ▸first_touch], longest: 1d}]",
            "`first_touch` is in `kinds` already",
        ),
        (
            "pause_reasons: [{id: a, kinds: [first_touch], longest: 1d}, "
            "{id: ▸a, kinds: [first_touch], longest: 1d}]",
            "`a` is in `pause_reasons` already",
        ),
    ],
)  # fmt: skip
def test_faults_of_answers_are_refused_at_the_field(text: str, message: str) -> None:
    source, position = marked(with_answers(text))

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.splitlines()
    assert line.startswith(f"a.yaml:{position}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("then: disqualify, wait: ▸30d", "`no_time` ends the lead, however long it waits; delete"),
        ("then: reassign, wait: ▸30d", "`no_time` gives the lead to another rep at once; delete"),
        ("then: ▸forget", "`forget` is not known here; write 'reassign', 'recycle' or 'disqual"),
    ],
)
def test_faults_of_reject_reasons_are_refused_at_the_field(text: str, message: str) -> None:
    source, position = marked(changed("then: reassign", text))

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    assert refused.value.message.startswith(f"a.yaml:{position}: {message}")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("recycle: {max_cycles: ▸101}", "`101`: write 0 to 100"),
        ("reopened_by: [▸Contact Sales]", "no event has the type `Contact Sales`; it arrives as"),
    ],
)
def test_faults_of_recycling_are_refused_at_the_field(field: str, message: str) -> None:
    source, position = marked(changed("qualification:\n", f"qualification:\n  {field}\n"))

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    assert refused.value.message.startswith(f"a.yaml:{position}: {message}")


def test_a_kind_may_be_of_any_policy_while_a_policy_is_unread() -> None:
    reason = "pause_reasons: [{id: a, kinds: [demo], longest: 1d}]"
    source = with_answers(reason).replace("kind: first_touch", "kind: [unreadable]")

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    assert "demo" not in refused.value.message


def test_sound_answers_are_read() -> None:
    agreement = parse(
        with_answers(
            "contact_outcomes: [{id: no_answer, label: Nobody answered}]\n"
            "  pause_reasons: [{id: on_leave, kinds: [first_touch], longest: 10d}]"
        ),
        name="a.yaml",
    )

    [outcome] = agreement.routing.contact_outcomes
    assert (outcome.attempt, outcome.touch, outcome.reached) == (True, True, False)
    assert agreement.routing.pause_reasons[0].kinds == ("first_touch",)
    assert agreement.qualification.recycle.max_cycles == 3
    assert parse(WHOLE, name="a.yaml").routing.pause_reasons == ()


@pytest.mark.parametrize("anchor", ["qualified", "assigned", "accepted"])
def test_satisfaction_is_asked_for_after_the_win(anchor: str) -> None:
    promise = (
        f"    - {{id: happy, kind: satisfaction, scope: hop, anchor: ▸{anchor}, target: 1h, "
        "outcomes: [satisfied]}\n"
    )
    source, position = marked(with_answers("contact_outcomes: [{id: satisfied}]") + promise)

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.splitlines()
    assert line.startswith(f"a.yaml:{position}: the satisfaction of a customer is asked for after")
