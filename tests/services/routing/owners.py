"""Claire of another team owns an account: what tests of owners share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import handoff_id
from services.routing.handlers import Assigner, on_answer
from services.routing.handlers.explanation import explain
from services.routing.queries.handoffs import find_handoff
from services.routing.tables import reps
from shared.contracts.payloads import Change, LeadContext, LeadQualified
from tests.builders import DEFAULT_SECTIONS, NOON, an_id, lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing

LATER = NOON + timedelta(minutes=5)
GRACE = entry("grace")
CLAIRE = entry("claire", team="enterprise", capacity={"open": 1})
OWNED = {"example.com": "claire"}
OWNER, WAIT = {"strategy": "owner"}, {"strategy": "owner", "else": "wait"}


def routing(**rule: Any) -> dict[str, Any]:
    """The section with one rule, for team `sales`, and a second team."""
    return {
        **DEFAULT_SECTIONS["routing"],
        "teams": [{"id": it, "calendar": "office"} for it in ("sales", "enterprise")],
        "rules": [{"id": "all", "when": True, "team": "sales", **rule}],
        "account_owner": "owner",
    }


TRAITS = {**DEFAULT_SECTIONS["traits"], "owner": "string"}


def opened(session: Session, **rule: Any) -> Assigner:
    """Grace is in team `sales`; Claire of team `enterprise` owns example.com, and takes one lead at a time."""
    assigner = build_assigner(session, routing=routing(**rule), traits=TRAITS)
    importing(session, GRACE, CLAIRE, accounts=OWNED)
    return assigner


def where_is(session: Session, lead: str, qualification: int = 1) -> tuple[str, str | None, str]:
    """Where the lead's handoff is: its team, its rep and its state."""
    handoff = find_handoff(session, handoff_id(an_id(lead), qualification))
    assert handoff is not None
    return handoff.team, handoff.rep, handoff.state.value


def decision(session: Session, assigner: Assigner, lead: str) -> dict[str, Any]:
    handoff = find_handoff(session, handoff_id(an_id(lead), 1))
    assert handoff is not None
    *_, last = explain(session, handoff, assigner=assigner)
    return last


def excluded(decision: dict[str, Any], rep: str) -> list[str]:
    """Why the rep could not have it."""
    [candidate] = [it for it in decision["candidates"] if it["rep"] == rep]
    return [it["reason"] for it in candidate["excluded"]]


def answer(session: Session, assigner: Assigner, lead: str, change: Change, **details: Any) -> None:
    on_answer(
        session,
        handoff_id(an_id(lead), 1),
        Answer(change, details=details),
        actor=Actor("ops", "tests"),
        assigner=assigner,
        now=LATER,
    )


def stranger(lead: str, **fields: Any) -> LeadQualified:
    """A lead of an account that nobody owns."""
    traits = fields.pop("traits", {})
    context = LeadContext(email="x@other.example", account="other.example", traits=traits)
    return lead_qualified(lead=lead, context=context, **fields)


def counted(session: Session) -> dict[str, int]:
    return dict(session.execute(select(reps.c.id, reps.c.open)).all())
