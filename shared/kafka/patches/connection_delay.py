"""kafka-python 3.0.12: the producer's thread loops without a pause while a broker does not answer.

`KafkaNetClient.connection_delay` is 0 while it connects, and otherwise in seconds, where the producer's sender takes it
for milliseconds. A broker that does not answer then costs an API a quarter of its CPU.
"""

from __future__ import annotations

from shared.kafka.patches.closing import ClosingClient

SHORTEST_DELAY_MS = 20.0


class DelayingClient(ClosingClient):
    """A network client for producers whose delay is in milliseconds and never 0."""

    def connection_delay(self, node_id: object) -> float:
        """Milliseconds until the node may be ready. Events on a connection end the wait early."""
        delay_s: float = self._manager.connection_delay(node_id)
        return max(delay_s * 1000, SHORTEST_DELAY_MS)
