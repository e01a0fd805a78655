"""Applications of versions of the agreement, their progress, and the handoffs that they concern."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.sla_monitor import tables
from services.sla_monitor.domain.applications import Application, ApplicationState, Effect
from services.sla_monitor.domain.terms import AppliedVersion
from shared.db.locks import AdvisoryLock

application = tables.applications.c
applied = tables.applied_versions.c
clock = tables.clocks.c

_LOCK = {"key": int(AdvisoryLock.APPLICATIONS)}


def share_lock(session: Session) -> None:
    """Wait for a batch of an application, and let the next one wait until the transaction ends.

    Call it before rows are locked. Others may share the lock.
    """
    session.execute(text("select pg_advisory_xact_lock_shared(:key)"), _LOCK)


def lock(session: Session) -> None:
    """Wait for all transactions that derive clocks, and let new ones wait until this one ends."""
    session.execute(text("select pg_advisory_xact_lock(:key)"), _LOCK)


def open_handoffs(
    session: Session, version: int, policy: str | None, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Handoffs, in the order of their ids, with an open clock that counts by an older version."""
    statement = (
        select(clock.handoff_id)
        .distinct()
        .where(clock.ended_at.is_(None), clock.agreement_version < version)
    )
    if policy is not None:
        statement = statement.where(clock.policy == policy)
    if after is not None:
        statement = statement.where(clock.handoff_id > after)
    return list(session.scalars(statement.order_by(clock.handoff_id).limit(limit)))


def add_applied(session: Session, handoff_ids: Sequence[UUID], version: AppliedVersion) -> None:
    """Record that the version was applied to these handoffs; the first time counts."""
    rows = [
        {
            "handoff_id": id,
            "version": version.version,
            "policy": version.policy or "",
            "applied_at": version.applied_at,
        }
        for id in handoff_ids
    ]
    if rows:
        session.execute(insert(tables.applied_versions).on_conflict_do_nothing(), rows)


def applied_to(session: Session, handoff_ids: Set[UUID]) -> Mapping[UUID, list[AppliedVersion]]:
    """The versions that were applied to each of these handoffs, in the order of time; none where it has no entry."""
    columns = (applied.handoff_id, applied.version, applied.policy, applied.applied_at)
    rows = session.execute(
        select(*columns)
        .where(applied.handoff_id.in_(handoff_ids))
        .order_by(applied.applied_at, applied.version, applied.policy)
    )
    versions: dict[UUID, list[AppliedVersion]] = defaultdict(list)
    for row in rows:
        version = AppliedVersion(row.version, row.applied_at, row.policy or None)
        versions[row.handoff_id].append(version)
    return versions


_APPLICATIONS = select(*(application[name] for name in Application._fields))


def find_application(session: Session, id: UUID) -> Application | None:
    """The application with this id, or None."""
    return _first(session, _APPLICATIONS.where(application.id == id))


def locked_running(session: Session) -> Application | None:
    """The application that runs, locked until the transaction ends; None if none does."""
    return _first(session, _RUNNING.with_for_update())


def claim_running(session: Session) -> Application | None:
    """The application that runs, locked; None if none does, or another process goes on with it now."""
    return _first(session, _RUNNING.with_for_update(skip_locked=True))


_RUNNING = _APPLICATIONS.where(application.state == ApplicationState.RUNNING.value)


def newest_applications(session: Session, *, limit: int) -> list[Application]:
    """The applications that were started last, the newest first."""
    statement = _APPLICATIONS.order_by(application.started_at.desc(), application.id.desc())
    return list(map(_application, session.execute(statement.limit(limit))))


def add_application(session: Session, added: Application) -> bool:
    """Add the application; False if another one was started at the same time."""
    statement = insert(tables.applications).values(**_values(added))
    returned = session.scalar(statement.on_conflict_do_nothing().returning(application.id))
    return returned is not None


def save_application(session: Session, saved: Application) -> None:
    """Save how far the application is."""
    session.execute(
        update(tables.applications).where(application.id == saved.id).values(**_values(saved))
    )


def _values(saved: Application) -> dict[str, Any]:
    effects = {effect.value: count for effect, count in saved.effects.items()}
    return {**saved._asdict(), "state": saved.state.value, "effects": effects}


def _first(session: Session, statement: Select[*tuple[Any, ...]]) -> Application | None:
    row = session.execute(statement.limit(1)).one_or_none()
    return None if row is None else _application(row)


def _application(row: Row[*tuple[Any, ...]]) -> Application:
    effects = {Effect(name): count for name, count in row.effects.items()}
    return Application._make(row)._replace(state=ApplicationState(row.state), effects=effects)
