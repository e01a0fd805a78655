"""The agenda of the meeting: what was rejected and why, who waits, what broke, what changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.console.report.agenda import (
    MAX_WAITING,
    breaches_section,
    changes_section,
    rejections_section,
    untouched_section,
    versions_compared,
    waiting_section,
)
from services.console.report.sections import Section
from tests.builders import NOON, days, minutes

WEEK = {"period": "2026-W47"}
DATES = ("2026-11-16", "2026-11-22")


def texts(section: Section) -> list[list[str]]:
    """The cells of the section's rows."""
    return [[cell.text for cell in row] for row in section.rows]


def group(name: str | None, qualified: int = 10, **reasons: int) -> dict[str, Any]:
    """A campaign whose leads were rejected; the reason `unknown` is none."""
    rejections = [
        {"reason": None if reason == "unknown" else reason, "count": count}
        for reason, count in reasons.items()
    ]
    rejected = sum(reasons.values())
    return {"group": name, "qualified": qualified, "rejected": rejected, "rejections": rejections}


def report(*groups: dict[str, Any], others: dict[str, Any] | None = None) -> dict[str, Any]:
    """Alignment's answer on these campaigns, and on 40 others."""
    return {
        "by": "campaign",
        "total": {"rejected": 5, "qualified": 31},
        "items": groups,
        "others": others,
        "others_groups": 0 if others is None else 40,
    }


def handoff(name: str | None, waited: timedelta, **fields: Any) -> dict[str, Any]:
    """A handoff as routing answers with it."""
    at = (NOON - waited).isoformat()
    return {
        "id": "7",
        "state": "assigned",
        "team": "inbound",
        "rep": None,
        "tier": "hot",
        "qualified_at": at,
        "assigned_at": at,
        "lead": {"name": name},
        **fields,
    }


def version(number: int, days_ago: float) -> dict[str, Any]:
    """A published version of the agreement."""
    at = (NOON - days(days_ago)).isoformat()
    return {"number": number, "published_at": at, "published_by": "dana", "note": ""}


def test_campaigns_by_rejections_with_their_reasons() -> None:
    groups = (group("autumn", not_ready=2, student=1), group(None, 1, unknown=1))

    section = rejections_section(report(*groups), WEEK)

    assert texts(section) == [
        ["autumn", "3", "30\u2009%", "10", "not ready 2, student 1"],
        ["no campaign", "1", "100\u2009%", "1", "none given 1"],
    ]
    assert section.rows[0][1].href.endswith("period=2026-W47&stage=rejected&campaign=autumn")
    assert section.rows[1][1].href.endswith("unknown=campaign")
    first, _ = section.rows[0][4].parts
    assert "measure=rejected_share&of=not_ready&kept=true&campaign=autumn" in first.href
    assert section.note == "5 rejected of 31 leads that qualified in the period."


def test_campaigns_that_are_not_listed_are_summed() -> None:
    others = group(None, 200, not_ready=40, unknown=10)

    section = rejections_section(report(group("autumn", student=1), others=others), WEEK)

    row = section.rows[-1]
    assert [it.text for it in row] == [
        "40 other campaigns", "50", "25\u2009%", "200", "not ready 40, none given 10",
    ]  # fmt: skip
    assert not any(it.href or it.parts for it in row)


def test_who_waits_longest_comes_first() -> None:
    waits = [handoff(str(number), minutes(number)) for number in range(MAX_WAITING + 5)]

    section = waiting_section(waits, {}, NOON)

    assert [row[0] for row in texts(section)] == [str(number) for number in range(14, 4, -1)]
    assert texts(section)[0] == [
        "14",
        "assigned",
        "inbound",
        "nobody yet",
        "hot",
        "\u2013",
        "14 min",
    ]


def test_a_lead_without_a_name_or_with_a_later_clock_is_listed() -> None:
    lead = {"email": "ada@example.com", "last_campaign": {"name": "autumn"}}
    early = handoff(None, minutes(-5), lead=lead, rep="amira", assigned_at=None)
    nameless = handoff(None, minutes(61))

    section = untouched_section([early, nameless], {"amira": "Amira Haddad"}, NOON)

    assert texts(section) == [
        ["ada@example.com", "assigned", "inbound", "Amira Haddad", "hot", "autumn", "0 s"],
        ["A lead", "assigned", "inbound", "nobody yet", "hot", "\u2013", "1 h 1 min"],
    ]


def test_broken_promises_by_what_they_were_about_and_how() -> None:
    team = {"promised": 4, "met": 1, "late": 2, "overdue": 1, "cancelled": 0}
    section = breaches_section({"accept": [team, team], "first_touch": []}, *DATES)

    assert texts(section) == [["accept", "4", "2", "0", "8", "25\u2009%"]]
    address = "/sla/broken?kind=accept&first_due_on=2026-11-16&last_due_on=2026-11-22"
    assert [it.href for it in section.rows[0]] == [
        *(address, f"{address}&cause=late", f"{address}&cause=overdue", ""),
        *("/sla/attainment?kind=accept&since=2026-11-16&until=2026-11-22",) * 2,
    ]
    assert section.note.startswith("Promises about leads that were due 16 Nov to 22 Nov 2026")


def test_changes_of_the_agreement_since_the_last_meeting() -> None:
    versions = [version(4, 1), version(3, 2), version(2, 9), version(1, 20)]
    since = NOON - days(7)
    difference = {"from": 2, "to": 4, "lines": ["---", "+++", "+a", "-b", "+c", " d"]}

    section = changes_section(versions, difference, since)

    assert versions_compared(versions, since) == (2, 4)
    assert [row[0] for row in texts(section)] == ["4", "3", "in all"]
    assert texts(section)[2][3] == "2 lines added, 1 removed"
    assert section.rows[2][0].href == "/agreement?from=2&to=4"


@pytest.mark.parametrize(
    "versions",
    [[], [version(1, 1)], [version(2, 9), version(1, 20)]],
    ids=["none", "the first", "as it was"],
)
def test_there_is_nothing_to_compare(versions: list[dict[str, Any]]) -> None:
    assert versions_compared(versions, NOON - days(7)) is None


@pytest.mark.parametrize(
    "section",
    [
        rejections_section(report(), WEEK),
        waiting_section([], {}, NOON),
        untouched_section([], {}, NOON),
        breaches_section({"accept": []}, *DATES),
        changes_section([], None, NOON),
    ],
    ids=lambda it: it.id,
)
def test_a_quiet_week_is_said_in_words(section: Section) -> None:
    assert list(section.rows) == []
    assert section.empty.endswith(".")
