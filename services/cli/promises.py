"""`leadbaton promises`: what marketing and sales promised each other, and how each promise stands."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from services.alignment.api.parties import PartiesOut, PartyOut
from services.alignment.api.promises import (
    GoalOut,
    PromiseOut,
    PromiseParameters,
    PromisesOut,
    promises_to_date,
)
from services.alignment.domain.measures import SECONDS, SHARE
from services.alignment.domain.policy import AlignmentPolicy
from services.cli.database import transaction
from services.cli.output import AsJson, plain_table, print_json
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.process.settings import Settings
from shared.terminal import Terminal

Period = Annotated[
    str | None,
    typer.Option(
        help="A week, month or quarter, such as 2026-W47, 2026-11 or 2026-Q4; by default this week, or this month "
        "where the agreement is reviewed monthly."
    ),
]


def promises(*, period: Period = None, as_json: AsJson = False) -> None:
    """What marketing and sales promised each other, and how each promise stands: to date, or at the end of a period."""
    parameters = PromiseParameters.model_construct(
        period=period
    )  # a bad one is refused in plain words
    with transaction(Settings().database_url) as session:
        report = promises_to_date(session, Policies(AlignmentPolicy), parameters, utc_now())
    if as_json:
        print_json(report)
    elif report.agreement_version is None:
        Terminal().print("No agreement was in force then; run: leadbaton agreement publish FILE")
    elif not report.items:
        Terminal().print(
            f"Version {report.agreement_version} of the agreement has no promises; write its section `promises`."
        )
    else:
        _print(report)


def _print(report: PromisesOut) -> None:
    terminal = Terminal()
    terminal.print(
        f"{report.since} to {report.until} (UTC), agreement version {report.agreement_version}"
    )
    if report.parties is not None:
        terminal.print(parties_line(report.parties))
    terminal.print(promise_table(report))
    for promise in report.items:
        if promise.verdict == "unknown" or promise.value_at_least is not None:
            terminal.print(f"{promise.id}: {promise.why}", soft_wrap=True)
        if promise.cannot_reach is not None:
            terminal.print(f"{promise.id}: {promise.cannot_reach}")
    if report.goal is not None:
        terminal.print(goal_line(report.goal))


def parties_line(parties: PartiesOut) -> str:
    """Who agreed, and until when, as a sentence."""
    sides = {"marketing": parties.marketing, "sales": parties.sales}
    signatures = [
        f"{side}: nobody is named"
        if party is None
        else f"{side}: {party.owner}, {_signature(party)}"
        for side, party in sides.items()
    ]
    until = parties.effective_until
    return "; ".join(signatures) + (f". It holds until {until}." if until else ".")


def _signature(party: PartyOut) -> str:
    return f"signed on {party.signed_on}" if party.signed_on else "not signed"


def promise_table(report: PromisesOut) -> Table:
    """A row for each promise."""
    titles = ("Side", "Promise", "Measure", "Promised", "Due by now", "Counted", "n", "Verdict")
    table = plain_table(*titles, unbroken=["Promised", "Due by now", "Counted", "Verdict"])
    for promise in report.items:
        bound = "at most" if promise.is_at_most else "at least"
        per = f" per {promise.per}" if promise.per else ""
        table.add_row(
            promise.side,
            promise.id,
            " ".join(
                filter(
                    None,
                    (promise.measure, promise.detail, promise.where and f"where {promise.where}"),
                )
            ),
            f"{bound} {value_text(promise.target, promise.unit)}{per}",
            value_text(promise.due, promise.unit) if promise.due != promise.target else "",
            counted_text(promise),
            str(promise.n),
            verdict_text(promise),
        )
    return table


def counted_text(promise: PromiseOut) -> str:
    """What was counted, or what the value is at the least."""
    if promise.value is not None:
        return value_text(promise.value, promise.unit)
    least = promise.value_at_least
    return "" if least is None else f"at least {value_text(least, promise.unit)}"


def verdict_text(promise: PromiseOut) -> str:
    """The verdict in words. Why something is not known stands below the table, as it may be long."""
    is_few = promise.verdict == "too_few" and promise.why is not None
    return str(promise.why) if is_few else promise.verdict.replace("_", " ")


def value_text(value: float, unit: str) -> str:
    """A value in its unit, for people to read."""
    if unit == SHARE:
        return f"{100 * value:.1f} %"
    if unit == SECONDS:
        return f"{value:,.0f} s"
    return f"{value:,.2f} {unit}" if value % 1 else f"{value:,.0f} {unit}"


def goal_line(goal: GoalOut) -> str:
    """The goal by the quota as a sentence."""
    revenue = f"Marketing's part of the quota per {goal.per}: {goal.revenue:,.0f} {goal.currency}"
    if goal.average_deal is None or goal.customers is None or goal.leads_needed is None:
        return f"{revenue}. How many leads that takes is not known: none qualified, or `money.value` is empty."
    return (
        f"{revenue} ÷ {goal.average_deal:,.0f} average deal = {goal.customers:,.1f} customers; "
        f"÷ {100 * (goal.close_rate or 0):.1f} % close rate = {goal.leads_needed:,.0f} qualified leads."
    )
