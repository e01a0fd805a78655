"""`leadbaton handoffs accept`, `contact`, `pause`, `reassign` and so on: what ops answer for a rep, and command."""

from __future__ import annotations

from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from services.cli.database import transaction
from services.cli.output import instant
from services.cli.people import HandoffName, handoff_of
from services.cli.reroutes import By
from services.routing.api.answers import AnswerIn, ContactIn, LoseIn, PauseIn, RejectIn, WinIn
from services.routing.api.reassignments import ReassignIn
from services.routing.domain.answers import Actor, Answer, state_text
from services.routing.domain.handoff import Handoff
from services.routing.handlers import Assigner, on_answer, on_reassignment
from services.routing.queries.handoffs import handoffs_by_id
from shared.clock import utc_now
from shared.contracts.payloads import Change
from shared.process.settings import Settings

M = TypeVar("M", bound=BaseModel)

At = Annotated[
    str | None,
    typer.Option("--at", metavar="DATE", help="When it happened: a date or an instant; now."),
]
Note = Annotated[
    str | None, typer.Option(metavar="TEXT", help="For ops and later reps; not published.")
]
Reason = Annotated[str, typer.Option(metavar="ID", help="A reason that the agreement lists.")]


def accept(name: HandoffName, *, at: At = None, note: Note = None, by: By = "operator") -> None:
    """Accept a handoff for its rep."""
    _take(name, Change.ACCEPTED, AnswerIn, by, occurred_at=at, note=note)


def reject(
    name: HandoffName, *, reason: Reason, at: At = None, note: Note = None, by: By = "operator"
) -> None:
    """Hand a lead back for its rep: to another rep, to marketing, or for good, as the reason says."""
    _take(name, Change.REJECTED, RejectIn, by, reason=reason, occurred_at=at, note=note)


def contact(
    name: HandoffName,
    *,
    channel: Annotated[str, typer.Option(metavar="ID", help="Such as phone or email.")],
    outcome: Annotated[str, typer.Option(metavar="ID", help="An outcome of the agreement.")],
    at: At = None,
    note: Note = None,
    by: By = "operator",
) -> None:
    """Report that the rep contacted the lead, or tried to."""
    fields = {"channel": channel, "outcome": outcome, "occurred_at": at, "note": note}
    _take(name, Change.CONTACTED, ContactIn, by, **fields)


def pause(
    name: HandoffName, *, reason: Reason, at: At = None, note: Note = None, by: By = "operator"
) -> None:
    """Pause the promises that the reason names, until `resume` or the reason's longest time. Clocks stop meanwhile."""
    _take(name, Change.PAUSED, PauseIn, by, reason=reason, occurred_at=at, note=note)


def resume(name: HandoffName, *, at: At = None, note: Note = None, by: By = "operator") -> None:
    """End the pause of a handoff."""
    _take(name, Change.RESUMED, AnswerIn, by, occurred_at=at, note=note)


def win(
    name: HandoffName,
    *,
    amount: Annotated[str | None, typer.Option(help="What the lead is worth.")] = None,
    currency: Annotated[str | None, typer.Option(help="Of the amount, such as EUR.")] = None,
    at: At = None,
    note: Note = None,
    by: By = "operator",
) -> None:
    """Close a handoff as won."""
    fields = {"amount": amount, "currency": currency, "occurred_at": at, "note": note}
    _take(name, Change.WON, WinIn, by, **fields)


def lose(
    name: HandoffName, *, reason: Reason, at: At = None, note: Note = None, by: By = "operator"
) -> None:
    """Close a handoff as lost."""
    _take(name, Change.LOST, LoseIn, by, reason=reason, occurred_at=at, note=note)


def reassign(
    name: HandoffName,
    *,
    to: Annotated[
        str | None,
        typer.Option(metavar="REP", help="Who shall get it; without it, whom the rules choose."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Beyond capacity and outside working hours; needs a reason."),
    ] = False,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; published with the change.")
    ] = None,
    by: By = "operator",
) -> None:
    """Take a handoff from its rep, and assign it to another. It does not count as a rejection."""
    settings, now = Settings(), utc_now()
    with transaction(settings.database_url) as session:
        before = handoff_of(session, name)
        command = _checked(
            ReassignIn, hop=before.hop, to=to, force=force or None, reason=reason
        ).command(Actor("ops", by))
        assigner = Assigner(settings.public_url)
        on_reassignment(session, before.id, command, hop=before.hop, assigner=assigner, now=now)
        after = handoffs_by_id(session, [before.id])[before.id]
    _report(after)


COMMANDS = (accept, reject, contact, pause, resume, win, lose, reassign)


def _take(name: str, change: Change, model: type[AnswerIn], by: str, **fields: str | None) -> None:
    """Take the answer for the rep who holds the handoff now."""
    settings, now = Settings(), utc_now()
    body = _checked(model, **fields)
    with transaction(settings.database_url) as session:
        before = handoff_of(session, name)
        answer = Answer(change, body.occurred_at, before.hop or None, body.details())
        actor, assigner = Actor("ops", by), Assigner(settings.public_url)
        on_answer(session, before.id, answer, actor=actor, assigner=assigner, now=now)
        after = handoffs_by_id(session, [before.id])[before.id]
    _report(after)


def _checked(model: type[M], **fields: object) -> M:
    """The options as the API takes them; those that it refuses are refused here too."""
    options = {name: value for name, value in fields.items() if value is not None}
    try:
        return model.model_validate(options)
    except ValidationError as invalid:
        faults = "; ".join(
            f"{'.'.join(map(str, it['loc'])) or 'the options'}: {it['msg']}"
            for it in invalid.errors(include_url=False)
        )
        raise typer.BadParameter(faults) from None


def _report(handoff: Handoff) -> None:
    lead = handoff.lead.context.email or handoff.lead.context.phone or str(handoff.id)
    pause_text = ""
    if handoff.paused_until is not None:
        pause_text = f", paused until {instant(handoff.paused_until)} UTC"
    typer.echo(f"{lead} is {state_text(handoff)}{pause_text}")
