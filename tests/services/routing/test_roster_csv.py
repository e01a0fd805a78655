"""Reps are read from a CSV as from YAML, and each fault has its line and its column in the table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.routing.domain.endpoints import Address
from services.routing.domain.formats import Format
from services.routing.domain.roster import Absence
from services.routing.roster_csv import parse_csv
from services.routing.roster_file import RosterFile
from shared.documents import InvalidDocument
from shared.http.outbound import ForbiddenAddress
from tests.builders import agreement
from tests.services.routing.builders import rep

HEAD = "id;name;email;team;endpoint;territories;weight;open;per_day;hours;time_off;active"
GRACE = "grace;Grace;grace@example.com;sales;https://x.io/h"


def read(*lines: str, forbidden: bool = False) -> RosterFile:
    def check_url(url: str) -> None:
        if forbidden:
            raise ForbiddenAddress(f"{url} is private")

    content = "\r\n".join(lines).encode("cp1252")
    return parse_csv(content, name="r.csv", agreement=agreement(), check_url=check_url)


def refusal(*lines: str, forbidden: bool = False) -> list[str]:
    with pytest.raises(InvalidDocument) as refused:
        read(*lines, forbidden=forbidden)
    return refused.value.message.split("\n")


def test_a_row_is_a_rep() -> None:
    off = "2026-12-24/2027-01-04 | 2027-02-01T12:00:00+01:00/2027-02-02"

    file = read(HEAD, f"{GRACE};DE|FR;1,5;3;9;office;{off};true", GRACE.replace("grace;", "ada;"))

    first, second = file.all_reps()
    assert first == rep(
        "grace",
        territories=("DE", "FR"),
        weight=1.5,
        open_limit=3,
        per_day_limit=9,
        hours="office",
        time_off=(
            Absence(datetime(2026, 12, 24, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC)),
            Absence(datetime(2027, 2, 1, 11, tzinfo=UTC), datetime(2027, 2, 2, tzinfo=UTC)),
        ),
    )
    assert (second.id, second.position, second.weight, second.active) == ("ada", 1, 1.0, True)
    address = Address("https://x.io/h", Format.STANDARD)
    assert file.addresses() == {"rep/grace": address, "rep/ada": address}
    assert (file.ops, file.teams, file.accounts) == (None, (), None)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GRACE.replace("grace;", "Grace;"), "r.csv:2:1: `Grace` is not an id"),
        (GRACE.replace("Grace", ""), "r.csv:2:2: `name` is missing; add it"),
        (GRACE.replace("@", " "), "r.csv:2:3: `grace example.com` is not an e-mail address"),
        (GRACE.replace("sales", "moon"), "r.csv:2:4: the agreement has no team 'moon'"),
        (GRACE.replace("https", "ftp"), "r.csv:2:5: `ftp://x.io/h` is not a URL"),
        (f"{GRACE};{'x' * 101}", f"r.csv:2:6: `{'x' * 60}…`: 101 characters are more"),
        (f"{GRACE};;heavy", "r.csv:2:7: `heavy` is not a number"),
        (f"{GRACE};;;0", "r.csv:2:8: `0`: write 1 to 100000"),
        (f"{GRACE};;;;x", "r.csv:2:9: `x` is not a whole number"),
        (f"{GRACE};;;;;moon", "r.csv:2:10: the agreement has no calendar 'moon'"),
        (f"{GRACE};;;;;;2026-12-24", "r.csv:2:11: ``: write a date, 2026-12-24, or an instant"),
        (f"{GRACE};;;;;;2026-12-24/2026-12-24", "r.csv:2:11: `to` must be later than `from`"),
        (f"{GRACE};;;;;;;perhaps", "r.csv:2:12: `perhaps` is neither true nor false"),
    ],
)
def test_each_fault_names_its_line_and_column(row: str, message: str) -> None:
    [line] = refusal(HEAD, row)
    assert line.startswith(message)


def test_an_endpoint_may_have_a_format_or_be_left_out() -> None:
    head = "id;name;email;team;endpoint;format"
    without = "ada;Ada;ada@example.com;sales;;"

    file = read(head, f"{GRACE};slack", without)

    assert file.addresses() == {"rep/grace": Address("https://x.io/h", Format.SLACK)}
    assert refusal(head, f"{GRACE};smoke")[0].startswith("r.csv:2:6: ")
    assert refusal(head, f"{without}slack")[0].startswith("r.csv:2:5: ")


def test_faults_of_several_rows_are_named_together() -> None:
    lines = refusal(HEAD, GRACE, "", GRACE)
    assert lines == ["r.csv:4:1: 'grace' is there twice; give each its own id"]
    assert refusal(HEAD, GRACE, forbidden=True) == ["r.csv:2:5: https://x.io/h is private"]


def test_more_reps_than_a_roster_has_are_refused() -> None:
    [line] = refusal(HEAD, *(GRACE.replace("grace;", f"r{it};") for it in range(10_001)))
    assert "10001 entries are more than the 10000 that fit" in line
