"""Leads, their identities and their steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    JSON,
    Select,
    TableValuedAlias,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from services.scoring.domain.lead import Lead, Stage, StageChange
from services.scoring.queries.lead_json import (
    live_from_json,
    live_to_json,
    profile_from_json,
    profile_to_json,
)
from services.scoring.queries.staging import stage_rows
from services.scoring.tables import identities, leads, stages
from shared.db.optimistic import StaleRead

UUIDS = ARRAY(Uuid)
_KNOWN_BEFORE = and_(leads.c.known, leads.c.known_at.is_(None), leads.c.merged_into.is_(None))
COLUMNS = (
    "id", "since", "version", "known", "stage", "armed", "rearm_at", "disqualified_at",
    "qualification", "fit", "review_at", "blocker", "hand_raise", "known_at", "active_at", "announced", "live",
    "profile",
)  # fmt: skip


def owners(session: Session, keys: Collection[str]) -> dict[str, UUID]:
    """The lead of each identifier; identifiers without a lead are absent."""
    # As JSON: an array would take longer to write than the whole answer to read.
    json_keys = cast(literal(orjson.dumps(list(keys)).decode(), Text), JSON)
    key_set = select(func.json_array_elements_text(json_keys)).scalar_subquery()
    statement = select(identities.c.key, identities.c.lead_id).where(
        identities.c.key == any_(func.array(key_set))
    )
    return dict(session.execute(statement).all())


def locked_leads(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, Lead]:
    """The leads, locked until the transaction ends; leads that were merged into others are absent."""
    statement = _leads().where(
        leads.c.id == any_(literal(list(lead_ids), UUIDS)), leads.c.merged_into.is_(None)
    )
    locking = statement.order_by(leads.c.id).with_for_update()
    return {lead.id: lead for lead in map(_lead, session.execute(locking).all())}


def claim_leads_to_review(session: Session, now: datetime, *, limit: int) -> list[Lead]:
    """Leads whose review is due, locked; leads that another worker has locked are skipped."""
    due = _leads().where(leads.c.review_at <= now).order_by(leads.c.review_at)
    return _claimed(session, due, limit)


def find_oldest_version(session: Session) -> int | None:
    """The oldest agreement version that a lead is of; None if there are no leads."""
    oldest: int | None = session.scalar(
        select(func.min(leads.c.version)).where(leads.c.merged_into.is_(None))
    )
    return oldest


def claim_leads_of_version(session: Session, version: int, *, limit: int) -> list[Lead]:
    """Leads of this agreement version, locked; leads that another worker has locked are skipped."""
    old = _leads().where(leads.c.version == version, leads.c.merged_into.is_(None))
    return _claimed(session, old, limit)


def claim_known_before(session: Session, *, limit: int) -> list[Lead]:
    """The oldest known leads of which it is not stored since when, locked; without those that others have locked."""
    return _claimed(session, _leads().where(_KNOWN_BEFORE).order_by(leads.c.since), limit)


def is_any_known_before(session: Session) -> bool:
    """Whether there is a known lead of which it is not stored since when, those included that others have locked."""
    return session.execute(select(leads.c.id).where(_KNOWN_BEFORE).limit(1)).first() is not None


def counts_by_version(session: Session) -> dict[int, int]:
    """How many leads are of each agreement version; reads all leads."""
    statement = (
        select(leads.c.version, func.count())
        .where(leads.c.merged_into.is_(None))
        .group_by(leads.c.version)
    )
    return dict(session.execute(statement).all())


def save_version(session: Session, lead_ids: Collection[UUID], version: int) -> None:
    """Write the agreement version of these leads, and nothing else of them."""
    if lead_ids:
        is_listed = leads.c.id == any_(literal(list(lead_ids), UUIDS))
        session.execute(leads.update().where(is_listed).values(version=version))


def find_lead(session: Session, lead_id: UUID) -> Lead | None:
    """The lead, or the lead that it was merged into; None if it is unknown."""
    stays = surviving_leads(session, [lead_id]).get(lead_id)
    row = session.execute(_leads().where(leads.c.id == stays)).first()
    return None if row is None else _lead(row)


def leads_by_id(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, Lead]:
    """The leads with these ids; unknown ones are absent."""
    statement = _leads().where(leads.c.id == any_(literal(list(lead_ids), UUIDS)))
    return {lead.id: lead for lead in map(_lead, session.execute(statement))}


def leads_after(session: Session, last: UUID | None, *, limit: int) -> list[Lead]:
    """A page of all leads in the order of their ids."""
    statement = _leads().where(leads.c.merged_into.is_(None)).order_by(leads.c.id).limit(limit)
    if last is not None:
        statement = statement.where(leads.c.id > last)
    return [_lead(row) for row in session.execute(statement)]


def surviving_leads(session: Session, lead_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """For each lead the lead that it was merged into, or itself; unknown leads are absent."""
    start = (
        select(leads.c.id.label("requested"), leads.c.id, leads.c.merged_into)
        .where(leads.c.id == any_(literal(list(lead_ids), UUIDS)))
        .cte("path", recursive=True)
    )
    path = start.union_all(
        select(start.c.requested, leads.c.id, leads.c.merged_into).join(
            start, leads.c.id == start.c.merged_into
        )
    )
    statement = select(path.c.requested, path.c.id).where(path.c.merged_into.is_(None))
    return {row.requested: row.id for row in session.execute(statement)}


def merged_ids(session: Session, lead_id: UUID) -> list[UUID]:
    """The id of the lead, and the ids of all leads that were merged into it."""
    merged = select(leads.c.id).where(leads.c.id == lead_id).cte("merged", recursive=True)
    merged = merged.union_all(select(leads.c.id).join(merged, leads.c.merged_into == merged.c.id))
    return list(session.scalars(select(merged.c.id)))


def add_identities(session: Session, owners: Mapping[str, UUID]) -> None:
    """Add these identifiers in the order of their keys; raises StaleRead if one has a lead already."""
    keys = sorted(owners)
    statement = text(
        "with added as (insert into scoring.identities (key, lead_id)"
        " select * from unnest(cast(:keys as text[]), cast(:leads as uuid[]))"
        " on conflict do nothing returning 1) select count(*) from added"
    )
    added = session.scalar(statement, {"keys": keys, "leads": [owners[key] for key in keys]})
    if added != len(keys):
        raise StaleRead("another worker has added an identifier")


def save_leads(session: Session, changed: Iterable[Lead]) -> None:
    """Insert or update the leads."""
    rows = [_row(lead) for lead in sorted(changed, key=lambda lead: lead.id.int)]
    if not rows:
        return
    name = stage_rows(session, leads, COLUMNS, rows)
    columns = ", ".join(COLUMNS)
    updates = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS if column != "id")
    session.execute(
        text(
            f"insert into scoring.leads ({columns}) select {columns} from {name}"  # noqa: S608
            f" on conflict (id) do update set {updates}"
        )
    )


def merge_leads(session: Session, merges: Mapping[UUID, UUID]) -> None:
    """Move the identifiers and steps of merged leads (goes: stays) to the leads that stay."""
    goes, stays = list(merges), list(merges.values())
    for table in (identities, stages):
        moves = _moves(goes, stays)
        session.execute(
            table.update().where(table.c.lead_id == moves.c.goes).values(lead_id=moves.c.stays)
        )
    moves = _moves(goes, stays)
    session.execute(
        leads.update()
        .where(leads.c.id == moves.c.goes)
        .values(merged_into=moves.c.stays, review_at=None, hand_raise=None, live={}, profile={})
    )


def add_steps(session: Session, steps: Sequence[StageChange]) -> None:
    """Add steps to the leads' histories."""
    if steps:
        rows = [
            {"lead_id": it.lead_id, "stage": it.stage, "cause": it.cause, "at": it.at}
            for it in steps
        ]
        session.execute(insert(stages), rows)


