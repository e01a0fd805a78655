"""What can be wrong with an installation, each with the way to mend it."""

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

from services.cli.conditions import conditions
from services.cli.findings import Finding, fine, wrong
from services.cli.processes import ROUTING_WORKER, SCORING_WORKER, SLA_WORKER, Process
from services.cli.refusals import refusal_of
from services.cli.teams import teams
from services.routing.queries import endpoints as routing_endpoints
from services.routing.queries import pending_work as routing
from services.routing.queries import reps as routing_reps
from services.sla_monitor.queries import clocks as sla
from shared.agreement.store import Agreements, NoAgreement
from shared.auth.vault import BadSecretKey, Vault
from shared.contracts.topics import ROUTING, SCORING, SLA, TOPICS
from shared.db.migrate import NewerDatabase, pending
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import engine_for, sessions_on
from shared.errors import class_and_code
from shared.kafka import admin, config
from shared.kafka.errors import BrokerAway, BrokerRefusal
from shared.kafka.security import BadKafkaSettings
from shared.messaging import dead_letters, offsets, outbox
from shared.messaging.lag import behind
from shared.process.settings import Settings

PATIENCE_S = 60.0
"""A row of the outbox that waits longer than this says that the relay does not work."""

KAFKA_PORT = 9092
"""Where Kafka is when an address names no port."""

SECURITY_DOCS = "docs/operations.md, Kafka and PostgreSQL behind TLS"

READERS = {SCORING: SCORING_WORKER, ROUTING: ROUTING_WORKER, SLA: SLA_WORKER}
"""Which process reads for which group."""


def examine(settings: Settings, apis: Mapping[Process, int], *, now: datetime) -> Iterator[Finding]:
    """Look at everything that this machine can see, the foundations first."""
    yield secret_key(settings)
    yield checksums()
    yield from database(settings, now)
    yield from broker(settings, now)
    for process, port in apis.items():
        yield api(process, f"http://{settings.host}:{port}")


def secret_key(settings: Settings) -> Finding:
    """Without one, no webhook secret can be read or made."""
    try:
        Vault(settings.secret_key)
    except BadSecretKey as bad:
        return wrong("secret key", bad.message, "leadbaton keys secret")
    return fine("secret key", "is a key")


def checksums() -> Finding:
    """Without the C extension, Kafka's client is five times slower."""
    if find_spec("crc32c") is None:
        return wrong("checksums", "the package crc32c is missing", "pip install crc32c")
    return fine("checksums", "the fast ones")


def database(settings: Settings, now: datetime) -> Iterator[Finding]:
    """What PostgreSQL knows; only that it does not answer, if it does not."""
    where = make_url(settings.database_url).render_as_string(hide_password=True)
    engine = engine_for(settings.database_url)
    try:
        with engine.connect() as connection:
            yield fine("database", where)
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
        yield refused(where, error)
    finally:
        engine.dispose()


def refused(where: str, error: Exception) -> Finding:
    """Why the database did not do what it was asked."""
    if (refusal := refusal_of(error)) is not None:
        return wrong("database", f"{where} {refusal.fault}", refusal.mend)
    if is_outage(error):
        mend = "start PostgreSQL (`leadbaton up` has its own), or mend LEADBATON_DATABASE_URL"
        return wrong("database", f"{where} does not answer", mend)
    answer = f"{where} refuses what was asked: {class_and_code(error)}"
    return wrong("database", answer, "run `leadbaton migrate` of the version that runs here")


def contents(session: Session, settings: Settings, now: datetime) -> Iterator[Finding]:
    """What a migrated database holds, or should."""
    yield agreement(session)
    yield conditions(session, now)
    yield reps(session)
    yield teams(session)
    yield endpoints(session, settings)
    yield backlog(session, now)
    yield burials(session)
    yield waiting(session, now)
    yield webhooks(session, now)
    yield timers(session, now)


def agreement(session: Session) -> Finding:
    """Without one, nothing is scored."""
    try:
        version = Agreements().current(session).version
    except NoAgreement:
        return wrong("agreement", "none is published", "leadbaton agreement publish FILE")
    return fine("agreement", f"version {version}")


def reps(session: Session) -> Finding:
    """Without one, every lead waits."""
    there = routing_reps.active_reps(session)
    if there == 0:
        return wrong("reps", "nobody is active", "leadbaton reps import FILE")
    return fine("reps", f"{there} active")


def endpoints(session: Session, settings: Settings) -> Finding:
    """Whether reps can be told: their secrets can be read, and nobody said to stop."""
    disabled = routing_endpoints.disabled_endpoints(session)
    if disabled:
        found = "; ".join(f"{id} is off: {why}" for id, why in disabled.items())
        return wrong("endpoints", found, "mend them, then leadbaton reps import FILE")
    encrypted = routing_endpoints.an_encrypted_secret(session)
    try:
        if encrypted is not None:
            Vault(settings.secret_key).decrypt(encrypted)
    except BadSecretKey as bad:
        return wrong("endpoints", bad.message, "put the key that was used back")
    return fine("endpoints", "none is off, their secrets can be read")


def backlog(session: Session, now: datetime) -> Finding:
    """What the relay has not published yet."""
    waits = outbox.backlog(session)
    age_s = waits.age_s(now)
    found = f"{waits.rows} records wait" + (f", the oldest for {age_s:.0f} s" if waits.rows else "")
    if age_s > PATIENCE_S:
        return wrong("outbox", found, "start `leadbaton relay`, and see whether the broker answers")
    return fine("outbox", found)


