"""Publishing: for the event loop of an API, and in order for the relay."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from kafka.errors import KafkaError, UnknownTopicOrPartitionError
from kafka.future import Future
from kafka.partitioner.default import murmur2

from shared.contracts.topic import Outgoing, Sent
from shared.contracts.topics import TOPICS
from shared.errors import loggable
from shared.kafka.client import connecting
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import BrokerAway
from shared.kafka.patches import topic_metadata
from shared.kafka.patches.connection_delay import DelayingClient
from shared.kafka.patches.sending import BatchProducer
from shared.kafka.pending import Bound, Flight, Pending
from shared.process import logs

log = logs.get(__name__)

PUBLISH_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
DELIVERY_TIMEOUT_MS = 6_000
NEEDED = frozenset(topic.name for topic in TOPICS)
NAMES = (*NEEDED, *(topic.dead for topic in TOPICS))


@dataclass(frozen=True, slots=True)
class Ack:
    """Where a record lies, on every replica that must have it."""

    partition: int
    offset: int


class Producer:
    """Connects in a thread of its own, for as long as it takes: whoever publishes starts without Kafka.

    Not idempotent, on purpose: docs/decisions/003. Whoever reads deduplicates.
    """

    def __init__(self, config: KafkaConfig, *, bound: Bound | None = None) -> None:
        self._config = config
        self._pending = Pending(bound or Bound())
        self._gathered: list[Flight] = []
        self._client: _Client | None = None
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep_connected, name="kafka", daemon=True)
        self._keeper.start()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is acknowledged; raise BrokerAway when that is not to be expected.

        After BrokerAway some of the records may still arrive: their readers must know them again.
        """
        if not records:
            return
        client = self._ready_client(records)
        flight = Flight(self._pending, records)
        self._pending.add(flight)
        self._gathered.append(flight)
        asyncio.get_running_loop().call_soon(self._hand_over, client)
        error = await flight.outcome(PUBLISH_TIMEOUT_S)
        if error is not None:
            raise BrokerAway(f"Kafka did not take it: {error}") from error

    def send_all(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        """Send them in order and say how each fared; after a failure nothing more of its key is sent."""
        outcomes: list[Ack | Exception] = [
            BrokerAway("an earlier record of this key failed")
        ] * len(records)
        failed: set[tuple[str, bytes | None]] = set()
        for wave in _waves(records):
            sent = [at for at in wave if _key(records[at]) not in failed]
            for at, outcome in zip(
                sent, self._send_wave([records[at] for at in sent]), strict=True
            ):
                outcomes[at] = outcome
                if isinstance(outcome, Exception):
                    failed.add(_key(records[at]))
        return outcomes

    def ready(self) -> bool:
        """Whether a record published now is likely to be acknowledged soon."""
        client = self._client
        return client is not None and not client.missing() and not self._pending.away()

    def check(self) -> None:
        """Raise BrokerAway unless ready; it names the topics that Kafka has not told of."""
        client = self._client
        if client is None:
            raise BrokerAway("Kafka cannot be reached yet")
        if missing := client.missing():
            raise BrokerAway(
                f"Kafka does not answer, or misses the topic {', '.join(missing)} (leadbaton migrate makes it)"
            )
        if self._pending.away():
            raise BrokerAway("Kafka acknowledges nothing")

    def close(self) -> None:
        """Wait a little for what is under way, then let go."""
        self._closed.set()
        self._keeper.join()
        if self._client is not None:
            try:
                self._client.close(timeout=CLOSE_TIMEOUT_S)
            except KafkaError:
                log.warning("kafka producer closed with records unacknowledged")

    def _hand_over(self, client: _Client) -> None:
        """Give the client at once what the requests of this turn of the loop bring: each waking costs it 100 µs."""
        gathered, self._gathered = self._gathered, []
        for flight in gathered:
            for record in flight.records:
                client.put_record(record).add_callback(flight.landed).add_errback(flight.lost)
        if gathered:
            client.wake()

    def _ready_client(self, records: Sequence[Sent]) -> _Client:
        client = self._client
        if client is None:
            raise BrokerAway("Kafka cannot be reached yet")
        if not all(record.topic in client.partitions for record in records):
            raise BrokerAway("Kafka does not know the topic yet")
        return client

    def _send_wave(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        client = self._client
        if client is None:
            return [BrokerAway("Kafka cannot be reached yet")] * len(records)
        sent = list(map(client.put_record, records))
        client.wake()
        return list(map(_outcome, sent))

    def _keep_connected(self) -> None:
        """Connect, then keep the topics' metadata warm, so that a send never waits for it."""
        while not self._closed.is_set():
            try:
                if self._client is None:
                    self._client = _Client.on(self._config)
                self._client.learn()
            except KafkaError as error:
                missing = self._client.missing() if self._client is not None else []
                log.warning(
                    "kafka not ready for publishing", error=loggable(error), missing=missing
                )
            self._closed.wait(1)


class _Client(BatchProducer):
    partitions: Mapping[str, int] = MappingProxyType({})
    """How many each topic has, as was learned lately."""

    @classmethod
    def on(cls, config: KafkaConfig) -> _Client:
        with connecting(config, DelayingClient) as options:
            return cls(
                **options,
                bootstrap_timeout_ms=2_000,
                acks="all",
                enable_idempotence=False,
                max_in_flight_requests_per_connection=1,
                linger_ms=0,
                batch_size=65_536,
                request_timeout_ms=3_000,
                delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
                max_block_ms=2_000,
                reconnect_backoff_max_ms=1_000,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )

    def missing(self) -> list[str]:
        """The topics that Kafka has not told of, of those that are published to."""
        return sorted(NEEDED - self.partitions.keys())

    def put_record(self, record: Sent) -> Any:
        """The future of a record that is sent after the next `wake`; one that cannot be sent has failed already."""
        partitions = self.partitions.get(record.topic)
        if partitions is None:
            return Future().failure(UnknownTopicOrPartitionError(record.topic))
        partition = _hash(record.key or b"") % partitions
        return self.put(record.topic, partition, record.key, record.value, record.headers)

    def learn(self) -> None:
        """Ask for what is not known yet, all at once; what is known, the client keeps up to date."""
        topic_metadata.add_topics(self, NAMES)
        try:
            for name in NAMES:
                self.partitions_for(name)
        finally:
            self.partitions = topic_metadata.known_partitions(self, NAMES)


@lru_cache(maxsize=10_000)
def _hash(key: bytes) -> int:
    """The key's hash as Kafka's own clients compute it; cached, for it is pure Python and keys come again soon."""
    number: int = murmur2(key) & 0x7FFFFFFF
    return number


def _outcome(future: Any) -> Ack | Exception:
    if future.failed():
        failure: Exception = future.exception
        return failure
    try:
        metadata = future.get(timeout=DELIVERY_TIMEOUT_MS / 1_000 + 4)
    except KafkaError as error:
        return error
    return Ack(metadata.partition, metadata.offset)


def _key(record: Sent) -> tuple[str, bytes | None]:
    return record.topic, record.key


def _waves(records: Sequence[Sent]) -> list[list[int]]:
    """The records by place: the first of every key, then the second of every key, and so on."""
    counts: Counter[tuple[str, bytes | None]] = Counter()
    waves: list[list[int]] = []
    for at, record in enumerate(records):
        turn = counts[_key(record)]
        counts[_key(record)] += 1
        if turn == len(waves):
            waves.append([])
        waves[turn].append(at)
    return waves
