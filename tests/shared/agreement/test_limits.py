"""Numbers, durations and texts beyond their bounds are refused with their position, but read in published versions."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from shared.agreement.load import InvalidAgreement, parse, parse_published
from shared.calendar import compile_calendar
from tests.builders import NOON
from tests.shared.agreement.builders import WHOLE, changed, marked

REASONS = ", ".join(f"r{it}" for it in range(101))


def refused(source: str) -> list[str]:
    with pytest.raises(InvalidAgreement) as caught:
        parse(source, name="a.yaml")
    return caught.value.message.split("\n")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("points: 1}", "points: 1, half_life: ▸0s}", "`0s`: write 1s to 3650d"),
        ("points: 1}", "points: 1, half_life: ▸9999999999d}", "`9999999999d`: write 1s to 3650d"),
        ("points: 1}", "points: ▸1e999}", "`inf` is not a number"),
        ("points: 1}", "points: ▸nan}", "`nan` is not a number"),
        ("points: 1}", "points: 1, daily_max: ▸1e999}", "`inf`: write 0 to 1000000"),
        ("points: 1}", f"points: 1, label: ▸{'x' * 201}}}", f"`{'x' * 60}…`: 201 characters are more than the 200"),
        ("max: 20", "max: ▸Infinity", "`Infinity`: write 0 to 1000000"),
        ("rearm_below: 20", "rearm_below: ▸NaN", "`NaN` is too large; write at most 100"),
        ("target: 15m", "target: ▸3000000d", "`3000000d`: write 0d to 365d"),
        ("target: 15m", f"target: ▸{'9' * 400}d", f"`{'9' * 60}…`: write 0d to 365d"),
        ("target: 15m", "target: 15m, ladder: [{after: ▸366d, notify: ops}]", "`366d`: write 0d to 365d"),
        ("target: 15m", "target: ▸300d", "`office` is open 8 h a week, so this would be due after more than five"),
        ("name: Test", 'name: "Te▸\\0st"', "the character '\\x00' cannot be stored; delete it"),
        ("name: Test", 'name: "▸\\ud83d\\ude00"', "the character '\\ud83d' cannot be stored; delete it"),
        ("country: string", 'country: string\n  "coun▸\\x00try": string', "the character '\\x00' cannot be stored"),
        ("holidays: DE", "holidays: DE\n      overrides: {▸9999-12-31: {}}", "`9999-12-31`: write 2000-01-01"),
        ("reason: A customer", f"reason: ▸{'x' * 501}", f"`{'x' * 60}…`: 501 characters are more than the 500"),
        ("require: [email, country]", f"require: ▸[{'email, ' * 51}]", "a list: 51 entries are more"),
        ("require: [email, country]", f"require: [▸{'x' * 64}]", f"`{'x' * 60}…`: 64 characters are more than the 63"),
        ("groups: {web:", f"groups: {{▸{'x' * 64}: {{max: 1}}, web:", f"`{'x' * 60}…`: 64 characters"),
        ("loss_reasons: [price]", f"loss_reasons: ▸[{REASONS}]", "a list: 101 entries"),
    ],
)  # fmt: skip
def test_a_value_beyond_a_bound_is_refused_with_the_bound(
    before: str, after: str, message: str
) -> None:
    source, position = marked(changed(before, after))
    [line] = refused(source)
    assert line.startswith(f"a.yaml:{position}: {message}")


def test_what_was_published_before_there_were_bounds_is_read() -> None:
    wild = (
        WHOLE.replace("points: 1}", 'points: 1, half_life: 0s, daily_max: 1e999, label: "a\\0"}')
        .replace("target: 15m", "target: 3000000d")
        .replace("name: Test", f"name: {'x' * 200}")
        .replace("reason: A customer", f"reason: {'x' * 501}")
        .replace("loss_reasons: [price]", f"loss_reasons: [{REASONS}]")
    )  # fmt: skip

    agreement = parse_published(wild)

    signal = agreement.scoring.signals[1]
    assert (signal.half_life, signal.daily_max) == (timedelta(seconds=1), 1_000_000)
    assert signal.label == "a\N{REPLACEMENT CHARACTER}"
    assert agreement.sla.policies[0].target == timedelta(days=365)
    assert len(agreement.routing.loss_reasons) == 101
    assert len(agreement.qualification.suppress[0].reason) == 501


def test_the_work_of_a_calendar_is_bounded_whatever_is_promised() -> None:
    once_a_week = compile_calendar(parse_published(WHOLE).sla.calendars[0])
    began = time.process_time()

    due_at = once_a_week.add(NOON, timedelta(days=3_000_000))

    assert due_at == NOON + timedelta(days=20 * 366)
    assert time.process_time() - began < 10
