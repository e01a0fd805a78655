"""What `leadbaton doctor` found: a thing that was looked at, how it is, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and how to mend it. `ok` is None where nothing is wrong or right."""

    what: str
    ok: bool | None
    found: str
    mend: str = ""


def fine(what: str, found: str) -> Finding:
    """As it should be."""
    return Finding(what, ok=True, found=found)


def wrong(what: str, found: str, mend: str) -> Finding:
    """Not as it should be."""
    return Finding(what, ok=False, found=found, mend=mend)
