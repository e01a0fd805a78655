"""`leadbaton sla apply` and `sla end`: running clocks count by the agreement in force, after a look."""

from __future__ import annotations

from collections import Counter
from threading import Event
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import Progress
from rich.table import Table

from services.cli.database import transaction
from services.cli.output import AsJson, instant, plain_table, print_json
from services.sla_monitor.api.applications import MAX_LOOKED_AT, ApplicationOut, PreviewOut
from services.sla_monitor.domain.applications import (
    Application,
    ApplicationState,
    ClockEffect,
    Effect,
    examples_of,
)
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.applications import (
    Preview,
    advance_application,
    find_application,
    preview_application,
    start_application,
)
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.process import logs
from shared.process.settings import Settings
from shared.terminal import Terminal

ID_DIGITS = 8
WAIT_FOR_SWEEPS_S = 0.1
"""The pause after a look that left everything to the sweeps, which have it locked."""

WORDS = {
    Effect.EARLIER: "due earlier",
    Effect.LATER: "due later",
    Effect.UNCHANGED: "due when they were",
    Effect.BREACHED: "breached at once: their new target has passed",
    Effect.MET: "met: the new version asks for less, which has happened",
    Effect.CANCELLED: "cancelled: their policy has ended",
    Effect.KEPT: "kept as they are: overdue, or without their team in the new version",
}

By = Annotated[str, typer.Option(envvar="USER", help="Who applies it; kept with the application.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would change; nothing does.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")]


def apply(
    *, dry_run: DryRun = False, yes: Yes = False, by: By = "operator", as_json: AsJson = False
) -> None:
    """Let running clocks count by the agreement in force from now on, after a look at what that changes.

    Sweeps go on with it where this command is stopped.
    """
    _run(None, dry_run=dry_run, yes=yes, by=by, as_json=as_json)


def end(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="The id of the policy.")],
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = "operator",
    as_json: AsJson = False,
) -> None:
    """Cancel the running clocks of a policy that the agreement in force does not have any more."""
    _run(policy, dry_run=dry_run, yes=yes, by=by, as_json=as_json)


def _run(policy: str | None, *, dry_run: bool, yes: bool, by: str, as_json: bool) -> None:
    if as_json and not (dry_run or yes):
        raise typer.BadParameter("--json does not ask: name --dry-run or --yes too")
    logs.warn_on_stderr()
    policies = Policies(SlaPolicy)
    preview = _preview(policies, policy)
    if not as_json:
        _print_preview(preview)
    elif dry_run:
        print_json(PreviewOut.of(preview, policy))
    if dry_run or (not preview.effects.total() and not as_json):
        return
    if yes or typer.confirm("Go on?"):
        applied = _carry_out(policies, preview.version, policy, by)
        if as_json:
            print_json(ApplicationOut.of(applied))
        else:
            _print_end(applied)


def _preview(policies: Policies[SlaPolicy], policy: str | None) -> Preview:
    """What would become of all open clocks that the version concerns, read some handoffs at a time."""
    effects: Counter[Effect] = Counter()
    examples: list[ClockEffect] = []
    handoffs, after, now = 0, None, utc_now()
    while True:
        with transaction(Settings().database_url) as session:
            page = preview_application(
                session, policies, now=now, policy=policy, after=after, limit=MAX_LOOKED_AT
            )
        handoffs += page.handoffs
        effects += page.effects
        examples = examples_of([*examples, *page.examples])
        after = page.next
        if after is None:
            return Preview(page.version, handoffs, effects, examples, None)


def _carry_out(
    policies: Policies[SlaPolicy], version: int, policy: str | None, by: str
) -> Application:
    """Begin the application and carry it out, together with the sweeps; returns it as it ended."""
    settings, pause = Settings(), Event()
    with transaction(settings.database_url) as session:
        started = start_application(
            session, policies, version, policy=policy, actor=f"ops/{by}", now=utc_now()
        )
    with Progress(console=Terminal(stderr=True), transient=True) as bar:
        task = bar.add_task("applying", total=None)
        while True:
            with transaction(settings.database_url) as session:
                advanced = advance_application(session, policies, time_source=utc_now)
                application = find_application(session, started.id)
            bar.update(task, description=f"applying: {application.handoffs} handoffs")
            if application.state is not ApplicationState.RUNNING:
                return application
            if not advanced:
                pause.wait(WAIT_FOR_SWEEPS_S)


def _print_preview(preview: Preview) -> None:
    terminal = Terminal()
    count = preview.effects.total()
    if not count:
        terminal.print(
            f"No running clock counts by an older version than {preview.version} that this would change."
        )
        return
    terminal.print(_table(preview.examples))
    terminal.print(
        f"\nUnder version {preview.version}, of {count} running clocks on {preview.handoffs} handoffs:",
        soft_wrap=True,
    )
    for effect in Effect:
        if preview.effects[effect]:
            terminal.print(f"{preview.effects[effect]:>8}  {WORDS[effect]}", soft_wrap=True)


def _print_end(application: Application) -> None:
    terminal = Terminal()
    if application.state is ApplicationState.REPLACED:
        terminal.print("a newer application goes on in place of this one")
    parts = [f"{count} {effect.value}" for effect, count in application.effects.items() if count]
    terminal.print(
        f"version {application.version} applied to {application.handoffs} handoffs; clocks: "
        f"{', '.join(parts) or 'none'}",
        soft_wrap=True,
    )


def _table(examples: list[ClockEffect]) -> Table:
    titles = ("Effect", "Lead", "Policy", "Rep", "Due", "Would be due", "Clock")
    table = plain_table(*titles, unbroken=["Due", "Would be due", "Clock"])
    for effect, before, after in sorted(examples, key=lambda it: list(Effect).index(it.effect)):
        is_over = effect in {Effect.CANCELLED, Effect.MET}
        table.add_row(
            effect.value,
            before.lead_name or "",
            before.policy,
            before.rep or "",
            instant(before.due_at),
            "" if is_over else instant(after.due_at),
            short_id(before.id),
        )
    return table


def short_id(id: UUID) -> str:
    """The first digits of an id."""
    return id.hex[:ID_DIGITS]
