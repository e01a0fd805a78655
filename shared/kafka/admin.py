"""Topics: made when they are missing, and told apart from their namesakes by id."""

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
    """A connection for questions about topics; raises BrokerAway when they cannot be answered."""

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
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def topic_ids(self, names: Sequence[str]) -> dict[str, UUID]:
        """The ids of those that exist. A topic that was lost and made again has another id."""
        with _broker_errors():
            topics = self._client.describe_topics(list(names))
        return {it["name"]: UUID(str(it["topic_id"])) for it in topics if it["error_code"] == 0}

    def end_offsets(self, names: Sequence[str]) -> dict[LogPartition, int]:
        """Where each partition of those topics that exist ends now."""
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
            LogPartition(at.topic, ids[at.topic], at.partition): position.offset
            for at, position in ends.items()
        }

    def create_topics(self) -> list[str]:
        """Make every topic, and its `.dead`, that is not there; the names of those made now."""
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
    """Make every topic that is not there; the names of those made now."""
    with Admin(config) as admin:
        return admin.create_topics()


def topic_ids(config: KafkaConfig, names: Sequence[str]) -> dict[str, UUID]:
    """The ids of those of the topics that exist."""
    with Admin(config) as admin:
        return admin.topic_ids(names)


def end_offsets(config: KafkaConfig, names: Sequence[str]) -> dict[LogPartition, int]:
    """Where each partition of those topics that exist ends now."""
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
