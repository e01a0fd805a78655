"""Drafts of an agreement: what is wrong with one, what is in it, and how it differs from a version.

As a program it reads a draft from its standard input and writes what `check_draft` returns as JSON: so a check of
somebody else's text can be ended when it takes too long.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from difflib import unified_diff
from typing import ClassVar

import msgspec

from shared.agreement.load import InvalidAgreement, parse
from shared.agreement.model import Agreement
from shared.documents import Fault
from shared.errors import Rejected

NAME = "draft"


class SlowDraft(Rejected):
    """The check of the draft took too long and was ended."""

    code: ClassVar[str] = "draft_too_slow"


class CheckedDraft(msgspec.Struct, frozen=True):
    """A draft that was checked."""

    contents: str | None
    """What the draft has, in one line; None where it has faults."""
    faults: tuple[Fault, ...] = ()


def check_draft(source: str) -> CheckedDraft:
    """Check the draft as publishing it does."""
    try:
        return CheckedDraft(contents(parse(source, name=NAME)))
    except InvalidAgreement as invalid:
        return CheckedDraft(None, invalid.faults)


def check_draft_within(source: str, *, processor_s: int, wait_s: float) -> CheckedDraft:
    """Check the draft in a process of its own.

    Raises SlowDraft if it needs more time of a processor, or has not ended after `wait_s`.
    """
    try:
        checked = subprocess.run(
            [sys.executable, "-m", "shared.agreement.drafts", str(processor_s)],
            input=source.encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            timeout=wait_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _slow() from None
    if checked.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _slow()
    return msgspec.json.decode(checked.stdout, type=CheckedDraft)


def _slow() -> SlowDraft:
    return SlowDraft(
        "the check took too long and was ended: shorten the draft, "
        "or check the file with `leadbaton agreement check`"
    )


def contents(agreement: Agreement) -> str:
    """What the agreement has, in one line."""
    rules = len(agreement.scoring.fit) + len(agreement.scoring.signals)
    routing = agreement.routing
    return (
        f"{rules} scoring rules, {len(agreement.qualification.tiers)} tiers, "
        f"{len(routing.rules)} routing rules, {len(routing.teams)} teams, {len(agreement.sla.policies)} promises"
    )


def difference(before: str, after: str, *, names: tuple[str, str]) -> list[str]:
    """The lines that differ between two files, with three lines around each, as `diff -u` writes them."""
    lines = unified_diff(before.splitlines(), after.splitlines(), *names)
    return [it.rstrip("\n") for it in lines]


if __name__ == "__main__":
    processor_limit_s = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (processor_limit_s, processor_limit_s))
    text = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(msgspec.json.encode(check_draft(text)))
