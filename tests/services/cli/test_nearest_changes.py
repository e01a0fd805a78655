"""The sentences on nearest changes and margins."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from services.cli.nearest_changes import change_text, margin_text
from services.routing.domain.assignment.eligibility import ExclusionReason
from services.routing.domain.assignment.nearest_change import Gap, Margin, Measure, NearestChange

FULL, CLOSED = ExclusionReason.FULL, ExclusionReason.CLOSED


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (NearestChange((FULL,), None), "without this"),
        (NearestChange((FULL, CLOSED), None), "without these"),
        (
            NearestChange((FULL,), Gap("ada", Measure.OPEN, 0.4, 5)),
            "without this and with 5 open handoffs fewer, behind ada",
        ),
        (
            NearestChange((), Gap("ada", Measure.SHORTFALL, 0.0, 1)),
            "with 1 lead this period fewer, tied with ada",
        ),
        (
            NearestChange((), Gap("ada", Measure.RANK, 3.0, 3)),
            "with 3 places in the file of reps fewer, behind ada",
        ),
        (NearestChange((), Gap("ada", Measure.NAMED, 0.0, 0)), "if ops had not named ada"),
        (
            NearestChange((), Gap("ada", Measure.PREVIOUS_REP, 0.0, 0)),
            "if ada had not had the lead before",
        ),
        (
            NearestChange((), Gap("ada", Measure.OWNER, 0.0, 0)),
            "if ada did not own the account",
        ),
    ],
)
def test_a_change_says_when_the_rep_would_have_got_the_lead(
    change: NearestChange, text: str
) -> None:
    assert change_text(asdict(change)) == text


def test_a_record_without_a_change_says_nothing() -> None:
    assert change_text(None) == ""


@pytest.mark.parametrize(
    ("margin", "text"),
    [
        (Margin(None, Measure.SHORTFALL, 0.0), "did, as the only eligible rep"),
        (Margin("linus", Measure.SHORTFALL, 0.0), "did, tied with linus"),
        (Margin("linus", Measure.SHORTFALL, 1.5), "did, 1.5 (shortfall) before linus"),
        (Margin("linus", Measure.NAMED, 0.0), "did, as ops named them; before linus"),
        (
            Margin("linus", Measure.PREVIOUS_REP, 0.0),
            "did, as the lead's previous rep; before linus",
        ),
        (Margin("linus", Measure.OWNER, 0.0), "did, as the owner of the account; before linus"),
        (Margin(None, Measure.OWNER, 0.0), "did, as the owner of the account"),
    ],
)
def test_a_margin_says_how_far_the_pick_came_before_the_next(margin: Margin, text: str) -> None:
    assert margin_text({"margin": asdict(margin), "reproduced": True}) == text


def test_a_record_that_is_read_differently_says_so() -> None:
    assert "would decide otherwise" in margin_text({"margin": None, "reproduced": False})
