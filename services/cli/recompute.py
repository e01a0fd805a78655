"""`leadbaton scoring recompute`: compares stored leads with what their events give."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated
from uuid import UUID

import typer

from shared.process.settings import Settings


def recompute(
    lead: Annotated[UUID | None, typer.Option(help="Only this lead; by default all.")] = None,
) -> None:
    """Compute leads again from their stored events and report every difference; there must be none."""
    scoring = import_module("services.scoring.main")  # when called, so that --help stays quick
    computed = different = 0
    for count, differences in scoring.recompute(Settings(), lead):
        computed += count
        different += len(differences)
        for difference in differences:
            typer.echo(
                f"{difference.lead_id} {difference.what}: "
                f"kept {difference.kept}, computed {difference.computed}"
            )
    typer.echo(f"{computed} leads computed again, {different} differences", err=True)
    if different:
        raise typer.Exit(1)
