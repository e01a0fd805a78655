"""Policies, reps and leads for the tests of routing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.routing.domain.assignment.eligibility import MatchedLead
from services.routing.domain.handoff import Handoff, State, handoff_id
from services.routing.domain.policy import (
    RoutingPolicy,
    TeamPolicy,
)
from services.routing.domain.roster import (
    Rep,
    RepLoad,
)
from services.routing.handlers import Assigner, on_leads_qualified
from services.routing.handlers.roster_import import Imported, import_reps
from services.routing.roster_file import RosterFile
from services.routing.tables import handoffs
from shared.agreement.model import Agreement, RoutingRule
from shared.agreement.store import publish
from shared.auth.vault import Vault
from shared.contracts.payloads import HandoffChanged, LeadQualified
from shared.contracts.topic import Record
from shared.contracts.topics import HANDOFFS_CHANGED
from shared.db.tables import outbox as rows
from shared.messaging import outbox
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, lead_qualified, qualified_message

URL = "http://127.0.0.1:8002"


def build_policy(**sections: Any) -> TeamPolicy:
    """The policy of team `sales`, open 09:00 to 17:00 UTC on weekdays."""
    return RoutingPolicy(1, agreement(**sections)).teams["sales"]


def rep(id: str, **fields: Any) -> Rep:
    """A rep of team `sales`."""
    defaults = {"name": id.title(), "email": f"{id}@example.com", "team": "sales"}
    return Rep(id=id, **{**defaults, **fields})


def rep_load(id: str, *, rep_fields: dict[str, Any] | None = None, **fields: Any) -> RepLoad:
    """A rep as they stand."""
    return RepLoad(rep(id, **(rep_fields or {})), **fields)


def rule(**fields: Any) -> RoutingRule:
    """A rule for everybody."""
    return RoutingRule.model_validate({"id": "all", "when": True, "team": "sales", **fields})


def count_by_state(session: Session) -> dict[State, int]:
    """How many handoffs are in each state: all of them together are all that ever qualified."""
    statement = select(handoffs.c.state, func.count()).group_by(handoffs.c.state)
    return {State(state): count for state, count in session.execute(statement)}


def matched_lead(**fields: Any) -> MatchedLead:
    """A German lead under a rule for everybody."""
    facts = {
        "lead": {"country": "DE"},
        "tier": "standard",
        "fit": 60.0,
        "engagement": 50.0,
        "grade": "B2",
        "hand_raised": False,
    }
    return MatchedLead(**{"rule": rule(), "facts": facts, **fields})


def handoff(state: State = State.ASSIGNED, *, lead: object = "ada", **fields: Any) -> Handoff:
    """Ada's handoff, with Grace."""
    qualified = lead_qualified(lead=lead)
    held = state is not State.WAITING
    announced_changes = {
        "id": handoff_id(qualified.lead_id, 1),
        "lead_id": qualified.lead_id,
        "qualification": 1,
        "state": state,
        "team": "sales",
        "rule": "everybody",
        "tier": "standard",
        "tier_rank": 1,
        "qualified_at": NOON,
        "agreement_version": 1,
        "lead": qualified,
        "rep": "grace" if held else None,
        "hop": 1 if held else 0,
        "sequence": 1,
        "assigned_at": NOON if held else None,
    }
    return Handoff(**{**announced_changes, **fields})


def entry(id: str, **fields: Any) -> dict[str, Any]:
    """A rep as the file says."""
    return {
        "id": id,
        "name": id.title(),
        "email": f"{id}@example.com",
        "team": "sales",
        "endpoint": {"url": f"http://127.0.0.1:9/reps/{id}"},
        **fields,
    }


def vault() -> Vault:
    """One whose key every test knows."""
    return Vault(SecretStr("bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE="))


def importing(
    session: Session,
    *entries: dict[str, Any],
    now: datetime = NOON,
    fallback: str | None = "http://127.0.0.1:9/teams/sales",
    ops: str | None = "http://127.0.0.1:9/ops",
    accounts: dict[str, str] | None = None,
) -> Imported:
    """Import these reps, with a fallback for the team and for ops, and with the owners of these accounts."""
    document: dict[str, Any] = {"reps": entries}
    if accounts is not None:
        document["accounts"] = [{"domain": it, "rep": rep} for it, rep in accounts.items()]
    if fallback:
        document["teams"] = [{"id": "sales", "fallback": {"url": fallback}}]
    if ops:
        document["ops"] = {"url": ops}
    return import_reps(session, RosterFile.model_validate(document), vault=vault(), now=now)


def build_assigner(session: Session, **sections: Any) -> Assigner:
    """An assigner under a published agreement."""
    publishing(session, **sections)
    return Assigner(URL)


def publishing(session: Session, **sections: Any) -> Agreement:
    """Publish the default agreement with these sections in place of its own."""
    source = orjson.dumps({**DEFAULT_SECTIONS, **sections}).decode()
    return publish(session, source, by="tests", now=NOON).agreement


def qualifying(
    session: Session, assigner: Assigner, *leads: LeadQualified, now: datetime = NOON
) -> None:
    """Let the leads arrive in one batch."""
    on_leads_qualified(session, [qualified_message(it) for it in leads], now, assigner=assigner)


def announced(session: Session) -> list[HandoffChanged]:
    """Everything that was announced about handoffs, in order."""
    stored = session.execute(select(rows).order_by(rows.c.id))
    return [
        HANDOFFS_CHANGED.decode(
            Record(it.topic, 0, 0, it.key, it.value, outbox.decoded_headers(it.headers))
        ).payload
        for it in stored
        if it.topic == HANDOFFS_CHANGED.name
    ]


def announced_changes(session: Session) -> list[tuple[str, str | None]]:
    """What was announced, in short: the change, and who holds it after it."""
    return [(it.change.value, it.rep) for it in announced(session)]


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """An instant of November 2026; the 18th is a Wednesday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def counts(loads: Sequence[RepLoad]) -> list[int]:
    """How many each was given."""
    return [it.assigned for it in loads]
