"""The admin client: creates topics, and reads their ids and end offsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from uuid import UUID

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError

from shared.contracts.topic import LogPartition
from shared.contracts.topics import TOPICS
from shared.kafka.client import connecting
from shared.kafka.config import KafkaConfig
from shared.kafka.errors import broker_away

TIMEOUT_MS = 4_000


class Admin:
    """A connection for questions about topics; its methods raise BrokerAway when Kafka does not answer."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        with _broker_errors(), connecting(config) as options:
            self._client = KafkaAdminClient(
                **options,
                bootstrap_timeout_ms=TIMEOUT_MS,
                request_timeout_ms=TIMEOUT_MS,
                reconnect_backoff_max_ms=1_000,
            )

    def __enter__(self) -> Admin:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def topic_ids(self, names: Sequence[str]) -> dict[str, UUID]:
        """The ids of the topics that exist. A topic that was deleted and made again has another id."""
        with _broker_errors():
            topics = self._client.describe_topics(list(names))
        return {it["name"]: UUID(str(it["topic_id"])) for it in topics if it["error_code"] == 0}

    def end_offsets(self, names: Sequence[str]) -> dict[LogPartition, int]:
        """The end offset of each partition of the topics that exist."""
        ids = self.topic_ids(names)
        with _broker_errors():
            ends = self._client.list_partition_offsets(
                {
                    TopicPartition(topic["name"], partition["partition_index"]): OffsetSpec.LATEST
                    for topic in self._client.describe_topics(list(ids))
                    for partition in topic["partitions"]
                }
            )
        return {
            LogPartition(it.topic, ids[it.topic], it.partition): end.offset
            for it, end in ends.items()
        }

    def create_topics(self) -> list[str]:
        """Create every topic, and its `.dead`, that does not exist; return the names of those created."""
        names = [name for topic in TOPICS for name in (topic.name, topic.dead)]
        existing = self.topic_ids(names)
        return [name for name in names if name not in existing and self._create(name)]

    def _create(self, name: str) -> bool:
        shape = {
            "num_partitions": self._config.partitions,
            "replication_factor": self._config.replication,
        }
        try:
            with _broker_errors():
                self._client.create_topics({name: shape})
        except TopicAlreadyExistsError:
            return False
        return True


def create_topics(config: KafkaConfig) -> list[str]:
    """Create every topic, and its `.dead`, that does not exist; return the names of those created."""
    with Admin(config) as admin:
        return admin.create_topics()


def topic_ids(config: KafkaConfig, names: Sequence[str]) -> dict[str, UUID]:
    """The ids of the topics that exist."""
    with Admin(config) as admin:
        return admin.topic_ids(names)


def end_offsets(config: KafkaConfig, names: Sequence[str]) -> dict[LogPartition, int]:
    """The end offset of each partition of the topics that exist."""
    with Admin(config) as admin:
        return admin.end_offsets(names)


@contextmanager
def _broker_errors() -> Iterator[None]:
    try:
        yield
    except TopicAlreadyExistsError:
        raise
    except KafkaError as error:
        raise broker_away(error) from error
