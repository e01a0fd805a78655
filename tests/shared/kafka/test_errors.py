"""Tests of the errors of Kafka in our words."""

from __future__ import annotations

import pytest
from kafka.errors import KafkaConnectionError, SaslAuthenticationFailedError

from shared.kafka.errors import BrokerAway, BrokerRefusal, KafkaError, broker_away


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (SaslAuthenticationFailedError("no such name"), BrokerRefusal, "authentication fails"),
        (KafkaConnectionError("socket disconnected"), BrokerRefusal, "closes the connection"),
        (KafkaConnectionError("Invalid frame length: 352518912"), BrokerRefusal, "wants TLS"),
        (KafkaConnectionError("CERTIFICATE_VERIFY_FAILED"), BrokerRefusal, "is not trusted"),
        (KafkaConnectionError("timed out"), BrokerAway, "does not answer"),
    ],
    ids=["password", "closed", "tls", "certificate", "away"],
)
def test_an_error_tells_whether_settings_are_to_be_mended(
    error: KafkaError, kind: type[BrokerAway], text: str
) -> None:
    translated = broker_away(error)
    assert type(translated) is kind
    assert text in translated.message
