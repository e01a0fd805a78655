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

from shared.db.session import Sessions
from shared.embedded.postgres import free_port
from shared.kafka import config
from shared.kafka.admin import create_topics, topic_ids
from shared.kafka.errors import BrokerAway
from shared.kafka.producer import Producer
from shared.kafka.security import BadKafkaSettings, options_of
from shared.settings import Settings
from tests.engine import Ledger, events, ids, until, working
from tests.kafka.secure import PASSWORD, USER, SecureKafka

SASL = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": USER}


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    server = SecureKafka(tmp_path_factory.mktemp("kafka"), free_port())
    server.start()
    yield server
    server.stop()


def settings_for(server: SecureKafka, mechanism: str, **more: Any) -> Settings:
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
    """One that nobody signed, as Kafka takes it where nothing else is configured."""
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
    producer = Producer(secure)
    until(producer.ready)
    producer.send_all(events(5))
    ledger = Ledger(sessions)
    with working(sessions, secure, ledger):
        ledger.wait_for(ids(5))
    producer.close()


@pytest.mark.kafka
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "OAUTHBEARER"])
def test_each_mechanism_lets_us_in(
    secure_kafka: SecureKafka, mechanism: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(token())
    way = (
        {"kafka_oauth_token_file": file}
        if mechanism == "OAUTHBEARER"
        else {"kafka_sasl_password": PASSWORD}
    )
    assert isinstance(topic_ids(config.of(settings_for(secure_kafka, mechanism, **way)), []), dict)


@pytest.mark.kafka
@pytest.mark.parametrize(
    "wrong",
    [
        {"kafka_sasl_password": "wrong"},
        {"kafka_sasl_password": PASSWORD, "kafka_ssl_ca_file": None},
    ],
    ids=["password", "nobody we trust"],
)
def test_what_is_not_let_in_says_that_kafka_does_not_answer_and_no_secret(
    secure_kafka: SecureKafka, wrong: dict[str, Any]
) -> None:
    with pytest.raises(BrokerAway) as refused:
        topic_ids(config.of(settings_for(secure_kafka, "SCRAM-SHA-256", **wrong)), [])
    assert PASSWORD not in refused.value.message


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


def test_a_certificate_of_ours_and_its_key_are_handed_on(tmp_path: Path) -> None:
    file = tmp_path / "pem"
    file.write_text("pem")
    settings = Settings(
        kafka_security_protocol="SSL",
        kafka_ssl_certificate_file=file,
        kafka_ssl_key_file=file,
        kafka_ssl_key_password=SecretStr("secret"),
    )
    assert options_of(settings) == {
        "security_protocol": "SSL",
        "ssl_certfile": str(file),
        "ssl_keyfile": str(file),
        "ssl_password": "secret",
    }
