"""`leadbaton scoring recompute`: what is kept of each lead, compared with what its events say."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated
from uuid import UUID

import typer

from shared.process.settings import Settings


def recompute(
    lead: Annotated[UUID | None, typer.Option(help="Only this lead; by default all.")] = None,
) -> None:
    """Compute leads again from the ledger of events and report every difference; there must be none."""
    scoring = import_module("services.scoring.main")  # when called, so that --help stays quick
    computed = different = 0
    for count, differences in scoring.recompute(Settings(), lead):
        computed += count
        different += len(differences)
        for it in differences:
            typer.echo(f"{it.lead_id} {it.what}: kept {it.kept}, computed {it.computed}")
    typer.echo(f"{computed} leads computed again, {different} differences", err=True)
    if different:
        raise typer.Exit(1)
