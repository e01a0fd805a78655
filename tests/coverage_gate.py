"""`python -m tests.coverage_gate`: every file of the product was tried by the tests that ran, or its gaps are named.

A total hides a file that nobody tries behind a hundred that are tried, so each has to hold its own line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

LINES = (("services/*/domain/*", 100), ("shared/calendar/*", 100), ("*", 95))
"""How much of a file must have been tried, in percent of its lines and branches; the first that fits counts."""


def line_of(path: str) -> int:
    """How much of this file must have been tried."""
    return next(percent for pattern, percent in LINES if fnmatch(path, pattern))


def gaps(files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One line for each file of a `coverage json` report that is below its own: how much, and what was not tried."""
    for path, found in sorted(files.items()):
        tried, line = found["summary"]["percent_covered"], line_of(path)
        if tried < line:
            missing = [str(number) for number in found["missing_lines"]]
            missing += [f"{source}->{target}" for source, target in found["missing_branches"]]
            yield f"{path}: {tried:.1f} % of {line} %, not tried: {', '.join(missing)}"


def main() -> int:
    """1 when a file is below its line, by what `make test COVER=1` and `make slow COVER=1` left."""
    report = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", "-"]
    told = subprocess.run(report, stdout=subprocess.PIPE, text=True, check=False)
    if told.returncode != 0:
        sys.exit(told.stdout)
    files = json.loads(told.stdout)["files"]
    found = list(gaps(files))
    print(*found, f"{len(files) - len(found)} of {len(files)} files hold their line", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
