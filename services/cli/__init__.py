"""The `leadbaton` command: everything that an operator can do, and every process of an installation."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from services.cli.environment import InstallationUnreadable, NoInstallation, adopt
from shared.text import fault_text, unstorable_at

COMMANDS = {
    "up": ("services.cli.up:up", "Start everything on this machine; Ctrl-C stops it."),
    "demo": (
        "services.cli.demo:demo",
        "Start everything, send a few weeks of invented visits, show what happens.",
    ),
    "migrate": ("services.cli.migrate:migrate", "Bring the database and the topics up to date."),
    "doctor": (
        "services.cli.doctor:doctor",
        "Check the installation, and show how to mend each fault.",
    ),
    "keys": ("services.cli.keys:app", "API keys: create, list, revoke."),
    "agreement": ("services.cli.agreement:app", "The agreement: check, publish, versions."),
    "reps": (
        "services.cli.reps:app",
        "Reps, teams and their endpoints: check, import, export, list, load, away, back.",
    ),
    "accounts": ("services.cli.accounts:app", "Accounts and who owns them: import, export, list."),
    "campaigns": (
        "services.cli.campaigns:app",
        "What campaigns cost and brought: list, outcomes, import, spend.",
    ),
    "leads": ("services.cli.leads:app", "Leads: show one, with its scores and its handoffs."),
    "handoffs": (
        "services.cli.handoffs:app",
        "Handoffs: list them, show one and why, re-route a rep's.",
    ),
    "breaches": (
        "services.cli.breaches:app",
        "Promises that are broken: list them, acknowledge one.",
    ),
    "report": (
        "services.cli.report:report",
        "What marketing and sales promised and did: in the terminal, or as one HTML file.",
    ),
    "promises": (
        "services.cli.promises:promises",
        "What marketing and sales promised each other, and how each promise stands.",
    ),
    "endpoints": (
        "services.cli.endpoints:app",
        "Endpoints of reps, teams and ops: list, test, enable, new secrets.",
    ),
    "backup": ("services.cli.backup:backup", "Write the database to a file."),
    "restore": ("services.cli.backup:restore", "Make an installation from such a file."),
    "docs": ("services.cli.docs:app", "Generated references: generate, check."),
    "dead": ("services.cli.dead:app", "Records that could not be processed: list, replay."),
}
SERVICES = {
    "scoring": ("services.cli.processes:scoring", "Events in, leads scored."),
    "routing": ("services.cli.processes:routing", "Leads to reps, answers back."),
    "sla": (
        "services.cli.sla:app",
        "Clocks, breaches and attainment; `sla calendar` shows a month, `sla apply` moves running clocks.",
    ),
    "alignment": (
        "services.cli.processes:alignment",
        "What became of qualified leads, for both teams.",
    ),
    "console": (
        "services.cli.console:app",
        "The pages; `console link` prints a link that signs you in.",
    ),
    "relay": ("services.cli.processes:relay", "Publishes what is committed, in order."),
}
LOCATIONS = {**COMMANDS, **SERVICES}
"""For each command its module and its help. A module is imported when its command is called, so that --help is fast."""


NEEDS_INSTALLATION = "leadbaton.needs_installation"
USES_INSTALLATION = "leadbaton.uses_installation"
NEED_NONE = (
    *(["up"], ["demo"], ["restore"], ["docs"], ["keys", "secret"]),
    *(["agreement", "check"], ["agreement", "reference"], ["agreement", "schema"]),
    *(["reps", "check"], ["reps", "reference"], ["reps", "schema"]),
    ["sla", "calendar"],
    ["report"],
)
USE_ONE_IF_THERE = (["agreement", "check"], ["reps", "check"], ["console"], ["sla", "calendar"])
"""Commands that need no installation, and say more where there is one; `console` alone is the process.

`report` with a key needs the APIs alone.
"""


class Commands(TyperGroup):
    """The commands by name; imports the one that is called, and notes whether it needs an installation."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called, in place of the one that has only a name."""
        if args and args[0] in LOCATIONS:
            self.commands[args[0]] = _import(args[0])
        name, command, rest = super().resolve_command(ctx, args)
        shows_help = "--help" in rest or (
            isinstance(command, TyperGroup) and command.no_args_is_help and not rest
        )
        needs_none = args == ["console"] or any(args[: len(it)] == it for it in NEED_NONE)
        ctx.meta[NEEDS_INSTALLATION] = not (shows_help or needs_none)
        ctx.meta[USES_INSTALLATION] = args[:2] in USE_ONE_IF_THERE or args[:1] == ["report"]
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Call the command; Typer repeats pydantic's words about a bad value, here without their prefix."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = fault_text(error.message)
            raise


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Hands qualified leads from marketing to sales, and watches that they are followed up.",
)


@app.callback()
def _root(
    ctx: typer.Context,
    data: Annotated[
        Path,
        typer.Option(
            envvar="LEADBATON_DATA",
            help="Where `leadbaton up` keeps its installation. Commands use that one unless "
            "LEADBATON_DATABASE_URL names another.",
        ),
    ] = Path(".leadbaton"),
) -> None:
    source = ctx.get_parameter_source("data")
    if source is not None and source.name == "COMMANDLINE":
        # `leadbaton --data DIR up` is `leadbaton up --data DIR`
        os.environ["LEADBATON_DATA"] = str(data)
        ctx.default_map = {"demo": {"data": str(data)}}
    if ctx.meta[NEEDS_INSTALLATION] and adopt(data):
        ctx.obj = data
    if ctx.meta[USES_INSTALLATION]:
        with suppress(NoInstallation, InstallationUnreadable):
            adopt(data)


for _name, (_, _help) in COMMANDS.items():
    app.add_typer(typer.Typer(), name=_name, help=_help)
for _name, (_, _help) in SERVICES.items():
    app.add_typer(typer.Typer(), name=_name, help=_help, rich_help_panel="Processes")


def run() -> None:
    """The entry point: an error that an operator can mend is printed as one clear text, without a traceback."""
    for number, argument in enumerate(sys.argv[1:], start=1):
        if unstorable_at(argument) is not None:
            typer.echo(f"leadbaton: argument {number} is no text in UTF-8", err=True)
            raise SystemExit(2)
    for name, value in os.environ.items():
        if name.upper().startswith("LEADBATON_") and unstorable_at(value) is not None:
            typer.echo(f"leadbaton: {name}: this is no text in UTF-8", err=True)
            raise SystemExit(2)
    try:
        app()
    except _errors().OPERATOR_ERRORS as error:
        message = _errors().message_of(error)
        if message is None:
            raise
        typer.echo(f"leadbaton: {message.strip()}", err=True)
        raise SystemExit(1) from None


def _errors() -> Any:
    """The module on errors, imported only after an error: it imports libraries that not every command needs."""
    return import_module("services.cli.errors")


def _import(name: str) -> Any:
    """The command or the group of commands of this name."""
    if name in COMMANDS:
        import_module("shared.process.logs").warn_on_stderr()
    module, _, attribute = LOCATIONS[name][0].partition(":")
    command = getattr(import_module(module), attribute)
    if isinstance(command, typer.Typer):
        return get_group(command)
    app_of_one = typer.Typer(add_completion=False)
    app_of_one.command(name)(command)
    return get_command(app_of_one)
