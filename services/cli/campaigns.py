"""`leadbaton campaigns`: what campaigns cost, what they brought, and what became of their leads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from services.alignment.api.campaigns import CampaignOut, CampaignsOut, campaigns_report
from services.alignment.api.outcomes import outcome_of
from services.alignment.api.parameters import PeriodParameters
from services.alignment.api.spend import SpendOut
from services.alignment.domain.facts import MAX_NAME
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.spend import Spend
from services.alignment.handlers.spend import record_spend
from services.alignment.queries.spend import list_spend
from services.alignment.spend_csv import OPTIONAL, REQUIRED, spend_rows
from services.cli.database import transaction
from services.cli.output import AsJson, Limit, instant, plain_table, print_json
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.documents import CsvFile
from shared.documents.csv_file import MAX_BYTES
from shared.process.settings import Settings
from shared.terminal import Terminal

MAX_SHOWN = 20
"""How many of the amounts that an import adds are shown."""

Period = Annotated[
    str | None,
    typer.Option(
        "--period",
        help="2026-W47, 2026-11 or 2026-Q4; without it: the last 30 days. Days are those of UTC.",
    ),
]


def campaign_name(text: str) -> str:
    """The name of a campaign; raises BadParameter for one that no report has."""
    if not 1 <= len(text) <= MAX_NAME:
        hint = f"write 1 to {MAX_NAME}; of a longer name, reports have the first {MAX_NAME}"
        raise typer.BadParameter(f"{len(text)} characters; {hint}")
    return text


app = typer.Typer(help="What campaigns cost, and what they brought.", no_args_is_help=True)


@app.command("list")
def list_(*, period: Period = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """What each campaign cost in a period and what it brought, the most expensive first."""
    with transaction(Settings().database_url) as session:
        report = _report(session, period, limit)
    if as_json:
        print_json(report)
        return
    table = plain_table(
        *("Campaign", "Qualified", "Accepted", "Rejected", "Won", "Credited", "Spend"),
        *("A lead", "A win", "ROI"),
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in report.items:
        table.add_row(row.campaign or "(unknown)", *_cells(row))
    table.add_row("all", *_cells(report.total))
    terminal = Terminal()
    terminal.print(table)
    for line in _notes(report):
        terminal.print(line)


@app.command()
def outcomes(
    campaign: Annotated[
        str,
        typer.Argument(
            parser=campaign_name, metavar="CAMPAIGN", help="The campaign, as events name it."
        ),
    ],
    *,
    period: Period = None,
    as_json: AsJson = False,
) -> None:
    """What became of a campaign's leads in a period."""
    with transaction(Settings().database_url) as session:
        outcome = outcome_of(session, campaign, PeriodParameters(period=period), utc_now())
    if as_json:
        print_json(outcome)
        return
    table = plain_table("", "")
    for name in ("qualified", "accepted", "rejected", "contacted", "won"):
        table.add_row(name, str(getattr(outcome, name)))
    for rejections in outcome.rejections:
        table.add_row(f"rejected: {rejections.reason or 'no reason'}", str(rejections.count))
    for amount in outcome.revenue:
        table.add_row("revenue", str(amount))
    if outcome.wins_without_amount:
        table.add_row("wins without an amount", str(outcome.wins_without_amount))
    Terminal().print(table)


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="A CSV with the columns `campaign`, `period`, `amount`, `currency`, and `version` if there is one.",
        ),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would add, and add nothing.")
    ] = False,
) -> None:
    """Add what campaigns cost. What is kept already stays, and is not added again.

    The file may be as Excel saves it: UTF-8, UTF-16 or Windows-1252, with commas, semicolons or tabs.
    """
    with file.open("rb") as opened:
        table = CsvFile(
            opened.read(MAX_BYTES + 1), name=str(file), required=REQUIRED, optional=OPTIONAL
        )
    rows = list(spend_rows(table))
    table.raise_faults()
    with transaction(Settings().database_url) as session:
        entries = [it.entry for it in rows]
        recorded = record_spend(session, entries, now=utc_now(), dry_run=dry_run)
    for index, refusal in recorded.refusals.items():
        table.add_fault(rows[index].line, refusal.cause.value, refusal.message)
    table.raise_faults()
    _print_added(recorded.added, rows=len(rows))
    if dry_run and recorded.added:
        typer.echo("nothing was changed; without --dry-run it takes effect")


@app.command()
def spend(
    campaign: Annotated[
        str | None,
        typer.Argument(
            parser=campaign_name,
            metavar="[CAMPAIGN]",
            help="The campaign; without it: all campaigns.",
        ),
    ] = None,
    *,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what campaigns cost in all versions, the latest period and its latest version first."""
    with transaction(Settings().database_url) as session:
        recorded = list_spend(session, campaign=campaign, after=None, limit=limit)
    versions = [SpendOut.of(it) for it in recorded]
    if as_json:
        print_json(versions)
        return
    table = plain_table("Campaign", "Period", "Version", "Amount", "Counts", "Recorded")
    table.columns[3].justify = "right"
    for version in versions:
        table.add_row(
            version.campaign,
            version.period,
            str(version.version),
            "unknown" if version.amount is None else f"{version.amount:,.2f} {version.currency}",
            "yes" if version.counts else "",
            instant(version.recorded_at),
        )
    Terminal().print(table if versions else "Nothing is known of what campaigns cost.")


def _print_added(added: Sequence[Spend], *, rows: int) -> None:
    terminal = Terminal()
    terminal.print(f"{len(added):,} of {rows:,} rows are new", soft_wrap=True)
    for version in added[:MAX_SHOWN]:
        if version.amount is not None:
            amount = f"{version.amount.cents / 100:,.2f} {version.amount.currency}"
            cost = f"{version.campaign}: {version.period} cost {amount} (version {version.version})"
            terminal.print(cost, soft_wrap=True)
    if len(added) > MAX_SHOWN:
        terminal.print(f"and {len(added) - MAX_SHOWN:,} more")


def _report(session: Session, period: str | None, limit: int) -> CampaignsOut:
    policy = Policies(AlignmentPolicy).find_current(session)
    parameters = PeriodParameters(period=period)
    return campaigns_report(session, parameters, policy, now=utc_now(), limit=limit)


def _cells(row: CampaignOut) -> list[str]:
    return [
        *map(str, (row.qualified, row.accepted, row.rejected, row.won)),
        " + ".join([*_amount(row.attributed), *map(str, row.attributed_apart)]) or "0.00",
        " + ".join([*_amount(row.spend), *map(str, row.spend_apart)]) or "unknown",
        *("".join(_amount(it)) for it in (row.cost_per_qualified, row.cost_per_win)),
        "" if row.roi is None else f"{row.roi:.0%}",
    ]


def _amount(amount: float | None) -> list[str]:
    return [] if amount is None else [f"{amount:,.2f}"]


def _notes(report: CampaignsOut) -> list[str]:
    """What a reader must know of the table."""
    currency = report.currency or "no currency: the agreement has no section money"
    notes = [f"{report.since} to {report.until} (UTC), in {currency}; credited by {report.model}"]
    if report.lifetime_value is not None:
        notes.append(f"lifetime value of a customer: {report.lifetime_value:,.2f}")
    if report.total.cac is not None:
        notes.append(f"a customer cost {report.total.cac:,.2f}")
    if any(it.spend_prorated for it in report.items):
        notes.append(
            f"costs of periods that are only in part here are divided by days, until {report.spend_until}"
        )
    if report.campaigns > len(report.items):
        notes.append(f"{report.campaigns - len(report.items):,} more campaigns: --limit")
    return notes
