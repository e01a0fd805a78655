"""What a change of a handoff does to its clocks: load, decide, save, announce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.sla_monitor.announcements import announcements
from services.sla_monitor.domain import tallies
from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.histories import Terms, clocks_of
from services.sla_monitor.domain.settling import Settled, settle
from services.sla_monitor.queries import clocks as queries
from shared.agreement.store import Agreements
from shared.contracts.payloads import HandoffChanged
from shared.contracts.topic import Message
from shared.messaging import outbox


def on_handoffs_changed(
    session: Session,
    arrived: Sequence[Message[HandoffChanged]],
    now: datetime,
    *,
    agreements: Agreements,
) -> None:
    """Start, stop, end clocks; take back a breach whose answer came in time but late to us."""
    handoffs = queries.add_changes(session, [message.payload for message in arrived])
    histories = queries.histories_of(session, handoffs)
    known = queries.locked_clocks(session, handoffs)
    terms = _terms(session, histories.values(), agreements)
    traces = {message.payload.handoff_id: message.traceparent for message in arrived}

    settled = [
        outcome
        for handoff_id, history in histories.items()
        for outcome in settle(
            known.get(handoff_id, ()),
            _traced(clocks_of(history, terms), traces[handoff_id]),
            now=now,
        )
    ]

    said = [step for outcome in settled for step in outcome.said]
    _save(session, settled)
    outbox.append(session, list(announcements(said, now=now)))
    queries.add_tallies(session, tallies.moved((it.before, it.after) for it in settled))


def _terms(
    session: Session, histories: Iterable[Sequence[HandoffChanged]], agreements: Agreements
) -> Mapping[int, Terms]:
    versions = {change.agreement_version for history in histories for change in history}
    return {
        version: Terms(version, agreements.version(session, version).agreement)
        for version in sorted(versions)
    }


def _traced(clocks: Iterable[Clock], traceparent: str | None) -> list[Clock]:
    return [clock._replace(traceparent=traceparent) for clock in clocks]


def _save(session: Session, settled: Sequence[Settled]) -> None:
    gone: set[UUID] = {it.before.id for it in settled if it.before and not it.after}
    queries.drop_clocks(session, gone)
    queries.save_clocks(session, [it.after for it in settled if it.after is not None])
