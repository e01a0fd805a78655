"""Fills a database with many people: their leads, their identities, an event of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.streams import email_of, traits_of
from services.scoring.domain.lead import Lead
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import assess
from services.scoring.queries.lead_json import live_to_json, profile_to_json
from shared.agreement.store import Policies
from shared.clock import utc_now
from shared.contracts.codec import encode
from shared.contracts.payloads import EventKind, Identity, MarketingEvent
from shared.db.session import Sessions

CHUNK = 100_000
SINCE = timedelta(days=20)
HISTORY = ("page_viewed", "page_viewed", "content_downloaded", "page_viewed", "email_clicked")

_LEADS = """
    insert into scoring.leads (
        id, since, version, known, stage, armed, qualification, fit, live, profile
    )
    select cast(md5('person' || n) as uuid), :since, :version, true, :stage, true, 0, :fit,
        cast(:live as jsonb), cast(replace(replace(
            :profile, 'person0@firm0.', 'person' || n || '@firm' || n % 1000 || '.'), 'Number 0', 'Number ' || n
        ) as json)
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n
    where (n % 10 = 0) = :fits
"""
_IDENTITIES = """
    insert into scoring.identities (key, lead_id)
    select key, cast(md5('person' || n) as uuid)
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n,
        lateral (values ('email/person' || n || '@firm' || n % 1000 || '.example.com'),
            ('anonymous/website/visitor-' || n)) as shown (key)
"""
_EVENTS = """
    insert into scoring.events (source, id, lead_id, type, time, payload)
    select 'website', 'before-' || n, cast(md5('person' || n) as uuid), 'page_viewed', at,
        cast(:payload as jsonb) || jsonb_build_object('id', 'before-' || n, 'time', at)
    from generate_series(cast(:first as bigint), cast(:last as bigint)) as n,
        lateral (select cast(:since as timestamptz) + n * cast(:apart as interval)) as t (at)
"""


def populate(sessions: Sessions, people: int, *, apart: timedelta = timedelta(0)) -> None:
    """Replace all leads by `people` invented ones, whose events are so far apart, from SINCE before now on."""
    now = utc_now()
    with sessions.begin() as session:
        rules = Policies(ScoringPolicy).current(session)
        session.execute(
            text("truncate scoring.leads, scoring.identities, scoring.events, scoring.stages")
        )
    for first in range(0, people, CHUNK):
        with sessions.begin() as session:
            span = {"first": first, "last": min(first + CHUNK, people) - 1}
            _add(session, rules, span, now, apart)
    with sessions() as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        session.execute(text("vacuum analyze scoring.leads, scoring.identities, scoring.events"))


def _add(
    session: Session, rules: ScoringPolicy, span: dict[str, int], now: datetime, apart: timedelta
) -> None:
    since = now - SINCE
    for fits in (False, True):
        lead = _example_lead(rules, now, fits=fits)
        variables = {
            "version": rules.version,
            "stage": lead.stage.value,
            "fit": lead.fit,
            "live": live_to_json(lead.live),
            "profile": profile_to_json(lead.profile),
            "fits": fits,
            "since": since,
        }
        session.execute(text(_LEADS), {**span, **variables})
    session.execute(text(_IDENTITIES), span)
    payload = encode(next(_history(now, fits=False))).decode()
    session.execute(text(_EVENTS), {**span, "payload": payload, "since": since, "apart": apart})


def _example_lead(rules: ScoringPolicy, now: datetime, *, fits: bool) -> Lead:
    """Person 0 as scoring stores them; the others differ only in their names."""
    blank = Lead(UUID(int=0), now - SINCE, rules.version, known=True)
    return assess(blank, list(_history(now, fits=fits)), rules, now=now).lead


def _history(now: datetime, *, fits: bool) -> Iterator[MarketingEvent]:
    for days, type_ in enumerate(HISTORY):
        at = now - SINCE + timedelta(days=days)
        yield MarketingEvent(
            source="website",
            id=f"before-{type_}-{days}",
            type=type_,
            kind=EventKind.TRACK,
            time=at,
            received_at=at,
            identity=Identity(email=email_of(0), anonymous_id="visitor-0"),
            traits=traits_of(0) if fits else {**traits_of(1), "last_name": "Number 0"},
            properties={"path": "/product"},
        )
