"""Tests of the check of drafts, of what is in an agreement, and of differences."""

from __future__ import annotations

import pytest

from shared.agreement.drafts import (
    CheckedDraft,
    SlowDraft,
    check_draft,
    check_draft_within,
    contents,
    difference,
)
from shared.agreement.load import parse
from tests.shared.agreement.builders import WHOLE, changed

CONTENTS = "4 scoring rules, 2 tiers, 2 routing rules, 1 teams, 1 promises"


def test_a_sound_draft_says_what_it_has() -> None:
    assert check_draft(WHOLE) == CheckedDraft(CONTENTS)
    assert contents(parse(WHOLE)) == CONTENTS


def test_a_draft_with_faults_has_each_with_its_position() -> None:
    draft = check_draft(changed("zone: Europe/Berlin", "zone: Europe/Berln"))

    assert draft.contents is None
    [fault] = draft.faults
    assert (fault.line, fault.column) == (40, 13)
    assert fault.message == "unknown zone `Europe/Berln`; did you mean `Europe/Berlin`?"


@pytest.mark.parametrize("source", [WHOLE, "a: [", "", "\ud800", "name: \u00e9"], ids=ascii)
def test_a_process_of_its_own_finds_the_same(source: str) -> None:
    storable = source.encode("utf-8", "replace").decode()

    assert check_draft_within(source, processor_s=60, wait_s=90) == check_draft(storable)


def test_a_check_that_takes_too_long_is_ended() -> None:
    slow = "".join(f"key_{number}: 1\n" for number in range(10_000))

    with pytest.raises(SlowDraft, match="leadbaton agreement check"):
        check_draft_within(slow, processor_s=3, wait_s=90)
    with pytest.raises(SlowDraft):
        check_draft_within(WHOLE, processor_s=60, wait_s=0.001)


def test_a_difference_has_the_changed_lines() -> None:
    lines = difference("a\nb\n", "a\nc\n", names=("one", "two"))

    assert lines == ["--- one", "+++ two", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]
    assert difference("a\n", "a\n", names=("one", "two")) == []
