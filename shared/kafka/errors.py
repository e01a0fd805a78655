"""What can be wrong with Kafka, in our words."""

from __future__ import annotations

from typing import ClassVar

from kafka.errors import KafkaError, SaslAuthenticationFailedError

from shared.errors import Unavailable

__all__ = ["BrokerAway", "BrokerRefusal", "KafkaError", "broker_away"]


class BrokerAway(Unavailable):
    """Kafka does not answer, or has too much of ours unanswered: try again later."""

    code: ClassVar[str] = "broker_away"


class BrokerRefusal(BrokerAway):
    """Kafka answers and does not let us in, or we do not trust it: settings of TLS or SASL are to be mended."""


def broker_away(error: KafkaError) -> BrokerAway:
    """What the error that kept a client from connecting means, in our words."""
    reason = str(error)
    if isinstance(error, SaslAuthenticationFailedError):
        return BrokerRefusal(f"Kafka does not let us in: {reason}")
    if "socket disconnected" in reason:
        return BrokerRefusal(
            "Kafka closes the connection: it does not accept our name, password, mechanism or protocol"
        )
    if "Invalid frame length" in reason:
        return BrokerRefusal(
            "what answers does not speak Kafka's protocol as we do: it wants TLS and we use none, or it is not Kafka"
        )
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return BrokerRefusal(f"Kafka's certificate is not trusted: {reason}")
    return BrokerAway(f"Kafka does not answer: {reason}")
