"""Kafka behind TLS and SASL is reached by producers, workers and admin clients alike; contradictions are refused."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.cli import checks
from shared.clock import utc_now
from shared.db.session import Sessions
from shared.embedded.postgres import free_port
from shared.kafka import config
from shared.kafka.admin import create_topics, topic_ids
from shared.kafka.errors import BrokerRefusal
from shared.kafka.security import BadKafkaSettings, options_of
from shared.process.settings import Settings
from tests.certificates import make_certificate
from tests.engine import Ledger, events, ids, producing, running_worker
from tests.kafka.secure import PASSWORD, USER, SecureKafka

NO_AUTHORITY = {"kafka_ssl_ca_file": None}
SASL = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": USER}


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    server = SecureKafka(tmp_path_factory.mktemp("kafka"), free_port())
    server.start()
    yield server
    server.stop()


def settings_for(server: SecureKafka, mechanism: str | None, **more: Any) -> Settings:
    return Settings.model_validate(
        {
            **SASL,
            "kafka_bootstrap": server.bootstrap,
            "kafka_ssl_ca_file": server.authority,
            "kafka_sasl_mechanism": mechanism,
            "kafka_partitions": 3,
            "kafka_session_timeout_ms": 6_000,
            **more,
        }
    )


def token(life_s: int = 600) -> str:
    """An unsigned token, which Kafka accepts by default."""
    now = int(time.time())
    claims = {"sub": USER, "iat": now, "exp": now + life_s}
    parts = (json.dumps(it).encode() for it in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(it).rstrip(b"=").decode() for it in parts) + "."


@pytest.mark.kafka
@pytest.mark.postgres
def test_everybody_works_with_a_password_over_tls(
    secure_kafka: SecureKafka, sessions: Sessions, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    secure = config.of(settings_for(secure_kafka, "SCRAM-SHA-512", kafka_sasl_password_file=file))
    create_topics(secure)
    with producing(secure) as producer:
        producer.send_all(events(5))
    ledger = Ledger(sessions)
    with running_worker(sessions, secure, ledger):
        ledger.wait_for(ids(5))


@pytest.mark.kafka
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "OAUTHBEARER"])
def test_a_client_connects_with_each_mechanism(
    secure_kafka: SecureKafka, mechanism: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(token())
    credentials = (
        {"kafka_oauth_token_file": file}
        if mechanism == "OAUTHBEARER"
        else {"kafka_sasl_password": PASSWORD}
    )
    assert isinstance(
        topic_ids(config.of(settings_for(secure_kafka, mechanism, **credentials)), []), dict
    )


@pytest.mark.kafka
@pytest.mark.parametrize(
    "wrong",
    [
        {"mechanism": "PLAIN"},
        {"mechanism": "SCRAM-SHA-256"},
        {"mechanism": "PLAIN", "kafka_security_protocol": "SASL_PLAINTEXT", **NO_AUTHORITY},
        {"mechanism": None, "kafka_security_protocol": "PLAINTEXT", **NO_AUTHORITY},
    ],
    ids=["plain", "scram", "without tls", "without all"],
)
def test_a_client_that_is_refused_reports_the_reason_and_the_remedy(
    secure_kafka: SecureKafka, wrong: dict[str, Any]
) -> None:
    settings = settings_for(secure_kafka, **{"kafka_sasl_password": "wrong-horse"} | wrong)
    [finding] = checks.broker(settings, utc_now())
    reasons = ("does not accept the", "authentication fails", "wants TLS")  # one of them, by timing
    assert any(reason in finding.detail for reason in reasons)
    assert "wrong-horse" not in finding.detail
    assert "behind TLS" in finding.remedy


@pytest.mark.kafka
def test_a_certificate_of_an_unknown_authority_is_reported_as_such(
    secure_kafka: SecureKafka,
) -> None:
    stranger = settings_for(
        secure_kafka, "PLAIN", kafka_sasl_password=PASSWORD, kafka_ssl_ca_file=None
    )
    with pytest.raises(BrokerRefusal, match="certificate is not trusted"):
        topic_ids(config.of(stranger), [])


@pytest.mark.parametrize(
    ("contradiction", "names"),
    [
        ({"kafka_sasl_mechanism": "PLAIN"}, "SECURITY_PROTOCOL"),
        ({"kafka_security_protocol": "SASL_SSL"}, "SASL_MECHANISM"),
        ({"kafka_ssl_ca_file": Path("ca.pem")}, "SECURITY_PROTOCOL"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_ca_file": Path("no/such")}, "no/such"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_key_file": Path("k")}, "CERTIFICATE"),
        ({**SASL, "kafka_sasl_mechanism": "PLAIN"}, "PASSWORD"),
        ({**SASL, "kafka_sasl_mechanism": "OAUTHBEARER"}, "TOKEN_FILE"),
    ],
    ids=[
        "sasl unasked",
        "no mechanism",
        "tls unasked",
        "no file",
        "key",
        "no password",
        "no token",
    ],
)
def test_contradictions_are_refused_in_one_sentence(
    contradiction: dict[str, Any], names: str
) -> None:
    with pytest.raises(BadKafkaSettings, match=re.escape(names)):
        config.of(Settings.model_validate(contradiction))


def test_secrets_are_never_shown() -> None:
    settings = Settings.model_validate(
        {**SASL, "kafka_sasl_mechanism": "PLAIN", "kafka_sasl_password": SecretStr(PASSWORD)}
    )
    assert PASSWORD not in repr(config.of(settings)) + repr(settings)


def test_files_that_are_no_certificates_are_named(tmp_path: Path) -> None:
    file = tmp_path / "pem"
    file.write_text("pem")
    for setting in ("kafka_ssl_ca_file", "kafka_ssl_certificate_file"):
        with pytest.raises(BadKafkaSettings, match=re.escape(str(file))):
            options_of(settings_of(**{setting: file}))


def test_an_encrypted_key_needs_a_password(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    make_certificate(certificate, key, password="secret")
    files = {"kafka_ssl_certificate_file": certificate, "kafka_ssl_key_file": key}
    with pytest.raises(BadKafkaSettings, match="KEY_PASSWORD"):
        options_of(settings_of(**files))
    with pytest.raises(BadKafkaSettings, match=re.escape(str(certificate))):
        options_of(settings_of(**files, kafka_ssl_key_password="wrong"))
    assert "ssl_context" in options_of(settings_of(**files, kafka_ssl_key_password="secret"))


def settings_of(**more: Any) -> Settings:
    return Settings.model_validate({"kafka_security_protocol": "SSL", **more})


def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"\xff\xfe")
    settings = {**SASL, "kafka_sasl_mechanism": "PLAIN", "kafka_sasl_password_file": file}
    with pytest.raises(BadKafkaSettings, match=re.escape(str(file))):
        config.of(Settings.model_validate(settings))


def test_a_token_file_is_read_when_a_connection_is_made(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    settings = {**SASL, "kafka_sasl_mechanism": "OAUTHBEARER", "kafka_oauth_token_file": file}
    options = options_of(Settings.model_validate(settings))
    file.write_text("second")
    assert options["sasl_oauth_token_provider"].token() == "second"
