"""The checks of `leadbaton doctor`: what can be wrong with an installation, each with its remedy."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from importlib.util import find_spec
from urllib.parse import urlsplit

import httpx
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.alignment import health as alignment
from services.alignment.domain.policy import AlignmentPolicy
from services.cli.conditions import conditions
from services.cli.processes import CONSUMERS, Process
from services.cli.refusals import refusal_of
from services.cli.teams import teams
from services.routing.queries import endpoints as routing_endpoints
from services.routing.queries import pending_work as routing
from services.routing.queries import reps as routing_reps
from services.sla_monitor.queries import clocks as sla
from shared.agreement.store import Agreements, NoAgreement, Policies
from shared.auth.vault import BadSecretKey, Vault
from shared.contracts.topics import TOPICS
from shared.db.migrate import NewerDatabase, pending
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import engine_for, sessions_on
from shared.errors import class_and_code
from shared.kafka import admin, config
from shared.kafka.errors import BrokerAway, BrokerRefusal
from shared.kafka.security import BadKafkaSettings
from shared.messaging import dead_letters, offsets, outbox
from shared.messaging.lag import behind
from shared.process.findings import Finding, fine, wrong
from shared.process.settings import Settings

PATIENCE_S = 60.0
"""A record of the outbox, or a consumer, that waits longer than this counts as stuck."""

KAFKA_PORT = 9092
"""The port of a Kafka address that names none."""

SECURITY_DOCS = "docs/operations.md, Kafka and PostgreSQL behind TLS"


def examine(settings: Settings, apis: Mapping[Process, int], *, now: datetime) -> Iterator[Finding]:
    """The findings of all checks, those first on which the others depend."""
    yield secret_key(settings)
    yield checksums()
    yield from database(settings, now)
    yield from broker(settings, now)
    for process, port in apis.items():
        yield api(process, f"http://{settings.host}:{port}")


def secret_key(settings: Settings) -> Finding:
    """Whether the secret key is set and valid: without one, no webhook secret can be read or made."""
    try:
        Vault(settings.secret_key)
    except BadSecretKey as bad:
        return wrong("secret key", bad.message, "leadbaton keys secret")
    return fine("secret key", "is a key")


def checksums() -> Finding:
    """Whether the C extension for checksums is there: without it, Kafka's client is five times slower."""
    if find_spec("crc32c") is None:
        return wrong("checksums", "the package crc32c is missing", "pip install crc32c")
    return fine("checksums", "the C extension is there")


