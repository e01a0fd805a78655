"""What goes wrong with a command in a way that we foresaw, in words."""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from shared.errors import LeadbatonError

FORESEEN = (LeadbatonError, OperationalError, ValidationError)
"""What may be an operator's to mend; all else is a bug, and shows its traceback."""


def in_words(wrong: Exception) -> str | None:
    """One clear text; None if it is a bug after all."""
    match wrong:
        case LeadbatonError():
            return wrong.message
        case OperationalError():
            return f"the database does not answer: {wrong.orig}"
        case ValidationError(title="Settings"):
            faults = wrong.errors(include_url=False, include_input=False)
            return "\n".join(
                f"LEADBATON_{it['loc'][0]!s}".upper() + f": {it['msg']}" for it in faults
            )
    return None
