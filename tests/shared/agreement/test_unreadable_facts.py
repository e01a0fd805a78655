"""Facts at which CEL would end the process: numbers of thousands of digits, and large ones that lie very deep."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = """
from shared.agreement.cel.condition import Condition
from shared.agreement.cel.failures import FAILURES

def nested(value, depth):
    for level in range(depth):
        value = {"in": value} if level & 1 else [value]
    return value

facts = {"event": {"name": "demo", "properties": {"large": %s}}, "lead": {"n": 7}}
for source in ('event.name == "demo" && lead.n > 5.5', "event.properties.large > 1", "event == event"):
    print(Condition(source, "rule").holds(facts))
print(sum(FAILURES.totals().values()))
"""


@pytest.mark.parametrize(
    ("value", "answers"),
    [
        ("10**5000", ["True", "True", "True", "0"]),
        ("-10**5000", ["True", "False", "True", "0"]),
        ("[{'n': 10**5000}]", ["True", "False", "True", "0"]),
        ("nested(2**70, 200)", ["True", "False", "True", "0"]),
        ("nested(2**70, 2_000)", ["False", "False", "False", "3"]),
        ("{10**5000: 1}", ["False", "False", "False", "3"]),
    ],
    ids=["long", "long and negative", "long inside", "deep", "very deep", "as a key"],
)
def test_a_number_that_cel_cannot_read_ends_no_process(value: str, answers: list[str]) -> None:
    """The conditions are evaluated in a process of their own, which the number would end."""
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT % value],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    assert (process.returncode, process.stdout.split()) == (0, answers), process.stderr
