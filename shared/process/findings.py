"""The findings of checks of an installation: one a check, with the remedy where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. `ok` is None where it is neither right nor wrong."""

    check: str
    ok: bool | None
    detail: str
    remedy: str = ""


def fine(check: str, detail: str) -> Finding:
    """A finding that nothing is wrong."""
    return Finding(check, ok=True, detail=detail)


def wrong(check: str, detail: str, remedy: str) -> Finding:
    """A finding of something that must be mended."""
    return Finding(check, ok=False, detail=detail, remedy=remedy)
