"""Errors that an operator can mend, as one clear text."""

from __future__ import annotations

from pydantic import ValidationError

from services.cli.refusals import first_line, refusal_of
from shared.db.outages import OUTAGES, is_outage
from shared.errors import LeadbatonError
from shared.text import fault_text

OPERATOR_ERRORS = (LeadbatonError, *OUTAGES, ValidationError)
"""Errors that an operator may be able to mend; all others are bugs, and show their traceback."""


def message_of(error: Exception) -> str | None:
    """The message for the operator, or None if the error is a bug, such as a statement that PostgreSQL cannot run."""
    refusal = refusal_of(error)
    if refusal is not None:
        return f"the database {refusal.fault} ({first_line(error)}): {refusal.remedy}"
    match error:
        case LeadbatonError():
            return error.message
        case ValidationError(title="Settings"):
            faults = error.errors(include_url=False, include_input=False)
            return "\n".join(
                f"LEADBATON_{fault['loc'][0]!s}".upper() + f": {fault_text(fault['msg'])}"
                for fault in faults
            )
    return f"the database does not answer: {first_line(error)}" if is_outage(error) else None
