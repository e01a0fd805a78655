"""Errors of Kafka."""

from __future__ import annotations

from typing import ClassVar

from kafka.errors import KafkaError, SaslAuthenticationFailedError

from shared.errors import Unavailable

__all__ = ["BrokerAway", "BrokerRefusal", "KafkaError", "broker_away"]


class BrokerAway(Unavailable):
    """Kafka does not answer, or too many records wait for its acknowledgement: try again later."""

    code: ClassVar[str] = "broker_away"


class BrokerRefusal(BrokerAway):
    """Kafka refuses this client, or its certificate is not trusted: the settings of TLS or SASL must be mended."""


def broker_away(error: KafkaError) -> BrokerAway:
    """The error that kept a client from connecting, with what it means."""
    reason = str(error)
    if isinstance(error, SaslAuthenticationFailedError):
        return BrokerRefusal(f"Kafka's authentication fails: {reason}")
    if "socket disconnected" in reason:
        return BrokerRefusal(
            "Kafka closes the connection: it does not accept the name, password, mechanism or protocol of the settings"
        )
    if "Invalid frame length" in reason:
        return BrokerRefusal(
            "the answer is not in Kafka's protocol: the broker wants TLS and the settings have none, or it is not Kafka"
        )
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return BrokerRefusal(f"Kafka's certificate is not trusted: {reason}")
    return BrokerAway(f"Kafka does not answer: {reason}")
