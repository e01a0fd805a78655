"""Published agreements: immutable, numbered from 1, kept in the database."""

from __future__ import annotations

from dataclasses import dataclass

from shared.agreement.model import Agreement


@dataclass(frozen=True, slots=True)
class Published:
    """An agreement with the version that decisions record."""

    version: int
    agreement: Agreement