def burials(session: Session) -> Finding:
    """Records that could not be processed, and that nobody looked at."""
    count = dead_letters.count_unreplayed(session)
    found = f"{count} not replayed"
    if count:
        return wrong("dead letters", found, "leadbaton dead list, then leadbaton dead replay")
    return fine("dead letters", found)


def waiting(session: Session, now: datetime) -> Finding:
    """Leads that nobody has; their reasons are told with each."""
    work = routing.pending_work(session, now=now)
    if not work.waiting:
        return fine("waiting leads", "none")
    teams = ", ".join(f"{count} in {team}" for team, count in sorted(work.waiting.items()))
    found = f"{teams}, the oldest for {work.waiting_s(now):.0f} s"
    return Finding(
        "waiting leads", ok=None, found=found, mend="GET /v1/handoffs?state=waiting says why"
    )


def webhooks(session: Session, now: datetime) -> Finding:
    """What reps were to be told, and when."""
    work = routing.pending_work(session, now=now)
    late_s = work.overdue_s(now)
    if late_s > PATIENCE_S:
        found = f"{work.pending} to be delivered, the next one due for {late_s:.0f} s"
        return wrong("webhooks", found, "start `leadbaton routing delivery`")
    return fine("webhooks", f"{work.pending} to be delivered, none of them late")


def timers(session: Session, now: datetime) -> Finding:
    """What should have been flagged."""
    overdue = sla.clock_counts(session, now=now).overdue_timers
    if overdue:
        found = f"{overdue} are overdue: breaches are flagged late"
        return wrong("timers", found, "start `leadbaton sla sweep`")
    return fine("timers", f"{sla.count_open_clocks(session)} clocks run, nothing is overdue")


def broker(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Whether Kafka answers, and has our topics; then, how far each group has read them."""
    names = [name for topic in TOPICS for name in (topic.name, topic.dead)]
    try:
        kafka = config.of(settings)
        _knock(kafka.bootstrap)
        there = admin.topic_ids(kafka, names)
    except BadKafkaSettings as bad:
        yield wrong("broker", bad.message, SECURITY_DOCS)
        return
    except BrokerRefusal as refusal:
        yield wrong("broker", f"{settings.kafka_bootstrap}: {refusal.message}", SECURITY_DOCS)
        return
    except BrokerAway as away:
        mend = "start Kafka (`leadbaton up` has its own), or mend LEADBATON_KAFKA_BOOTSTRAP"
        yield wrong("broker", f"{settings.kafka_bootstrap}: {away.message}", mend)
        return
    yield fine("broker", settings.kafka_bootstrap)
    missing = [name for name in names if name not in there]
    if missing:
        yield wrong("topics", f"missing: {', '.join(missing)}", "leadbaton migrate")
        return
    yield fine("topics", f"all {len(names)}")
    yield from progress(settings, now)


def _knock(bootstrap: tuple[str, ...]) -> None:
    """Raises BrokerAway at once where nobody takes a connection: Kafka's client would go on asking for seconds."""
    for address in bootstrap:
        where = urlsplit(f"//{address}")
        place = (where.hostname or "", where.port or KAFKA_PORT)
        with suppress(OSError), socket.create_connection(place, timeout=2):
            return
    raise BrokerAway("nobody listens there")


def progress(settings: Settings, now: datetime) -> Iterator[Finding]:
    """How far each group has read; nothing while a service does not answer, for that was told already."""
    engine = engine_for(settings.database_url)
    sessions = sessions_on(engine)
    try:
        left, waits_s = Counter[str](), dict.fromkeys(READERS, 0.0)
        for it in behind(sessions, config.of(settings)):
            left[it.group] += it.records
            waits_s[it.group] = max(waits_s[it.group], it.age_s(now))
        with sessions() as session:
            moved_at = offsets.moved_at(session)
        for group, process in READERS.items():
            moved = moved_at.get(group)
            still_s = (now - moved).total_seconds() if moved else None
            yield group_of(process, left[group], still_s, waits_s[group])
    except OUTAGES as error:
        if not is_outage(error):
            yield refused(engine.url.render_as_string(), error)
    finally:
        engine.dispose()


def group_of(process: Process, left: int, still_s: float | None, waits_s: float) -> Finding:
    """Whether a group reads what there is to read, by how long it has done nothing and its oldest record waits."""
    if not left:
        return fine(process.name, "has read everything")
    state = f"{left} records behind, the oldest for {waits_s:.0f} s"
    start = f"start `leadbaton {' '.join(process.command)}`; if it runs, its log says why it waits"
    if still_s is None:
        return wrong(process.name, f"{state}, nothing was ever read", start)
    if still_s > PATIENCE_S:
        return wrong(process.name, f"{state}, none done for {still_s:.0f} s", start)
    if waits_s > PATIENCE_S:
        return wrong(process.name, state, f"{start}, or add workers if it does not keep up")
    return fine(process.name, state)


def api(process: Process, url: str) -> Finding:
    """What the API says of itself; that nobody listens there may be as it should."""
    try:
        answer = httpx.get(url + process.health, timeout=3, trust_env=False)
    except httpx.TransportError:
        return Finding(process.name, ok=None, found=f"nobody answers at {url}")
    if answer.status_code == 200:
        return fine(process.name, url)
    mend = f"mend what it names; the log of `leadbaton {' '.join(process.command)}` says more"
    return wrong(process.name, f"{url} is not ready: {answer.text[:300]}", mend)
