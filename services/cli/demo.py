"""`leadbaton demo`: an installation on this machine with weeks of invented visits in a minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from secrets import token_hex
from threading import Event
from typing import Annotated

import orjson
import typer
from rich.console import Console

from services.alignment.handlers.daily import announce_day
from services.cli.database import transaction
from services.cli.installation import Installation, installation
from services.cli.processes import (
    ALIGNMENT_API,
    CONSOLE,
    PROCESSES,
    ROUTING_API,
    SCORING_API,
    SLA_API,
)
from services.demo.activities import Channel, activities_of
from services.demo.campaigns import print_outcomes
from services.demo.figures import Reader
from services.demo.lead_history import print_lead, where_to_look
from services.demo.receiver import PORT, Receiver, serving
from services.demo.run import DemoRun
from services.demo.setup import Access, DemoReps, DemoState
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import free_port, is_free, reserve_port
from shared.embedded.stack import Stack, explain_disk_errors
from shared.process.lifecycle import stop_on_signals
from shared.terminal import Terminal

DATA = Path(".leadbaton/demo")
EXAMPLES = Path(__file__).parents[2] / "examples"
ENDED = (
    "Everything has stopped, so the links above are closed: without --once it runs on until Ctrl-C."
)
SECONDS_A_PERSON = 0.22
"""300 people take a little more than a minute."""


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the summary.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", dir_okay=False, help="Write the figures there.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Where it is kept; a start goes on from it.")] = DATA,
    seed: Annotated[int, typer.Option(help="Of what is invented; each start adds its number.")] = 7,
    people: Annotated[int, typer.Option(min=10, max=100_000, help="How many are invented.")] = 300,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Use none of the usual ports.")
    ] = False,
) -> None:
    """Start everything, let invented people act and reps answer, show it live; Ctrl-C stops it.

    Only the people are invented: servers, API calls, signatures and clocks are real.
    """
    started_at = utc_now()
    stop, console = stop_on_signals(), Terminal()
    with explain_disk_errors(data):
        state = DemoState.at(data / "demo.json")
    run = token_hex(4)
    activities = activities_of(seed + state.runs, people, until=started_at, run=run)
    ports = {} if free_ports else _usual_ports()
    with _running_demo(data, ports, state, console, stop) as (running, access, receiver):
        if stop.is_set():
            return
        demo_run = DemoRun(access, receiver, console, utc_now, stop)
        reader = Reader(access, run=run, started_at=started_at, began_at=utc_now())
        figures = demo_run.run(activities, reader, seconds=people * SECONDS_A_PERSON)
        if json_file is not None:
            json_file.write_bytes(orjson.dumps(figures.as_json(), option=orjson.OPT_INDENT_2))
        if not stop.is_set():
            _sum_up(access, receiver, console)
            if not once:
                demo_run.print_figures(reader)
        _write_report(running, data / "report.html", console)
    if once:
        console.print(ENDED, soft_wrap=True)


@contextmanager
def _running_demo(
    data: Path, ports: Mapping[str, int], state: DemoState, console: Console, stop: Event
) -> Iterator[tuple[Installation, Access, Receiver]]:
    """The running installation, with agreement, reps, keys and all processes, and the receiver of its webhooks."""

    def report(message: str) -> None:
        console.print(f"  {message}", style="dim", highlight=False)

    with installation(Stack(data), ports, report) as running:
        demo_reps = _set_up_reps(running, state)
        report("the agreement is published, the reps are imported")
        running.start(stop=stop)
        access = _access(running, state)
        receiver = Receiver(
            demo_reps.port,
            secrets=demo_reps.secrets(state.secrets),
            reps=demo_reps.reps(state.keys),
            routing_url=access.routing,
        )
        with serving(receiver), running.keep_running(report):
            report("every process is ready; people arrive")
            console.print(f"  Watch it in a browser: {access.console_link()}", soft_wrap=True)
            yield running, access, receiver


def _usual_ports() -> dict[str, int]:
    """The usual port of each API, or a free one where that is taken."""
    return {it.name: it.port if is_free(it.port) else free_port() for it in PROCESSES if it.port}


def _sum_up(access: Access, receiver: Receiver, console: Console) -> None:
    """Print the history of one lead, what marketing is told, where to look further, and how a rep answers."""
    history = print_lead(access, console)
    _tell_marketing(access, receiver, console)
    where_to_look(access, history, console)
    console.print()
    console.print(receiver.answer_hint(), soft_wrap=True)


def _tell_marketing(access: Access, receiver: Receiver, console: Console) -> None:
    """Announce the outcomes of today's campaigns at once, and print what marketing has received.

    Otherwise they are announced an hour after midnight.
    """
    now, before = utc_now(), len(receiver.outcomes)
    with access.sessions.begin() as session:
        announced = announce_day(session, now.astimezone(UTC).date(), now)
    if announced is not None:
        receiver.wait_for_outcomes(before + announced)
    print_outcomes(receiver.outcomes, console)


def _write_report(running: Installation, file: Path, console: Console) -> None:
    """Write what both sides did as one HTML file, and say where it is."""
    running.command("report", "--html", str(file.absolute()), quiet=True)
    console.print(f"The report of marketing and sales, for your browser: {file}", soft_wrap=True)


def _set_up_reps(running: Installation, state: DemoState) -> DemoReps:
    """Publish the example agreement, import the example reps, and keep the secrets that are shown once."""
    demo_reps = DemoReps.of(
        (EXAMPLES / "reps.yaml").read_text(), port=PORT if reserve_port(PORT) else free_port()
    )
    reps = running.stack.data / "reps.yaml"
    reps.write_text(demo_reps.source)
    running.command("agreement", "publish", str(EXAMPLES / "agreement.yaml"))
    state.secrets |= orjson.loads(running.command("reps", "import", str(reps), quiet=True) or "{}")
    _create_keys(running, state, [*demo_reps.habits])
    state.runs += 1
    state.keep()
    return demo_reps


def _create_keys(running: Installation, state: DemoState, reps: list[str]) -> None:
    """Create a key for each source, for each rep, and one for ops, where an earlier start made none."""
    scopes = {
        **{channel.value: KeyScope.INGEST for channel in Channel},
        **dict.fromkeys(reps, KeyScope.REP),
        "ops": KeyScope.OPS,
    }
    with transaction(running.environment["LEADBATON_DATABASE_URL"]) as session:
        for subject in scopes.keys() - state.keys.keys():
            state.keys[subject] = create_key(
                session, scope=scopes[subject], subject=subject, now=utc_now()
            )


def _access(running: Installation, state: DemoState) -> Access:
    return Access(
        scoring=running.url(SCORING_API),
        routing=running.url(ROUTING_API),
        sla=running.url(SLA_API),
        alignment=running.url(ALIGNMENT_API),
        keys=state.keys,
        sessions=sessions_on(
            engine_for(running.environment["LEADBATON_DATABASE_URL"], pool_size=1)
        ),
        console=running.url(CONSOLE),
    )
