"""Prints what an import of the roster or of accounts changes or has changed, and the loads of the reps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table

from services.cli.output import plain_table
from services.cli.reroutes import number_of_handoffs
from services.routing.api.reps import RepOut
from services.routing.domain.accounts import AccountsDifference
from services.routing.domain.endpoints import host_of
from services.routing.domain.roster import Absence
from services.routing.domain.roster_difference import RosterDifference
from services.routing.handlers.roster_import import Imported
from services.routing.roster_file import RosterFile
from shared.terminal import Terminal

MAX_SHOWN = 200
"""How many changes of reps are shown."""


def lines_of(difference: RosterDifference) -> Iterator[str]:
    """What an import of a file of reps changes, a line a change."""
    if difference.is_empty:
        yield "no difference: the roster is as in the file"
    for text, names in (
        ("new reps", difference.added),
        ("not in the file, become inactive", difference.inactive),
        ("endpoints that are new or get another URL", difference.endpoints),
        ("disabled endpoints that are used again", difference.enabled),
    ):
        if names:
            yield f"{text}: {', '.join(names)}"
    for change in difference.changed[:MAX_SHOWN]:
        yield f"{change.rep}: {change.field} {change.before} -> {change.after}"
    if len(difference.changed) > MAX_SHOWN:
        yield f"and {len(difference.changed) - MAX_SHOWN:,} more changes"
    if difference.accounts is not None and not difference.accounts.is_empty:
        yield from lines_of_accounts(difference.accounts)


def lines_of_accounts(difference: AccountsDifference) -> Iterator[str]:
    """What an import changes of accounts: how many, and the first ones."""
    if difference.is_empty:
        yield "no difference: the accounts are as in the file"
        return
    yield (
        f"accounts: {difference.added:,} new, {difference.changed:,} with another rep, "
        f"{difference.removed:,} removed"
    )
    for change in difference.first:
        yield f"{change.domain}: {change.before or 'nobody'} -> {change.after or 'nobody'}"
    more = difference.added + difference.changed + difference.removed - len(difference.first)
    if more > 0:
        yield f"and {more:,} more"


def load_table(reps: Iterable[RepOut]) -> Table:
    """A row for each rep: what they hold, what they got in this period, and the share beside what is fair."""
    titles = ("Rep", "Team", "Open", "Capacity", "Today", "Got", "Credit", "Fair", "Real", "Lacks")
    table = plain_table(*titles)
    for column in table.columns[2:]:
        column.justify = "right"
    for rep in reps:
        share = rep.share
        table.add_row(
            rep.id,
            rep.team,
            str(rep.holds),
            "" if rep.open_limit is None else str(rep.open_limit),
            "" if rep.today is None else str(rep.today),
            "" if share is None else str(share.assigned),
            "" if share is None else f"{share.credit:.1f}",
            "" if share is None else f"{share.fair:.0%}",
            "" if share is None or share.real is None else f"{share.real:.0%}",
            "" if share is None else f"{share.shortfall:.1f}",
        )
    return table


def print_import(roster: RosterFile, imported: Imported, *, reroute: bool) -> None:
    """Print what the import changed, without secrets, to standard error."""
    terminal = Terminal(stderr=True)
    table = Table("Rep", "Team", "Endpoint", "Secret")
    for rep in roster.reps:
        new = f"rep/{rep.id}" in imported.secrets
        host = "as it is" if rep.endpoint is None else host_of(rep.endpoint.url)
        table.add_row(rep.id, rep.team, host, "new, shown once" if new else "kept")
    terminal.print(table)
    if imported.inactive:
        terminal.print(f"no longer in the file, now inactive: {', '.join(imported.inactive)}")
    if imported.cancelled:
        terminal.print(f"webhooks to inactive reps cancelled: {imported.cancelled}")
    for absent, absence in imported.absences.items():
        terminal.print(
            f"{absent} stays away {end_of(absence)}; to end that: leadbaton reps back {absent}"
        )
    for holder, count in imported.held_by_inactive.items():
        terminal.print(f"{holder} is inactive and still holds {number_of_handoffs(count)}")
    for owner, count in imported.owned_by_inactive.items():
        terminal.print(f"{owner} is inactive and owns accounts: {count}; give them to others")
    if imported.held_by_inactive and not reroute:
        terminal.print("import the same file with --reroute to give these to others")


def end_of(absence: Absence) -> str:
    """Until when a rep is away."""
    if absence.is_open_ended:
        return "until they are back"
    return f"until {absence.until:%Y-%m-%d %H:%M} UTC"
