"""The file of reps: read whole, or refused with every fault in its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from services.routing.roster_file import RosterFile, parse
from shared.agreement.load import parse as parse_agreement
from shared.documents import InvalidDocument
from shared.http.outbound import ForbiddenAddress
from tests.builders import agreement
from tests.shared.agreement.builders import marked

ROOT = Path(__file__).parents[3]
REP = '{id: grace, name: G, email: g@x.io, team: sales, endpoint: {url: "https://x.io/h"}%s}'


def anything_goes(_: str) -> None:
    """Every URL may be called."""


def nothing_goes(url: str) -> None:
    raise ForbiddenAddress(f"{url} is private")


def read(source: str, *, forbidden: bool = False) -> RosterFile:
    return parse(
        dedent(source),
        name="reps.yaml",
        agreement=agreement(),
        check_url=nothing_goes if forbidden else anything_goes,
    )


def test_the_example_is_valid_and_fits_the_example_agreement() -> None:
    source = (ROOT / "examples" / "reps.yaml").read_text()
    agreed = parse_agreement((ROOT / "examples" / "agreement.yaml").read_text())

    roster = parse(source, name="reps.yaml", agreement=agreed, check_url=anything_goes)

    assert [it.id for it in roster.all_reps()][:3] == ["amira", "jonas", "priya"]
    assert {"rep/amira", "team/inbound", "team/enterprise", "ops"} <= roster.addresses().keys()


LOS_ANGELES = {
    "calendars": [
        {"id": "office", "zone": "Europe/Berlin", "hours": {"mon": ["09:00-17:00"]}},
        {"id": "west", "zone": "America/Los_Angeles", "hours": {"mon": ["09:00-17:00"]}},
    ]
}


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "start", "end", "since", "until"),
    [
        ("", "2026-12-24", "2026-12-27", at(2026, 12, 23, 23), at(2026, 12, 26, 23)),
        ("west", "2026-12-24", "2026-12-27", at(2026, 12, 24, 8), at(2026, 12, 27, 8)),
        (
            "west",
            "2026-12-24T00:00:00-05:00",
            "2026-12-27T00:00:00Z",
            at(2026, 12, 24, 5),
            at(2026, 12, 27),
        ),
        (
            "",
            "2026-12-31T12:00:00+01:00",
            "2027-01-04",
            at(2026, 12, 31, 11),
            at(2027, 1, 3, 23),
        ),
        ("", "2026-12-24", "2026-12-24T08:00:00+01:00", at(2026, 12, 23, 23), at(2026, 12, 24, 7)),
    ],
    ids=["the team's zone", "the zone of the hours", "midnights with offsets", "both", "a morning"],
)
def test_a_date_is_the_reps_day_and_an_instant_keeps_its_offset(
    hours: str, start: str, end: str, since: datetime, until: datetime
) -> None:
    off = f", time_off: [{{from: {start}, to: {end}}}]" + (f", hours: {hours}" if hours else "")

    [rep] = parse(
        f"reps:\n- {REP % off}",
        name="reps.yaml",
        agreement=agreement(sla=LOS_ANGELES),
        check_url=anything_goes,
    ).all_reps()

    assert [(it.since, it.until) for it in rep.time_off] == [(since, until)]


def test_before_the_first_agreement_a_date_is_a_day_in_utc() -> None:
    off = ", time_off: [{from: 2026-12-24, to: 2026-12-27}]"
    roster = parse(
        f"reps:\n- {REP % off}", name="reps.yaml", agreement=None, check_url=anything_goes
    )

    assert roster.all_reps()[0].time_off[0].since == at(2026, 12, 24)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("reps: []", "reps.yaml:1:7"),
        ("reps:\n- {id: grace, name: G, email: g@x.io}", "reps.yaml:2:3: "),
        (f"reps:\n- {REP % ', wieght: 2'}", "wieght"),
        (f"reps:\n- {REP % ', weight: 0'}", "reps.yaml:2:"),
        (f"reps:\n- {REP % ''}\n- {REP % ''}", "reps.yaml:3:8: 'grace' is there twice"),
        (
            f"reps:\n- {REP % ', hours: moon'}",
            "the agreement has no calendar 'moon'; write one of office",
        ),
        (
            f"teams: [{{id: moon, fallback: {{url: 'https://x.io'}}}}]\nreps:\n- {REP % ''}",
            "the agreement has no team 'moon'",
        ),
        (f"reps:\n- {REP.replace('sales', 'moon') % ''}", "the agreement has no team 'moon'"),
        (f"reps:\n- {REP.replace('https://', 'ftp://') % ''}", "begins with https://"),
        (
            f"reps:\n- {REP % ', time_off: [{from: 2026-12-24, to: 2026-12-24}]'}",
            "later than `from`",
        ),
        (
            f"reps:\n- {REP % ', time_off: [{from: 2026-12-24, to: 2026-12-24T00:00:00+01:00}]'}",
            "later than `from`",
        ),
        (
            f"reps:\n- {REP % ', time_off: [{from: 20261224, to: 2026-12-27}]'}",
            "write a date, 2026-12-24, or an instant",
        ),
        (
            f"reps:\n- {REP % ', time_off: [{from: 24.12.2026, to: 2026-12-27}]'}",
            "write a date, 2026-12-24, or an instant",
        ),
        (
            f"reps:\n- {REP % ', time_off: [{from: 2026-12-24T09:00:00, to: 2026-12-27}]'}",
            "write a date, 2026-12-24, or an instant",
        ),
    ],
    ids=[
        "nobody",
        "no team",
        "unknown name",
        "no weight",
        "twice",
        "unknown hours",
        "unknown team of a fallback",
        "unknown team",
        "no http",
        "time off that ends before it begins",
        "time off that ends before the zone's midnight",
        "a number",
        "no date",
        "no offset",
    ],
)
def test_each_fault_names_its_line_and_column(source: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        read(source)

    assert message in refused.value.message


def test_a_forbidden_endpoint_is_a_fault_of_the_file() -> None:
    with pytest.raises(InvalidDocument, match=r"reps.yaml:2:\d+: https://x.io/h is private"):
        read(f"reps:\n- {REP % ''}", forbidden=True)


def test_without_an_agreement_every_team_is_allowed() -> None:
    roster = parse(
        f"reps:\n- {REP.replace('sales', 'moon') % ''}",
        name="reps.yaml",
        agreement=None,
        check_url=anything_goes,
    )

    assert roster.reps[0].team == "moon"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (", weight: ▸1001", "`1001`: write 0.001 to 1000"),
        (", weight: ▸0", "`0`: write 0.001 to 1000"),
        (", weight: ▸nan", "`nan`: write 0.001 to 1000"),
        (", capacity: {per_day: ▸0}", "`0`: write 1 to 100000"),
        (", capacity: {open: ▸0}", "`0`: write 1 to 100000"),
        (", capacity: {open: ▸100001}", "`100001`: write 1 to 100000"),
        (', skills: ["▸\\0"]', "the character '\\x00' cannot be stored; delete it"),
        (f", skills: [▸{'x' * 101}]", f"`{'x' * 60}…`: 101 characters are more than the 100"),
        (f", skills: ▸[{'x, ' * 201}]", "a list: 201 entries are more than the 200 that fit"),
        (", time_off: [{from: ▸0001-01-01, to: 2026-12-27}]", "`0001-01-01`: write 2000-01-01 to"),
    ],
)  # fmt: skip
def test_a_value_beyond_its_bound_is_refused_with_its_position(more: str, message: str) -> None:
    source, position = marked(f"reps:\n- {REP % more}")

    with pytest.raises(InvalidDocument) as caught:
        read(source)

    [line] = caught.value.message.split("\n")
    assert line.startswith(f"reps.yaml:{position}: {message}")


def test_values_at_their_bounds_are_allowed() -> None:
    [rep] = read(f"reps:\n- {REP % ', weight: 1000, capacity: {per_day: 1, open: 1}'}").all_reps()

    assert (rep.weight, rep.per_day_limit, rep.open_limit) == (1000, 1, 1)


def test_a_part_that_cannot_be_read_hides_no_faults_elsewhere() -> None:
    reps = [
        (REP % "").replace("grace", "Grace"),
        (REP % "").replace("team: sales", "team: nowhere"),
        (REP % "").replace("g@x.io", "g at x").replace("https://x.io/h", "ftp://x.io"),
        (REP % "").replace("grace", "ada"),
        (REP % "").replace("grace", "ada"),
    ]
    source = "ops: 5\nreps:\n" + "".join(f"- {it}\n" for it in reps)

    with pytest.raises(InvalidDocument) as caught:
        read(source)

    assert [it.path for it in caught.value.faults] == [
        "ops",
        "reps[0].id",
        "reps[1].team",
        "reps[2].id",
        "reps[2].email",
        "reps[2].endpoint.url",
        "reps[4].id",
    ]
