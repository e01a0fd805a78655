"""`leadbaton leads`: a lead with its scores, its reasons, its handoffs and what is promised about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import typer
from rich.table import Table
from rich.text import Text

from services.cli.breaches import clock_table
from services.cli.database import transaction
from services.cli.handoffs import handoff_table
from services.cli.output import AsJson, instant, plain_table, print_json
from services.cli.people import LeadName, handoffs_of, lead_of
from services.cli.reroutes import By
from services.routing.api.handoffs import HandoffOut
from services.scoring.api.leads import LeadOut, PartOut
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers.reading import visible_lead
from services.scoring.handlers.reopening import reopen_lead
from services.sla_monitor.api.clocks import ClockOut
from services.sla_monitor.queries.acknowledgements import acknowledgements_of
from services.sla_monitor.queries.lists import clocks_of
from shared.agreement.store import Policies
from shared.auth.keys import Caller, KeyScope
from shared.clock import utc_now
from shared.contracts.card_lines import lines_of_answers, lines_of_facts
from shared.contracts.payloads import LeadCard
from shared.process.settings import Settings
from shared.terminal import Terminal

app = typer.Typer(
    no_args_is_help=True, help="Leads: show one with its scores and its handoffs, reopen one."
)

OPERATOR = Caller(key_id="", scope=KeyScope.OPS, subject="leadbaton")
"""The caller of handlers that are made for the APIs: a command sees what an ops key sees."""


@app.command()
def show(name: LeadName, as_json: AsJson = False) -> None:
    """Show a lead: its stage, its card, its scores with reasons, its handoffs and their promises. Times are in UTC."""
    now = utc_now()
    with transaction(Settings().database_url) as session:
        lead_id = lead_of(session, name)
        visible = visible_lead(
            session, lead_id, OPERATOR, policies=Policies(ScoringPolicy), now=now, description=name
        )
        lead = LeadOut.of(visible, now)
        handoffs = handoffs_of(session, lead_id)
        clocks = clocks_of(session, [it.id for it in handoffs])
        acknowledgements = acknowledgements_of(session, [it.id for it in clocks])
    if as_json:
        handoffs_out = [HandoffOut.of(it) for it in handoffs]
        clocks_out = [ClockOut.of(it, now, acknowledgements.get(it.id)) for it in clocks]
        print_json({"lead": lead, "handoffs": handoffs_out, "clocks": clocks_out})
        return
    terminal = Terminal()
    terminal.print(_head(lead, now))
    for title, table in (
        ("Card", _card_table(lead.lead_card)),
        ("Fit", _parts(lead.fit_reasons)),
        ("Engagement", _parts(lead.engagement_reasons)),
        ("Stages", _stages(lead)),
        ("Handoffs", handoff_table(handoffs, now)),
        ("Promises", clock_table([(it, None) for it in clocks], now, acknowledgements)),
    ):
        if table.row_count:
            terminal.print(Text(f"\n{title}", "bold"))
            terminal.print(table)


@app.command()
def reopen(name: LeadName, by: By = "operator") -> None:
    """Let a lead qualify again that a rep has disqualified; at once, if it has raised its hand meanwhile."""
    now, policies = utc_now(), Policies(ScoringPolicy)
    with transaction(Settings().database_url) as session:
        lead_id = lead_of(session, name)
        reopen_lead(session, lead_id, actor=f"ops/{by}", policies=policies, now=now)
        visible = visible_lead(
            session, lead_id, OPERATOR, policies=policies, now=now, description=name
        )
    typer.echo(f"{name} may qualify; its stage is {visible.lead.stage}")


def _head(lead: LeadOut, now: datetime) -> Table:
    """The lead's name, stage and scores."""
    names = [lead.email or "an anonymous visitor", *(it for it in (lead.account,) if it)]
    facts = {
        "Lead": ", ".join(names),
        "Stage": f"{lead.stage} since {instant(lead.steps[-1].at if lead.steps else lead.since)}",
        "Scores": f"{lead.grade}: fit {lead.fit:.0f}, engagement {lead.engagement:.0f} at {instant(now)}",
        "Held back by": lead.blocker,
        "Traits": ", ".join(f"{name} {value}" for name, value in lead.traits.items()),
        "Identifiers": ", ".join(lead.identities),
        "Agreement": f"version {lead.agreement_version}",
        "Id": str(lead.id),
    }
    table = plain_table("", "")
    table.show_header = False
    for title, fact in facts.items():
        if fact:
            table.add_row(title, fact)
    return table


def _card_table(lead_card: LeadCard) -> Table:
    """What a rep would read: the person's own words first."""
    table = plain_table("Card", "", unbroken=["Card"])
    table.show_header = False
    for line in (*lines_of_answers(lead_card), *lines_of_facts(lead_card)):
        table.add_row(*line)
    return table


def _parts(parts: Sequence[PartOut]) -> Table:
    """The points of each rule, most first."""
    table = plain_table("Points", "Rule", "Label")
    table.columns[0].justify = "right"
    for part in sorted(parts, key=lambda it: -abs(it.points)):
        table.add_row(f"{part.points:+.1f}", part.rule, part.label)
    return table


def _stages(lead: LeadOut) -> Table:
    table = plain_table("At", "Stage", "Cause", unbroken=["At"])
    for step in lead.steps:
        table.add_row(instant(step.at), step.stage, step.cause)
    return table
