"""A version of the agreement as alignment counts by it."""

from __future__ import annotations

from dataclasses import dataclass

from services.alignment.domain.attribution import Terms
from shared.agreement.model import Agreement, Attribution


@dataclass(frozen=True, slots=True)
class AlignmentPolicy:
    """One version of the agreement."""

    version: int
    agreement: Agreement


def terms_of(attribution: Attribution) -> Terms:
    """The terms by which touches are credited, by this section of an agreement."""
    return Terms(attribution.window, attribution.half_life)
