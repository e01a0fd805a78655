"""How fast one worker judges all leads again after a change of the qualification, beside bare updates of the rows."""

from __future__ import annotations

import time
from typing import Annotated

import psycopg
import typer

from benchmarks.installed import EXAMPLES, publish_example
from benchmarks.machine import DATABASE, does, postgres, print_figures, print_machine
from benchmarks.people import populate
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers.review import MAX_JUDGED, review_leads
from shared.agreement.store import Policies, publish
from shared.clock import utc_now
from shared.db.session import Sessions, engine_for, sessions_on

LEADS_PER_S = 2_000
UPDATE = """
    update scoring.leads set version = -1 where id in (
        select id from scoring.leads where version = 1 and merged_into is null
        limit %s for update skip locked
    )
"""


def floor_s(url: str) -> float:
    """Write another version to every row, as many at once as the worker takes, then put the first one back."""
    with psycopg.connect(url, autocommit=True) as database:
        began_s = time.monotonic()
        while database.execute(UPDATE, (MAX_JUDGED,)).rowcount:
            pass
        took_s = time.monotonic() - began_s
        database.execute("update scoring.leads set version = 1")
        database.execute("vacuum analyze scoring.leads")
    return took_s


def judging_s(sessions: Sessions) -> float:
    """Publish another qualification and review until no lead is left."""
    source = (EXAMPLES / "agreement.yaml").read_text()
    changed = source.replace("rearm_below: 20", "rearm_below: 19")
    policies = Policies(ScoringPolicy)
    with sessions.begin() as session:
        publish(session, changed, by="benchmark", now=utc_now())
    began_s, has_more = time.monotonic(), True
    while has_more:
        with sessions.begin() as session:
            has_more = review_leads(session, utc_now(), policies=policies)
    return time.monotonic() - began_s


def main(
    people: Annotated[int, typer.Option(help="How many people are known.")] = 100_000,
) -> None:
    """Measure, print, and exit with 1 if a line is not held."""
    print_machine()
    with postgres() as server:
        publish_example(server)
        engine = engine_for(server.url(DATABASE))
        sessions = sessions_on(engine)
        populate(sessions, people)
        floor_per_s = people / floor_s(server.url(DATABASE))
        per_s = people / judging_s(sessions)
        engine.dispose()
    figure = does(
        f"{people:,} leads after a change of the qualification",
        per_s,
        unit=" leads/s",
        at_least=LEADS_PER_S,
        floor=floor_per_s,
    )
    raise typer.Exit(print_figures("Scoring: leads judged again by one worker", [figure]))


if __name__ == "__main__":
    typer.run(main)
