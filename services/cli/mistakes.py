"""What goes wrong with a command in a way that we foresaw, in words."""

from __future__ import annotations

from pydantic import ValidationError

from services.cli.refusals import first_line, refusal_of
from shared.db.outages import OUTAGES, is_outage
from shared.errors import LeadbatonError

FORESEEN = (LeadbatonError, *OUTAGES, ValidationError)
"""What may be an operator's to mend; all else is a bug, and shows its traceback."""


def in_words(wrong: Exception) -> str | None:
    """One clear text; None if it is a bug after all, such as a statement that the database will never take."""
    refusal = refusal_of(wrong)
    if refusal is not None:
        return f"the database {refusal.fault} ({first_line(wrong)}): {refusal.mend}"
    match wrong:
        case LeadbatonError():
            return wrong.message
        case ValidationError(title="Settings"):
            faults = wrong.errors(include_url=False, include_input=False)
            return "\n".join(
                f"LEADBATON_{it['loc'][0]!s}".upper()
                + f": {it['msg'].removeprefix('Value error, ')}"
                for it in faults
            )
    return f"the database does not answer: {first_line(wrong)}" if is_outage(wrong) else None
