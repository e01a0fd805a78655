"""`python -m tests.coverage_gate`: the tests that ran cover each file of the product, or its gaps are named.

A total hides one uncovered file behind a hundred covered ones, so each file has a limit of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

LINES = (("services/*/domain/*", 100), ("shared/calendar/*", 100), ("*", 95))
"""The percentage of lines and branches of a file that tests must cover; the first matching pattern applies."""


def line_of(path: str) -> int:
    """The percentage of this file that tests must cover."""
    return next(percent for pattern, percent in LINES if fnmatch(path, pattern))


def gaps(files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line for each file of a `coverage json` report that is below its limit, with its missing lines and branches."""
    for path, report in sorted(files.items()):
        covered, line = report["summary"]["percent_covered"], line_of(path)
        if covered < line:
            missing = [str(number) for number in report["missing_lines"]]
            missing += [f"{source}->{target}" for source, target in report["missing_branches"]]
            yield f"{path}: {covered:.1f} % of {line} %, not tried: {', '.join(missing)}"


def main() -> int:
    """The exit status: 1 if a file is below its limit, by what `make test COVER=1` and `make slow COVER=1` measured."""
    command = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", "-"]
    completed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if completed.returncode != 0:
        sys.exit(completed.stdout)
    files = json.loads(completed.stdout)["files"]
    lines = list(gaps(files))
    print(*lines, f"{len(files) - len(lines)} of {len(files)} files hold their line", sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
