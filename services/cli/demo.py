"""`leadbaton demo`: everything on this machine, a few weeks of life in a minute, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from threading import Event
from typing import Annotated

import orjson
import typer
from rich.console import Console

from services.cli.database import transaction
from services.cli.installation import Installation, installation
from services.cli.processes import ROUTING_API, SCORING_API, SLA_API
from services.demo.figures import Reader
from services.demo.receiver import PORT, Receiver, serving
from services.demo.scene import Cast, Memory, Scene
from services.demo.show import Show
from services.demo.story import summary
from services.demo.stream import Channel, acts_of
from shared.auth.keys import KeyScope, create_key
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.embedded.postgres import free_port, is_free
from shared.embedded.stack import Stack, usable
from shared.process.lifecycle import stop_on_signals
from shared.terminal import Terminal

DATA = Path(".leadbaton/demo")
EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS_A_PERSON = 0.22
"""300 people take a little more than a minute, a few take a few seconds."""


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the summary.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", dir_okay=False, help="Write the figures there.")
    ] = None,
    data: Annotated[
        Path, typer.Option(help="Everything is kept there; a second start goes on from it.")
    ] = DATA,
    seed: Annotated[int, typer.Option(help="Which people come; each start adds its number.")] = 7,
    people: Annotated[int, typer.Option(min=10, max=100_000, help="How many people come.")] = 300,
) -> None:
    """Start everything, let invented people act and reps answer, show it live; Ctrl-C stops it.

    Everything is real but the people: the servers, the API calls, the signatures, the clocks.
    """
    started_at = utc_now()
    stop, console = stop_on_signals(), Terminal()
    with usable(data):
        memory = Memory.at(data / "demo.json")
    run = token_hex(4)
    acts = acts_of(seed + memory.runs, people, until=started_at, run=run)
    with _stage(data, memory, console, stop) as (scene, receiver):
        if stop.is_set():
            return
        show = Show(scene, receiver, console, utc_now, stop)
        reader = Reader(scene, run=run, started_at=started_at, began_at=utc_now())
        figures = show.play(acts, reader, seconds=people * SECONDS_A_PERSON)
        if json_file is not None:
            json_file.write_bytes(orjson.dumps(figures.as_json(), option=orjson.OPT_INDENT_2))
        if stop.is_set():
            return
        summary(scene, console)
        if not once:
            show.go_on(reader)


@contextmanager
def _stage(
    data: Path, memory: Memory, console: Console, stop: Event
) -> Iterator[tuple[Scene, Receiver]]:
    """The installation with its keys, its agreement, its reps, all processes and the receiver, running."""

    def say(what: str) -> None:
        console.print(f"  {what}", style="dim", highlight=False)

    ports = {it.name: it.port for it in (SCORING_API, ROUTING_API, SLA_API) if it.port}
    ports = {name: port if is_free(port) else free_port() for name, port in ports.items()}
    with installation(Stack(data), ports, say) as here:
        cast = _cast(here, memory)
        say("the agreement is published, the reps are imported")
        here.start(stop=stop)
        scene = _scene(here, memory)
        receiver = Receiver(
            cast.port,
            secrets=cast.secrets(memory.secrets),
            reps=cast.reps(memory.keys),
            routing_url=scene.routing,
        )
        with serving(receiver), here.tended(say):
            say("every process is ready; people arrive")
            yield scene, receiver


def _cast(here: Installation, memory: Memory) -> Cast:
    """Publish the example agreement, import the example reps, and keep the secrets that are shown once."""
    cast = Cast.of(
        (EXAMPLES / "reps.yaml").read_text(), port=PORT if is_free(PORT) else free_port()
    )
    reps = here.stack.data / "reps.yaml"
    reps.write_text(cast.source)
    here.command("agreement", "publish", str(EXAMPLES / "agreement.yaml"))
    memory.secrets |= orjson.loads(here.command("reps", "import", str(reps)) or "{}")
    _give_keys(here, memory, [*cast.habits])
    memory.runs += 1
    memory.keep()
    return cast


def _give_keys(here: Installation, memory: Memory, reps: list[str]) -> None:
    """A key for each source, for each rep, and one for ops, where an earlier start made none."""
    wanted = {
        **{channel.value: KeyScope.INGEST for channel in Channel},
        **dict.fromkeys(reps, KeyScope.REP),
        "ops": KeyScope.OPS,
    }
    with transaction(here.environment["LEADBATON_DATABASE_URL"]) as session:
        for subject in wanted.keys() - memory.keys.keys():
            memory.keys[subject] = create_key(
                session, scope=wanted[subject], subject=subject, now=utc_now()
            )


def _scene(here: Installation, memory: Memory) -> Scene:
    return Scene(
        scoring=here.url(SCORING_API),
        routing=here.url(ROUTING_API),
        sla=here.url(SLA_API),
        keys=memory.keys,
        sessions=sessions_on(engine_for(here.environment["LEADBATON_DATABASE_URL"], pool_size=1)),
    )
