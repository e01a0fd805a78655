"""What an import changes is known before it takes effect."""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain.accounts import AccountsDifference
from services.routing.domain.roster import Absence
from services.routing.domain.roster_difference import (
    FieldChange,
    ImportedRoster,
    RosterDifference,
    difference_of,
)
from tests.builders import NOON, days
from tests.services.routing.builders import rep

GRACE, LINUS = rep("grace", position=0), rep("linus", position=1)
GONE = rep("gone", position=2, active=False)
STORED = ImportedRoster([GRACE, LINUS, GONE], {"rep/grace": "a", "rep/linus": "b"})


def compared(file: ImportedRoster, *disabled: str) -> RosterDifference:
    return difference_of(STORED, file, disabled=disabled, accounts=None)


def test_a_file_that_says_what_is_stored_changes_nothing() -> None:
    shifted = [replace(GRACE, position=4), replace(LINUS, position=7)]

    difference = compared(ImportedRoster(shifted, STORED.endpoints))

    assert difference.is_empty
    assert difference == RosterDifference([], [], [], [], [], None)


def test_new_reps_missing_ones_and_endpoints_are_named() -> None:
    file = ImportedRoster([LINUS, rep("mara")], {"rep/linus": "c", "rep/mara": "d"})

    difference = compared(file, "rep/linus", "rep/grace")

    assert (difference.added, difference.inactive) == (["mara"], ["grace"])
    assert (difference.endpoints, difference.enabled) == (["rep/linus", "rep/mara"], ["rep/linus"])
    assert not difference.is_empty


def test_each_changed_field_has_its_values_before_and_after() -> None:
    off = Absence(NOON, NOON + days(1))
    changed = replace(
        GRACE, weight=2.5, open_limit=3, skills=("ai", "crm"), time_off=(off,), active=False
    )

    difference = compared(ImportedRoster([changed, LINUS], STORED.endpoints))

    assert difference.changed == [
        FieldChange("grace", "skills", "none", "ai, crm"),
        FieldChange("grace", "weight", "1", "2.5"),
        FieldChange("grace", "capacity.open", "none", "3"),
        FieldChange("grace", "time_off", "none", "2026-11-18T12:00Z to 2026-11-19T12:00Z"),
        FieldChange("grace", "active", "true", "false"),
    ]


def test_a_change_of_ranks_is_named_for_those_who_stay() -> None:
    file = ImportedRoster(
        [rep("mara", position=0), replace(LINUS, position=1), replace(GRACE, position=2)],
        STORED.endpoints,
    )

    ranks = {it.rep: (it.before, it.after) for it in compared(file).changed}

    assert ranks == {"linus": ("2", "1"), "grace": ("1", "2")}


def test_accounts_that_change_are_a_difference() -> None:
    file = ImportedRoster(STORED.reps, STORED.endpoints)
    same, changed = (
        difference_of(STORED, file, disabled=(), accounts=AccountsDifference(added, 0, 0, []))
        for added in (0, 1)
    )

    assert (same.is_empty, changed.is_empty) == (True, False)
