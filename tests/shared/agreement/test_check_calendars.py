"""A calendar with a fault is refused, with the line and column of the fault (▸) and how to mend it."""

from __future__ import annotations

import pytest
from holidays import list_supported_countries

from shared.agreement.load import InvalidAgreement, parse
from tests.shared.agreement.builders import changed, marked


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("zone: Europe/Berlin", "zone: ▸Europe/Berln", "unknown zone `Europe/Berln`; did you mean `Europe/Berlin`?"),
        ("zone: Europe/Berlin", "zone: ▸here", "unknown zone `here`; write an IANA zone, such as Europe/Berlin"),
        ("zone: Europe/Berlin", "zone: ▸Europe/Frankfurt", "unknown zone `Europe/Frankfurt`; did you mean `Europe/Ber"),
        ("holidays: DE", "holidays: ▸UK", "no holidays known for `UK`; did you mean `GB`?"),
        ("holidays: DE", "holidays: ▸Germany", "no holidays known for `Germany`; did you mean `DE`?"),
        ("holidays: DE", "overrides: {▸24.12.2026: {}}", "`24.12.2026` is not a date; write 2026-12-24"),
        ("holidays: DE", "overrides: {▸2026-12-24T00:00:00-08:00: {}}", "`2026-12-24T00:00:00-08:00`: write a date"),
        ("holidays: DE", "holidays: ▸ZZ", "no holidays known for `ZZ`; write an ISO country, such as DE"),
        ("holidays: DE", "holidays: ▸de", "no holidays known for `de`; did you mean `DE`?"),
        ("holidays: DE", "holidays: DE-▸XX", "no part `XX` of DE; its parts are: BB, BE"),
        ('{mon: ["09:00-17:00"]}', "▸{mon: []}", "`office` is never open; give a weekday hours"),
        ('"09:00-17:00"', '▸"17:00-09:00"', "`17:00-09:00` ends before it starts"),
        ('"09:00-17:00"', '"09:00-17:00", ▸"16:00-18:00"', "`16:00-18:00` overlaps one before it"),
        ("holidays: DE", 'overrides: {2026-12-24: {windows: [▸"12:00-09:00"]}}', "`12:00-09:00` ends before it starts"),
        ("holidays: DE", "holidays: [DE, ▸DD]", "no holidays known for `DD`; write an ISO country"),
        ("holidays: DE", "holidays: [FR, DE-▸XX]", "no part `XX` of DE; its parts are: BB, BE"),
        ("holidays: DE", "holidays: [DE, FR, ▸DE]", "`DE` is in the list already; delete it"),
        ("holidays: DE", f"holidays: ▸{'x' * 21}", f"`{'x' * 21}`: 21 characters are more than the 20"),
        ("holidays: DE", "holidays: ▸{DE: true}", "a mapping is not a list; write `[one, another]`"),
        ("holidays: DE", "own_holidays: {▸12-24: Eve}", "`12-24` is not a date; write year-month-day"),
        ("holidays: DE", "own_holidays: {2026-12-24: ▸''}", "`` is empty; write something"),
        ("holidays: DE", "own_holidays: {▸1999-12-24: Eve}", "`1999-12-24`: write 2000-01-01 to 2100-12-31"),
        ("holidays: DE", "own_holidays: ▸[2026-12-24]", "a list is no mapping; write `name: value` lines"),
        ("holidays: DE", "breaks: {▸mo: [12:00-12:30]}", "`mo` is not known here; write 'mon', 'tue'"),
        ("holidays: DE", "breaks: {mon: [▸noon]}", "`noon` is not a span of hours; write such as 12:00-12:30"),
        ("holidays: DE", "breaks: {mon: [▸12:30-12:00]}", "`12:30-12:00` ends before it starts; write a break at"),
        ("holidays: DE", "breaks: {mon: [12:00-12:30, ▸12:20-12:40]}", "`12:20-12:40` overlaps one before it"),
        ("holidays: DE", "breaks: {mon: [▸17:00-17:30]}", "`17:00-17:30` is outside the hours of mon, so it takes"),
        ("holidays: DE", "breaks: {tue: [▸12:00-12:30]}", "`12:00-12:30` is outside the hours of tue"),
        ("holidays: DE", "breaks: ▸{mon: [08:00-18:00]}", "`office` is never open: its breaks cover all its hours"),
        ("holidays: DE", "overrides: {2026-12-24: {breaks: [▸12:00-13:00]}}", "`12:00-13:00` is outside the hours of"),
        ("holidays: DE", "overrides: {2026-12-28: {windows: [09:00-12:00], breaks: [▸11:00-10:00]}}", "`11:00-10:00`"),
    ],
)  # fmt: skip
def test_a_fault_of_a_calendar_is_refused_at_its_place(
    before: str, after: str, message: str
) -> None:
    source, position = marked(changed(before, after))
    with pytest.raises(InvalidAgreement) as caught:
        parse(source, name="a.yaml")
    [line] = caught.value.message.split("\n")
    assert line.startswith(f"a.yaml:{position}: {message}")


def test_more_holiday_sets_than_a_version_keeps_are_refused_at_the_first_too_many() -> None:
    names = [f"US-{it}" for it in list_supported_countries()["US"]][:51]
    others = [f"DE-{it}" for it in list_supported_countries()["DE"]][:16]
    more = [f"{it}" for it in sorted(list_supported_countries()) if len(it) == 2][:34]
    sets = [*names, *others, *more]
    assert len(sets) == 101
    groups = [", ".join(sets[at : at + 20]) for at in range(0, 101, 20)]
    calendars = "".join(
        f"    - {{id: c{at}, zone: UTC, hours: {{mon: ['09:00-17:00']}}, holidays: [{group}]}}\n"
        for at, group in enumerate(groups)
    )
    with pytest.raises(InvalidAgreement) as caught:
        parse(
            changed("  calendars:\n", f"  calendars:\n{calendars}").replace("holidays: DE\n", "\n")
        )
    [fault] = caught.value.faults
    assert fault.path == "sla.calendars[5].holidays[0]"
    assert "more than 100 sets of holidays in all; name fewer" in fault.message


@pytest.mark.parametrize(
    "more",
    [
        "breaks: {tue: [02:00-02:30]}\n      overrides: {2026-12-29: {windows: ['00:00-08:00']}}",
        "breaks: {mon: [12:00-12:30, 15:00-15:15]}",
        "overrides: {2026-12-29: {windows: ['20:00-28:00']}, 2026-12-30: {breaks: [02:00-03:00]}}",
        "overrides: {2026-12-29: {windows: ['20:00-28:00'], breaks: [26:00-26:30]}}",
        "overrides: {2026-12-28: {windows: ['09:00-12:00'], breaks: []}}",
        "holidays: [DE-BE, US-CA]\n      own_holidays: {2026-12-24: Christmas Eve}",
        "holidays:",
    ],
)
def test_breaks_and_holidays_that_close_something_are_taken(more: str) -> None:
    parse(changed("holidays: DE", more))
