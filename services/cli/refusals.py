"""Refusals by PostgreSQL that an operator can mend."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

NAME_ANOTHER = "mend LEADBATON_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with the database, and how to mend it.

    `pattern` matches the text of errors while connecting, for which psycopg knows no SQLSTATE.
    """

    fault: str
    remedy: str
    sqlstates: tuple[str, ...]
    pattern: str | None = None


REFUSALS = (
    Refusal(
        "is older than PostgreSQL 17",
        f"move it to PostgreSQL 17 or newer, or {NAME_ANOTHER}",
        (),
        "unrecognized configuration parameter",
    ),
    Refusal(
        "is not reached by the TLS that LEADBATON_DATABASE_URL asks for",
        "mend its sslmode, sslrootcert, sslcert or sslkey, or its host: docs/operations.md, Kafka and PostgreSQL "
        "behind TLS",
        (),
        r"certificate|SSL|private key",
    ),
    Refusal(
        "does not let this user in",
        f"{NAME_ANOTHER}: its user, its password, or the server's pg_hba.conf",
        ("28",),
        r"password|pg_hba\.conf|role .* (does not exist|is not permitted)|authentication failed",
    ),
    Refusal(
        "has no such database",
        f"create it (`createdb`) and run `leadbaton migrate`, or {NAME_ANOTHER}",
        ("3D",),
        "database .* does not exist",
    ),
    Refusal(
        "gives this user too few rights",
        "run `leadbaton migrate` as the owner of the tables, which grants them, or name such a user in "
        "LEADBATON_DATABASE_URL",
        ("42501",),
        "permission denied",
    ),
    Refusal(
        "lacks a table, a column or a schema of this version",
        "run `leadbaton migrate`; if it has nothing to do, they were removed: restore a backup",
        ("42P01", "42703", "3F000"),
    ),
    Refusal(
        "takes no writes, as a standby does",
        "name the primary in LEADBATON_DATABASE_URL",
        ("25006",),
    ),
)


def refusal_of(error: Exception) -> Refusal | None:
    """The refusal that this error is an instance of, or None for an outage and for a bug."""
    if not isinstance(error, DBAPIError):
        return None
    return next((refusal for refusal in REFUSALS if _matches(refusal, error)), None)


def first_line(error: Exception) -> str:
    """The first line of PostgreSQL's own message, without hints and without the statement."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _matches(refusal: Refusal, error: DBAPIError) -> bool:
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is not None:
        return str(sqlstate).startswith(refusal.sqlstates)
    return refusal.pattern is not None and re.search(refusal.pattern, str(error.orig)) is not None
