"""Tests of the check of drafts, of what is in an agreement, and of differences."""

from __future__ import annotations

from shared.agreement.drafts import check_draft, contents, difference
from tests.shared.agreement.builders import WHOLE, changed


def test_a_sound_draft_says_what_it_has() -> None:
    draft = check_draft(WHOLE, name="draft")

    assert draft.faults == ()
    assert draft.agreement is not None
    assert contents(draft.agreement) == (
        "4 scoring rules, 2 tiers, 2 routing rules, 1 teams, 1 promises"
    )


def test_a_draft_with_faults_has_each_with_its_position() -> None:
    draft = check_draft(changed("zone: Europe/Berlin", "zone: Europe/Berln"), name="draft")

    assert draft.agreement is None
    [fault] = draft.faults
    assert (fault.line, fault.column) == (40, 13)
    assert fault.message == "unknown zone `Europe/Berln`; did you mean `Europe/Berlin`?"


def test_a_text_that_is_no_yaml_has_one_fault() -> None:
    assert len(check_draft("a: [", name="draft").faults) == 1


def test_a_difference_has_the_changed_lines() -> None:
    lines = difference("a\nb\n", "a\nc\n", names=("one", "two"))

    assert lines == ["--- one", "+++ two", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]
    assert difference("a\n", "a\n", names=("one", "two")) == []
