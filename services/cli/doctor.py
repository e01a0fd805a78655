"""`leadbaton doctor`: checks of an installation, and how to mend what is wrong."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table
from rich.text import Text

from services.cli.checks import examine
from services.cli.processes import ALIGNMENT_API, ROUTING_API, SCORING_API, SLA_API
from services.cli.restarts import restarts
from shared.clock import utc_now
from shared.process.findings import Finding
from shared.process.settings import Settings
from shared.terminal import Terminal

SIGNS = {True: Text("ok", "green"), False: Text("wrong", "red"), None: Text("-", "dim")}


def doctor(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    scoring_port: Annotated[
        int, typer.Option(envvar="LEADBATON_SCORING_PORT", min=1, max=65_535)
    ] = 8001,
    routing_port: Annotated[
        int, typer.Option(envvar="LEADBATON_ROUTING_PORT", min=1, max=65_535)
    ] = 8002,
    sla_port: Annotated[int, typer.Option(envvar="LEADBATON_SLA_PORT", min=1, max=65_535)] = 8003,
    alignment_port: Annotated[
        int, typer.Option(envvar="LEADBATON_ALIGNMENT_PORT", min=1, max=65_535)
    ] = 8004,
) -> None:
    """Check everything that an installation needs; the exit status is 1 if something is wrong."""
    apis = {SCORING_API: scoring_port, ROUTING_API: routing_port, SLA_API: sla_port}
    apis[ALIGNMENT_API] = alignment_port
    now = utc_now()
    findings = list(examine(Settings(), apis, now=now))
    if isinstance(ctx.obj, Path):  # an installation of `leadbaton up`, in this directory
        findings.append(restarts(ctx.obj, now))
    if as_json:
        typer.echo(orjson.dumps([asdict(it) for it in findings], option=orjson.OPT_INDENT_2))
    else:
        Terminal().print(_table(findings))
    if any(it.ok is False for it in findings):
        raise typer.Exit(1)


def _table(findings: list[Finding]) -> Table:
    table = Table("check", "", "result", "how to mend it", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(finding.check, SIGNS[finding.ok], finding.detail, finding.remedy)
    return table
