"""Versions of the agreement are applied to running clocks: a look at what would change, and that in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from services.sla_monitor.domain.applications import (
    Application,
    ApplicationState,
    ClockEffect,
    Effect,
    NotNewest,
    PolicyInForce,
    UnknownApplication,
    effects_of,
    examples_of,
)
from services.sla_monitor.domain.clocks import Clock
from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.reconciliation import ClockUpdate, reconcile
from services.sla_monitor.domain.terms import AppliedVersion, versions_of, with_version
from services.sla_monitor.handlers.updates import save_updates
from services.sla_monitor.queries import applications, changes, clocks
from shared.agreement.store import Policies
from shared.clock import TimeSource

AT_ONCE = 200
"""Handoffs that one transaction applies a version to, so that changes of others do not wait long."""


class Preview(NamedTuple):
    """What an application would make of the clocks of some handoffs; nothing is changed."""

    version: int
    handoffs: int
    effects: Counter[Effect]
    examples: list[ClockEffect]
    next: UUID | None
    """The last of these handoffs, where others follow."""


def preview_application(
    session: Session,
    policies: Policies[SlaPolicy],
    *,
    now: datetime,
    policy: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> Preview:
    """What the newest version would make of the open clocks of the next handoffs. Raises PolicyInForce."""
    newest = policies.current(session)
    _check_ended(newest, policy)
    ids = applications.open_handoffs(session, newest.version, policy, after=after, limit=limit + 1)
    looked_at = ids[:limit]
    stored = clocks.clocks_of_handoffs(session, set(looked_at))
    version = AppliedVersion(newest.version, now, policy)

    _, effects = _decide(session, stored, version, policies)

    following = looked_at[-1] if len(ids) > limit else None
    counts = Counter(it.effect for it in effects)
    return Preview(newest.version, len(looked_at), counts, examples_of(effects), following)


def start_application(
    session: Session,
    policies: Policies[SlaPolicy],
    version: int,
    *,
    policy: str | None = None,
    actor: str,
    now: datetime,
) -> Application:
    """Let the newest version be applied; the application that does so already, where there is one.

    It replaces one that runs with another version or policy. Raises NotNewest or PolicyInForce.
    """
    newest = policies.current(session)
    if version != newest.version:
        raise NotNewest(
            f"version {newest.version} of the agreement is in force, not {version}: look at what it would change first"
        )
    _check_ended(newest, policy)
    running = applications.locked_running(session)
    if running is not None and (running.version, running.policy) == (version, policy):
        return running

    started = Application(uuid4(), version, policy, actor, ApplicationState.RUNNING, now)

    if running is not None:
        replaced = running._replace(state=ApplicationState.REPLACED, ended_at=now)
        applications.save_application(session, replaced)
    if not applications.add_application(session, started):  # another one was started just now
        return start_application(session, policies, version, policy=policy, actor=actor, now=now)
    return started


def find_application(session: Session, id: UUID) -> Application:
    """The application; raises UnknownApplication."""
    application = applications.find_application(session, id)
    if application is None:
        raise UnknownApplication(f"no application {id}: /v1/sla/applications lists the last ones")
    return application


def advance_application(
    session: Session,
    policies: Policies[SlaPolicy],
    *,
    time_source: TimeSource,
    limit: int = AT_ONCE,
) -> bool:
    """Apply the version to the next handoffs; False if nothing is left to do, or another process does it.

    The time is read once the clocks are locked: what a sweep has breached before that stays breached.
    """
    application = applications.claim_running(session)
    if application is None:
        return False
    applications.lock(session)
    ids = applications.open_handoffs(
        session, application.version, application.policy, after=application.position, limit=limit
    )
    stored = clocks.locked_clocks(session, set(ids))
    now = _not_before(time_source(), stored.values())
    applications.add_applied(session, ids, application.applied(now))

    updates, effects = _decide(session, stored, application.applied(now), policies)
    counts = Counter(it.effect for it in effects)

    applications.save_application(session, application.after_batch(ids, counts, now=now))
    save_updates(session, updates, now=now)
    return bool(ids)


def _decide(
    session: Session,
    stored: Mapping[UUID, Sequence[Clock]],
    version: AppliedVersion,
    policies: Policies[SlaPolicy],
) -> tuple[list[ClockUpdate], list[ClockEffect]]:
    """The updates of these handoffs' clocks, and what becomes of each clock that the version concerns."""
    histories = changes.histories_of(session, set(stored))
    before = applications.applied_to(session, set(stored))
    applied = {id: with_version(before.get(id, ()), version) for id in stored}
    numbers = versions_of(histories.values(), applied.values())
    pinned = {number: policies.version(session, number) for number in sorted(numbers)}
    updates: list[ClockUpdate] = []
    effects: list[ClockEffect] = []
    for id, history in histories.items():
        derived = derive_clocks(history, pinned, applied[id])
        of_handoff = reconcile(stored[id], derived, now=version.applied_at)
        updates += of_handoff
        effects += effects_of(stored[id], of_handoff, version)
    return updates, effects


def _not_before(now: datetime, stored: Iterable[Sequence[Clock]]) -> datetime:
    """This instant, or that of the last breach of these clocks by a sweep whose time is ahead of ours."""
    detected = (it.detected_at for clocks in stored for it in clocks if it.detected_at is not None)
    return max((now, *detected))


def _check_ended(newest: SlaPolicy, policy: str | None) -> None:
    if policy is not None and any(it.id == policy for it in newest.agreement.sla.policies):
        raise PolicyInForce(
            f"version {newest.version} of the agreement, which is in force, has the policy {policy!r}: "
            "publish an agreement without it first"
        )
