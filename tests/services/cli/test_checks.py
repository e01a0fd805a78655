"""The doctor finds what is wrong, says how to mend it, and is content with what is well."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from services.cli import checks
from services.cli.processes import SCORING_API
from services.sla_monitor.queries.clocks import save_clocks
from shared.auth.vault import Vault
from shared.clock import utc_now
from shared.contracts.payloads import Change
from shared.contracts.topics import MARKETING_EVENTS, SCORING, TOPICS
from shared.db.session import Sessions
from shared.embedded.broker import Broker
from shared.embedded.postgres import PostgresServer
from shared.kafka.admin import end_offsets
from shared.kafka.config import KafkaConfig
from shared.messaging import offsets, outbox
from shared.process.findings import Finding, fine
from shared.process.settings import Settings
from tests.builders import NOON, lead_qualified, marketing_event, outgoing
from tests.engine import producing
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.sla_monitor.builders import TOUCH, derived_clocks, step

NOWHERE = "127.0.0.1:1"
KEY = SecretStr(urlsafe_b64encode(secrets.token_bytes(32)).decode())
OTHER_KEY = SecretStr(urlsafe_b64encode(secrets.token_bytes(32)).decode())


@pytest.mark.parametrize(
    ("key", "detail"),
    [
        (None, "not set"),
        (SecretStr("short"), "not 32 bytes as url-safe base64"),
        (SecretStr("c2hvcnQ="), "not 32 bytes"),
    ],
    ids=["none", "no base64", "too short"],
)
def test_a_secret_key_that_encrypts_nothing(key: SecretStr | None, detail: str) -> None:
    finding = checks.secret_key(Settings(secret_key=key))

    assert finding.ok is False
    assert detail in finding.detail
    assert "leadbaton keys secret" in finding.remedy


def test_what_is_well() -> None:
    assert checks.secret_key(Settings(secret_key=KEY)) == fine("secret key", "is a key")
    assert checks.checksums() == fine("checksums", "the C extension is there")


@pytest.mark.postgres
def test_a_database_that_a_newer_version_migrated(sessions: Sessions, database_url: str) -> None:
    with sessions.begin() as session:
        session.execute(text("update alembic_version set version_num = 'routing_99'"))

    [_, finding] = checks.database(Settings(database_url=database_url), utc_now())

    assert (finding.check, finding.ok) == ("migrations", False)
    assert "routing_99" in finding.detail


@pytest.mark.postgres
def test_a_new_database_lacks_an_agreement_and_reps(database_url: str) -> None:
    detail = {
        it.check: it for it in checks.database(Settings(database_url=database_url), utc_now())
    }

    assert {name for name, it in detail.items() if it.ok is not True} == {
        "agreement",
        "reps",
        "teams",
        "daily webhook",
    }
    assert {name: it.detail for name, it in detail.items() if it.ok is True} == {
        "database": make_url(database_url).render_as_string(hide_password=True),
        "migrations": "all have run",
        "conditions": "none failed in the last day",
        "endpoints": "none is disabled, their secrets can be read",
        "outbox": "0 records wait",
        "dead letters": "0 not replayed",
        "waiting leads": "none",
        "webhooks": "0 to be delivered, none of them late",
        "timers": "0 clocks run, nothing is overdue",
        "stale days": "none",
    }
    assert detail["agreement"].remedy == "leadbaton agreement publish FILE"
    assert detail["reps"].remedy == "leadbaton reps import FILE"
    assert all(str(make_url(database_url).password) not in it.detail for it in detail.values())


@pytest.mark.postgres
def test_a_database_without_tables_wants_to_be_migrated(postgres: PostgresServer) -> None:
    settings = Settings(database_url=postgres.url("postgres"))

    [reachable, migrations] = checks.database(settings, utc_now())

    assert reachable.ok
    assert migrations.remedy == "leadbaton migrate"


def test_a_database_that_does_not_answer_is_the_only_finding() -> None:
    settings = Settings(database_url=f"postgresql://me:secret@{NOWHERE}/leadbaton")

    [away] = checks.database(settings, utc_now())

    assert away.ok is False
    assert "secret" not in away.detail


@pytest.mark.postgres
def test_a_database_that_answers_with_an_error_is_not_reported_as_away(
    database_url: str, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.execute(text("drop schema routing cascade"))

    *_, refused = checks.database(Settings(database_url=database_url), utc_now())

    assert refused.ok is False
    assert refused.detail.endswith("lacks a table, a column or a schema of this version")


@pytest.mark.postgres
def test_endpoints_that_cannot_get_webhooks(session: Session) -> None:
    add = text(
        "insert into routing.endpoints (id, url, host, format, secret) "
        "values ('rep/ada', :secret, 'ada', 'standard', :secret)"
    )
    session.execute(add, {"secret": Vault(KEY).encrypt(b"secret")})

    detail = "none is disabled, their secrets can be read"
    assert checks.endpoints(session, Settings(secret_key=KEY)) == fine("endpoints", detail)
    assert "not the key" in checks.endpoints(session, Settings(secret_key=OTHER_KEY)).detail
    session.execute(
        text("update routing.endpoints set disabled_at = now(), disabled_reason = 'gone'")
    )
    assert "rep/ada is disabled: gone" in checks.endpoints(session, Settings(secret_key=KEY)).detail


@pytest.mark.postgres
def test_an_outbox_that_nobody_empties(session: Session) -> None:
    outbox.append(session, [outgoing(MARKETING_EVENTS, marketing_event())])
    now = utc_now()

    assert checks.outbox_backlog(session, now).detail.startswith("1 records wait, the oldest for ")
    assert checks.outbox_backlog(session, now).ok is True
    late = checks.outbox_backlog(session, now + timedelta(minutes=5))
    assert late.ok is False
    assert "1 records wait, the oldest for 300 s" in late.detail


@pytest.mark.postgres
def test_dead_letters_that_nobody_replayed(session: Session) -> None:
    assert checks.unreplayed(session) == fine("dead letters", "0 not replayed")
    session.execute(
        text(
            "insert into messaging.dead_letters "
            "(consumer_group, topic, topic_id, partition, log_offset, headers, code, reason, attempts) "
            "values ('g', 't', gen_random_uuid(), 0, 0, '[]', 'rejected', 'why', 1)"
        )
    )

    assert checks.unreplayed(session).remedy == "leadbaton dead list, then leadbaton dead replay"


@pytest.mark.postgres
def test_waiting_leads_late_webhooks_and_overdue_timers_are_findings(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 1}))
    qualifying(session, assigner, *(lead_qualified(lead=it, at=NOON) for it in ("ada", "bob")))
    save_clocks(session, [derived_clocks([step(Change.ASSIGNED)], TOUCH)["touch/1"]])
    soon, late = NOON + timedelta(seconds=30), NOON + timedelta(hours=2)

    assert checks.waiting(session, soon).detail == "1 in sales, the oldest for 30 s"
    assert checks.webhooks(session, soon).detail == "1 to be delivered, none of them late"
    assert checks.webhooks(session, late).remedy == "start `leadbaton routing delivery`"
    assert checks.timers(session, soon).detail == "1 clocks run, nothing is overdue"
    assert checks.timers(session, late).remedy == "start `leadbaton sla sweep`"


@pytest.mark.postgres
def test_a_stuck_group_is_reported_with_the_process_to_start(
    sessions: Sessions, database_url: str, broker: KafkaConfig
) -> None:
    with producing(broker) as producer:
        producer.send_all([outgoing(MARKETING_EVENTS, marketing_event())])
    bootstrap = ",".join(broker.bootstrap)
    settings = Settings(database_url=database_url, kafka_bootstrap=bootstrap)
    later = utc_now() + timedelta(minutes=5)

    scoring, *rest = checks.consumer_progress(settings, later)
    assert [scoring.ok, *(it.ok for it in rest)] == [False, True, True, True]
    assert scoring.detail.startswith("1 records behind, the oldest for ")
    assert "leadbaton scoring worker" in scoring.remedy

    with sessions.begin() as session:
        offsets.positions(session, SCORING, list(end_offsets(broker, [MARKETING_EVENTS.name])))
    now = next(checks.consumer_progress(settings, utc_now()))
    assert now.ok
    assert now.detail.startswith("1 records behind, the oldest for ")
    assert "none done for" in next(checks.consumer_progress(settings, later)).detail


def test_a_broker_that_is_away() -> None:
    [away] = checks.broker(Settings(kafka_bootstrap=NOWHERE), utc_now())

    assert away.ok is False
    assert away.detail == f"{NOWHERE}: no server listens there"


def test_a_broker_without_topics_wants_to_be_migrated(embedded_broker: Broker) -> None:
    settings = Settings(kafka_bootstrap=embedded_broker.bootstrap)

    [reachable, topics] = checks.broker(settings, utc_now())

    assert reachable.ok
    assert "marketing.events" in topics.detail
    assert topics.remedy == "leadbaton migrate"


def test_a_broker_with_all_topics_and_no_database_to_tell_what_was_read(
    broker: KafkaConfig,
) -> None:
    away = f"postgresql://me@{NOWHERE}/leadbaton"
    settings = Settings(database_url=away, kafka_bootstrap=",".join(broker.bootstrap))

    assert list(checks.broker(settings, utc_now())) == [
        fine("broker", settings.kafka_bootstrap),
        fine("topics", f"all {2 * len(TOPICS)}"),
    ]


class Api(BaseHTTPRequestHandler):
    """Ready, or not."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.end_headers()
        self.wfile.write(b"database: away")

    def log_message(self, *_: object) -> None:
        """Nothing."""


class UnreadyApi(Api):
    """Never ready."""

    status = 503


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), request.param)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("url", [Api], indirect=True, ids=["ready"])
def test_an_api_that_is_ready(url: str) -> None:
    assert checks.api(SCORING_API, url) == fine(SCORING_API.name, url)


@pytest.mark.parametrize("url", [UnreadyApi], indirect=True, ids=["unready"])
def test_an_api_that_is_not_ready_is_quoted(url: str) -> None:
    finding = checks.api(SCORING_API, url)

    assert finding.ok is False
    assert "database: away" in finding.detail


def test_an_api_that_runs_elsewhere_is_no_fault() -> None:
    url = f"http://{NOWHERE}"

    assert checks.api(SCORING_API, url) == Finding(
        SCORING_API.name, ok=None, detail=f"no server answers at {url}"
    )