def steps_of(session: Session, lead_id: UUID) -> list[StageChange]:
    """The lead's steps, the first one first."""
    statement = (
        select(stages.c.lead_id, stages.c.stage, stages.c.cause, stages.c.at)
        .where(stages.c.lead_id == lead_id)
        .order_by(stages.c.at, stages.c.id)
    )
    return [
        StageChange(row.lead_id, Stage(row.stage), row.cause, row.at)
        for row in session.execute(statement)
    ]


def identities_of(session: Session, lead_id: UUID) -> list[str]:
    """The keys of the lead's identifiers."""
    statement = select(identities.c.key).where(identities.c.lead_id == lead_id)
    return list(session.scalars(statement.order_by(identities.c.key)))


def _leads() -> Select[Any]:
    return select(
        *(leads.c[name] for name in COLUMNS[:-2]),
        cast(leads.c.live, Text).label("live"),
        cast(leads.c.profile, Text).label("profile"),
    )


def _claimed(session: Session, statement: Select[Any], limit: int) -> list[Lead]:
    claiming = statement.limit(limit).with_for_update(skip_locked=True)
    return [_lead(row) for row in session.execute(claiming)]


def _lead(row: Sequence[Any]) -> Lead:
    """The lead of a row in the order of COLUMNS. Reading by name would take six times as long."""
    (
        id, since, version, known, stage, armed, rearm_at, disqualified_at, qualification, fit, review_at,
        blocker, hand_raise, known_at, active_at, announced, live, profile,
    ) = row  # fmt: skip
    return Lead(
        id, since, version, known, Stage(stage), armed, rearm_at, disqualified_at, qualification, fit, review_at,
        blocker, hand_raise, known_at, active_at, announced, live_from_json(live), profile_from_json(profile),
    )  # fmt: skip


def _row(lead: Lead) -> tuple[Any, ...]:
    """The lead in the order of COLUMNS."""
    return (
        lead.id, lead.since, lead.version, lead.known, lead.stage, lead.armed, lead.rearm_at,
        lead.disqualified_at, lead.qualification, lead.fit, lead.review_at, lead.blocker, lead.hand_raise,
        lead.known_at, lead.active_at, lead.announced, live_to_json(lead.live),
        profile_to_json(lead.profile),
    )  # fmt: skip


def _moves(goes: list[UUID], stays: list[UUID]) -> TableValuedAlias:
    return (
        func.unnest(literal(goes, UUIDS), literal(stays, UUIDS))
        .table_valued("goes", "stays")
        .render_derived()
    )
