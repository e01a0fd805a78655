"""What can be wrong with Kafka, in our words."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Unavailable


class BrokerAway(Unavailable):
    """Kafka does not answer, or has too much of ours unanswered: try again later."""

    code: ClassVar[str] = "broker_away"
