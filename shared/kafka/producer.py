"""The producer: `publish` for the event loop of an API, and `send_all`, in order, for the relay."""

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
from shared.kafka.pending import Pending, PendingLimit, PublishRequest
from shared.process import logs

log = logs.get(__name__)

PUBLISH_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
DELIVERY_TIMEOUT_MS = 6_000
TOPIC_NAMES = frozenset(topic.name for topic in TOPICS)
ALL_NAMES = (*TOPIC_NAMES, *(topic.dead for topic in TOPICS))


@dataclass(frozen=True, slots=True)
class Ack:
    """The position of a record that every replica that must have it has."""

    partition: int
    offset: int


class Producer:
    """Publishes records. A thread connects for as long as it takes, so that processes start without Kafka.

    It is not idempotent, on purpose (docs/decisions/003): readers drop duplicates.
    """

    def __init__(self, config: KafkaConfig, *, limit: PendingLimit | None = None) -> None:
        self._config = config
        self._pending = Pending(limit or PendingLimit())
        self._queued: list[PublishRequest] = []
        self._client: _Client | None = None
        self._closed = threading.Event()
        self._connector = threading.Thread(target=self._keep_connected, name="kafka", daemon=True)
        self._connector.start()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is acknowledged; raise BrokerAway when that is not to be expected.

        After BrokerAway some of the records may still reach Kafka, so their readers must recognise them.
        """
        if not records:
            return
        client = self._ready_client(records)
        request = PublishRequest(self._pending, records)
        self._pending.add(request)
        self._queued.append(request)
        asyncio.get_running_loop().call_soon(self._submit_queued, client)
        error = await request.outcome(PUBLISH_TIMEOUT_S)
        if error is not None:
            raise BrokerAway(f"Kafka did not acknowledge the records: {error}") from error

    def send_all(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        """Send the records in order; return the Ack or the error of each. After an error no more of its key."""
        outcomes: list[Ack | Exception] = [
            BrokerAway("an earlier record of this key failed")
        ] * len(records)
        failed: set[tuple[str, bytes | None]] = set()
        for group in _without_repeated_keys(records):
            indexes = [it for it in group if _key(records[it]) not in failed]
            group_outcomes = self._send_group([records[it] for it in indexes])
            for index, outcome in zip(indexes, group_outcomes, strict=True):
                outcomes[index] = outcome
                if isinstance(outcome, Exception):
                    failed.add(_key(records[index]))
        return outcomes

    def ready(self) -> bool:
        """Whether a record published now is likely to be acknowledged soon."""
        client = self._client
        return client is not None and not client.missing() and not self._pending.away()

    def check(self) -> None:
        """Raise BrokerAway unless ready; the error names the topics that Kafka does not have."""
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
        """Wait at most CLOSE_TIMEOUT_S for records that are not acknowledged, then disconnect."""
        self._closed.set()
        self._connector.join()
        if self._client is not None:
            try:
                self._client.close(timeout=CLOSE_TIMEOUT_S)
            except KafkaError:
                log.warning("kafka producer closed with records unacknowledged")

    def _submit_queued(self, client: _Client) -> None:
        """Submit the requests of one turn of the event loop together: waking the client's thread costs 100 µs."""
        queued, self._queued = self._queued, []
        for request in queued:
            for record in request.records:
                client.put_record(record).add_callback(request.on_ack).add_errback(request.on_error)
        if queued:
            client.wake()

    def _ready_client(self, records: Sequence[Sent]) -> _Client:
        client = self._client
        if client is None:
            raise BrokerAway("Kafka cannot be reached yet")
        if not all(record.topic in client.partitions for record in records):
            raise BrokerAway("Kafka does not know the topic yet")
        return client

    def _send_group(self, records: Sequence[Sent]) -> list[Ack | Exception]:
        client = self._client
        if client is None:
            return [BrokerAway("Kafka cannot be reached yet")] * len(records)
        sent = list(map(client.put_record, records))
        client.wake()
        return list(map(_outcome, sent))

    def _keep_connected(self) -> None:
        """Connect, then refresh the topics' metadata each second, so that a send never waits for it."""
        while not self._closed.is_set():
            try:
                if self._client is None:
                    self._client = _Client.on(self._config)
                self._client.refresh_metadata()
            except KafkaError as error:
                missing = self._client.missing() if self._client is not None else []
                log.warning(
                    "kafka not ready for publishing", error=loggable(error), missing=missing
                )
            self._closed.wait(1)


class _Client(BatchProducer):
    partitions: Mapping[str, int] = MappingProxyType({})
    """How many partitions each topic has, as of the last refresh."""

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
        """The topics that Kafka does not have, of those that are published to."""
        return sorted(TOPIC_NAMES - self.partitions.keys())

    def put_record(self, record: Sent) -> Any:
        """The future of a record that is sent after the next `wake`; one that cannot be sent has failed already."""
        partitions = self.partitions.get(record.topic)
        if partitions is None:
            return Future().failure(UnknownTopicOrPartitionError(record.topic))
        partition = _hash(record.key or b"") % partitions
        return self.put(record.topic, partition, record.key, record.value, record.headers)

    def refresh_metadata(self) -> None:
        """Ask in one request for the topics that are not known yet; the client refreshes those that are."""
        topic_metadata.add_topics(self, ALL_NAMES)
        try:
            for name in ALL_NAMES:
                self.partitions_for(name)
        finally:
            self.partitions = topic_metadata.known_partitions(self, ALL_NAMES)


@lru_cache(maxsize=10_000)
def _hash(key: bytes) -> int:
    """The key's hash as Kafka's own clients compute it. It is cached, because it is pure Python and keys recur soon."""
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


def _without_repeated_keys(records: Sequence[Sent]) -> list[list[int]]:
    """The records' indexes in groups: the first record of every key, then the second of every key, and so on."""
    counts: Counter[tuple[str, bytes | None]] = Counter()
    groups: list[list[int]] = []
    for index, record in enumerate(records):
        earlier = counts[_key(record)]
        counts[_key(record)] += 1
        if earlier == len(groups):
            groups.append([])
        groups[earlier].append(index)
    return groups
