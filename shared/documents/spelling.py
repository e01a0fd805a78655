"""Suggestions for names that do not exist: the known name that is spelled most like them."""

from __future__ import annotations

from collections.abc import Iterable

MAX_LISTED = 20
"""A list of known names is not longer than this."""


def nearest(name: str, known: Iterable[str], introduction: str) -> str:
    """A suggestion: the known name most like this one, or a list of those that are known."""
    known = list(known)
    if (close := closest(name, known)) is not None:
        return f"did you mean `{close}`?"
    more = ", …" if len(known) > MAX_LISTED else ""
    return f"{introduction}: {', '.join(known[:MAX_LISTED]) or 'none'}{more}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one is a misspelling of, or None.

    A misspelling differs in at most a third of its characters, not counting capitals, `_`, `-` and blanks, or has the
    whole known name at its beginning.
    """
    plain = _plain(name)
    limit = max(1, len(plain) // 3)
    candidates = sorted((edits(plain, _plain(it), limit), at, it) for at, it in enumerate(known))
    if candidates and candidates[0][0] <= limit:
        return candidates[0][2]
    longer = [it for _, _, it in candidates if len(it) >= 4 and plain.startswith(_plain(it))]
    return max(longer, key=len, default=None)


def edits(first: str, second: str, limit: int) -> int:
    """How many characters must be inserted, deleted, replaced or swapped with the next; `limit` + 1 if more than that.

    This is the optimal string alignment distance.
    """
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    before_last: list[int] = []
    last = list(range(len(second) + 1))
    for row, left in enumerate(first, start=1):
        current = [row]
        for column, right in enumerate(second, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (left != right))
            is_swap = row > 1 and column > 1 and left == second[column - 2]
            if is_swap and right == first[row - 2]:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        before_last, last = last, current
    return min(last[-1], limit + 1)


def _plain(name: str) -> str:
    return "".join(it for it in name.casefold() if it not in "_- ")
