"""How long a regular expression is as a program: what holding it against a text costs, for each character."""

from __future__ import annotations

import re

_PART = re.compile(
    r"\\[pP](?:\{[^}]*\}|.)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|.", re.DOTALL
)
_LENGTHS = {"\\p": 500, "\\P": 500, "[": 20, ".": 20, "\\": 10}
_REPEATED_AT_MOST = 1_000
"""The library refuses more."""


def program_length(pattern: str) -> int:
    """Its length with all counted repetitions written out, from above: `(ab){3}` is as long as `ababab`."""
    groups, last = [0], 0
    for part in _PART.finditer(pattern):
        if part[1] is not None:
            times = min(int(part[2] or part[1]), _REPEATED_AT_MOST)
            groups[-1] += last * max(0, times - 1)
            last *= max(1, times)
        elif part[0] == "(":
            groups.append(0)
        elif part[0] == ")" and len(groups) > 1:
            last = groups.pop() + 1
            groups[-1] += last
        else:
            last = next((it for start, it in _LENGTHS.items() if part[0].startswith(start)), 1)
            groups[-1] += last
    return sum(groups)