def database(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Findings on the database and, if it answers and is migrated, on what it holds."""
    url = make_url(settings.database_url).render_as_string(hide_password=True)
    engine = engine_for(settings.database_url)
    try:
        with engine.connect() as connection:
            yield fine("database", url)
            missing = pending(connection)
        if missing:
            yield wrong("migrations", f"{len(missing)} have not run", "leadbaton migrate")
        else:
            yield fine("migrations", "all have run")
            with sessions_on(engine)() as session:
                yield from contents(session, settings, now)
    except NewerDatabase as newer:
        yield wrong("migrations", newer.message, "install that version here")
    except SQLAlchemyError as error:
        yield refused(url, error)
    finally:
        engine.dispose()


def refused(url: str, error: Exception) -> Finding:
    """The finding for a database that does not answer, or refuses a statement."""
    if (refusal := refusal_of(error)) is not None:
        return wrong("database", f"{url} {refusal.fault}", refusal.remedy)
    if is_outage(error):
        remedy = "start PostgreSQL (`leadbaton up` has its own), or mend LEADBATON_DATABASE_URL"
        return wrong("database", f"{url} does not answer", remedy)
    answer = f"{url} refuses a statement: {class_and_code(error)}"
    return wrong("database", answer, "run `leadbaton migrate` of the version that runs here")


def contents(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Findings on what a migrated database holds."""
    yield agreement(session)
    yield conditions(session, now)
    yield reps(session)
    yield teams(session)
    yield endpoints(session, settings)
    yield outbox_backlog(session, now)
    yield unreplayed(session)
    yield waiting(session, now)
    yield webhooks(session, now)
    yield timers(session, now)
    yield from alignment.findings(session, Policies(AlignmentPolicy), now)


def agreement(session: Session) -> Finding:
    """Whether an agreement is published: without one, nothing is scored."""
    try:
        version = Agreements().current(session).version
    except NoAgreement:
        return wrong("agreement", "none is published", "leadbaton agreement publish FILE")
    return fine("agreement", f"version {version}")


def reps(session: Session) -> Finding:
    """Whether there is an active rep: without one, every lead waits."""
    active = routing_reps.active_reps(session)
    if active == 0:
        return wrong("reps", "no rep is active", "leadbaton reps import FILE")
    return fine("reps", f"{active} active")


def endpoints(session: Session, settings: Settings) -> Finding:
    """Whether webhooks can be sent: no endpoint is disabled, and the secrets can be read."""
    disabled = routing_endpoints.disabled_endpoints(session)
    if disabled:
        detail = "; ".join(f"{id} is disabled: {reason}" for id, reason in disabled.items())
        return wrong("endpoints", detail, "mend them, then leadbaton reps import FILE")
    encrypted = routing_endpoints.find_encrypted_secret(session)
    try:
        if encrypted is not None:
            Vault(settings.secret_key).decrypt(encrypted)
    except BadSecretKey as bad:
        return wrong("endpoints", bad.message, "put the key that was used back")
    return fine("endpoints", "none is disabled, their secrets can be read")


def outbox_backlog(session: Session, now: datetime) -> Finding:
    """Whether the relay publishes the outbox in time."""
    backlog = outbox.backlog(session)
    age_s = backlog.age_s(now)
    detail = f"{backlog.rows} records wait" + (
        f", the oldest for {age_s:.0f} s" if backlog.rows else ""
    )
    if age_s > PATIENCE_S:
        return wrong(
            "outbox", detail, "start `leadbaton relay`, and see whether the broker answers"
        )
    return fine("outbox", detail)


def unreplayed(session: Session) -> Finding:
    """Whether there are dead letters that were not replayed."""
    count = dead_letters.count_unreplayed(session)
    detail = f"{count} not replayed"
    if count:
        return wrong("dead letters", detail, "leadbaton dead list, then leadbaton dead replay")
    return fine("dead letters", detail)


def waiting(session: Session, now: datetime) -> Finding:
    """How many leads wait for a rep; each handoff holds the reason."""
    work = routing.pending_work(session, now=now)
    if not work.waiting:
        return fine("waiting leads", "none")
    teams = ", ".join(f"{count} in {team}" for team, count in sorted(work.waiting.items()))
    detail = f"{teams}, the oldest for {work.waiting_s(now):.0f} s"
    return Finding(
        "waiting leads", ok=None, detail=detail, remedy="GET /v1/handoffs?state=waiting says why"
    )


def webhooks(session: Session, now: datetime) -> Finding:
    """Whether webhooks are delivered in time."""
    work = routing.pending_work(session, now=now)
    late_s = work.overdue_s(now)
    if late_s > PATIENCE_S:
        detail = f"{work.pending} to be delivered, the next one due for {late_s:.0f} s"
        return wrong("webhooks", detail, "start `leadbaton routing delivery`")
    return fine("webhooks", f"{work.pending} to be delivered, none of them late")


def timers(session: Session, now: datetime) -> Finding:
    """Whether due clocks are flagged in time."""
    overdue = sla.clock_counts(session, now=now).overdue_timers
    if overdue:
        detail = f"{overdue} are overdue: breaches are flagged late"
        return wrong("timers", detail, "start `leadbaton sla sweep`")
    return fine("timers", f"{sla.count_open_clocks(session)} clocks run, nothing is overdue")


def broker(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Findings on Kafka: whether it answers and has the topics; then, how far each group has read them."""
    names = [name for topic in TOPICS for name in (topic.name, topic.dead)]
    try:
        kafka = config.of(settings)
        _connect_to_any(kafka.bootstrap)
        topic_ids = admin.topic_ids(kafka, names)
    except BadKafkaSettings as bad:
        yield wrong("broker", bad.message, SECURITY_DOCS)
        return
    except BrokerRefusal as refusal:
        yield wrong("broker", f"{settings.kafka_bootstrap}: {refusal.message}", SECURITY_DOCS)
        return
    except BrokerAway as away:
        remedy = "start Kafka (`leadbaton up` has its own), or mend LEADBATON_KAFKA_BOOTSTRAP"
        yield wrong("broker", f"{settings.kafka_bootstrap}: {away.message}", remedy)
        return
    yield fine("broker", settings.kafka_bootstrap)
    missing = [name for name in names if name not in topic_ids]
    if missing:
        yield wrong("topics", f"missing: {', '.join(missing)}", "leadbaton migrate")
        return
    yield fine("topics", f"all {len(names)}")
    yield from consumer_progress(settings, now)


def _connect_to_any(bootstrap: tuple[str, ...]) -> None:
    """Raise BrokerAway if no address takes a connection, at once: Kafka's client would try for seconds."""
    for address in bootstrap:
        url = urlsplit(f"//{address}")
        host_and_port = (url.hostname or "", url.port or KAFKA_PORT)
        with suppress(OSError), socket.create_connection(host_and_port, timeout=2):
            return
    raise BrokerAway("no server listens there")


def consumer_progress(settings: Settings, now: datetime) -> Iterator[Finding]:
    """How far each group has read; no finding while a service does not answer, for another check found that."""
    engine = engine_for(settings.database_url)
    sessions = sessions_on(engine)
    try:
        unread, age_s = Counter[str](), dict.fromkeys(CONSUMERS, 0.0)
        for lag in behind(sessions, config.of(settings)):
            unread[lag.group] += lag.records
            age_s[lag.group] = max(age_s[lag.group], lag.age_s(now))
        with sessions() as session:
            moved_at = offsets.moved_at(session)
        for group, process in CONSUMERS.items():
            last_at = moved_at.get(group)
            idle_s = (now - last_at).total_seconds() if last_at else None
            yield consumer(process, unread[group], idle_s, age_s[group])
    except OUTAGES as error:
        if not is_outage(error):
            yield refused(engine.url.render_as_string(), error)
    finally:
        engine.dispose()


def consumer(process: Process, unread: int, idle_s: float | None, age_s: float) -> Finding:
    """Whether a group keeps up, by how long it has read nothing and how old its oldest unread record is."""
    if not unread:
        return fine(process.name, "has read everything")
    state = f"{unread} records behind, the oldest for {age_s:.0f} s"
    start = f"start `leadbaton {' '.join(process.command)}`; if it runs, its log says why it waits"
    if idle_s is None:
        return wrong(process.name, f"{state}, nothing was ever read", start)
    if idle_s > PATIENCE_S:
        return wrong(process.name, f"{state}, none done for {idle_s:.0f} s", start)
    if age_s > PATIENCE_S:
        return wrong(process.name, state, f"{start}, or add workers if it does not keep up")
    return fine(process.name, state)


def api(process: Process, url: str) -> Finding:
    """Whether an API is ready; neither right nor wrong if no server listens there."""
    try:
        answer = httpx.get(url + process.health, timeout=3, trust_env=False)
    except httpx.TransportError:
        return Finding(process.name, ok=None, detail=f"no server answers at {url}")
    if answer.status_code == 200:
        return fine(process.name, url)
    remedy = f"mend what it names; the log of `leadbaton {' '.join(process.command)}` says more"
    return wrong(process.name, f"{url} is not ready: {answer.text[:300]}", remedy)
