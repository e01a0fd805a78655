"""`leadbaton keys` as it is typed, for the tests of its commands."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from services.cli.keys import app

INGEST = ("create", "--scope", "ingest", "--subject", "site")


def ran(*arguments: str) -> Result:
    """The command's output and end."""
    return CliRunner().invoke(app, list(arguments))
