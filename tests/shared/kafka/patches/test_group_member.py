"""Members of a group: a join is never lost, and a member that closes leaves where others read too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.structs import MemberState

from shared.contracts.topics import MARKETING_EVENTS
from shared.embedded.broker import Broker
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from shared.kafka.reader import METADATA_MAX_AGE_MS, Reader
from tests.conftest import kafka_on
from tests.engine import PATIENCE_S, until

GROUP = "readers"


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """Closes the readers of a test."""
    with ExitStack() as stack:
        yield stack


def join_group(opened: ExitStack, config: KafkaConfig, member: str) -> Reader:
    topics = [MARKETING_EVENTS.name]
    reader = Reader.join_group(GROUP, topics, config=config, member=member)
    return opened.enter_context(closing(reader))


def share(reader: Reader) -> int:
    """The number of assigned partitions, or -1 while the group has not formed."""
    reader.poll()
    return len(reader.assignment()) if reader.joined() else -1


@pytest.mark.fault
def test_a_member_that_joins_before_there_is_a_topic_reads_it_later(
    embedded_broker: Broker, opened: ExitStack
) -> None:
    """The reader polls without waiting."""
    config = kafka_on(embedded_broker)
    reader = join_group(opened, config, "one")
    until(lambda: share(reader) >= 0)
    create_topics(config)
    until(lambda: share(reader) > 0)


def test_a_member_that_leaves_while_another_one_joins_delays_no_other(
    embedded_broker: Broker, opened: ExitStack
) -> None:
    """The leader leaves while the group forms anew, then a member that has only sent its join, then the last one."""
    config = kafka_on(embedded_broker)
    create_topics(config)
    leader = join_group(opened, config, "one")
    until(lambda: share(leader) > 0)
    second = join_group(opened, config, "two")
    second.poll(timeout_ms=100)  # sends its join, which is answered later
    leader.close()
    until(lambda: share(second) == config.partitions)

    third = join_group(opened, config, "three")
    third.poll(timeout_ms=100)
    third.close()
    second.close()

    last = join_group(opened, config, "four")
    until(lambda: share(last) == config.partitions)


def test_the_unpatched_client_loses_a_join_that_ends_between_two_polls(
    embedded_broker: Broker, opened: ExitStack
) -> None:
    """The patch of lost joins is no longer needed when this fails."""
    config = kafka_on(embedded_broker)
    consumer = unpatched(config)
    opened.enter_context(closing(consumer))
    coordinator: Any = consumer._coordinator
    create_topics(config)
    until(lambda: stable(consumer) and bool(consumer.assignment()))

    def is_joined_between_polls() -> bool:
        """Begins a join, as when the topics have changed, and does not poll before it has ended."""
        if coordinator.state is MemberState.STABLE:
            coordinator._assignment_snapshot = {}
            consumer.poll()
        return coordinator.state is MemberState.REBALANCING and coordinator._join_task.is_done

    until(is_joined_between_polls)
    consumer.poll(timeout_ms=1_000)
    assert is_joined_between_polls()
    assert not coordinator.need_rejoin()


def unpatched(config: KafkaConfig) -> KafkaConsumer:
    consumer = KafkaConsumer(
        bootstrap_servers=list(config.bootstrap),
        group_id=GROUP,
        session_timeout_ms=config.session_timeout_ms,
        heartbeat_interval_ms=200,
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        partition_assignment_strategy=[CooperativeStickyAssignor],
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        metrics_enabled=False,
    )
    consumer.subscribe([MARKETING_EVENTS.name])
    return consumer


def stable(consumer: KafkaConsumer) -> bool:
    """Whether the consumer is in its group. It waits for the end of a join, which it could lose otherwise."""
    coordinator: Any = consumer._coordinator
    coordinator.ensure_active_group(timeout_ms=PATIENCE_S * 1_000)
    consumer.poll()
    return bool(coordinator.state is MemberState.STABLE)


@pytest.mark.parametrize(
    ("name", "leaves"), [("worker-0", False), (None, True)], ids=["static", "dynamic"]
)
def test_the_unpatched_client_leaves_by_the_name_only(name: str | None, *, leaves: bool) -> None:
    """The patch of leaving groups is no longer needed when this fails, or when the client has an option for it."""
    member: Any = SimpleNamespace(group_instance_id=name, config={"api_version": (4, 3)})
    assert ConsumerCoordinator.is_dynamic_member(member) == leaves
    assert [it for it in KafkaConsumer.DEFAULT_CONFIG if "leave" in it] == []


@pytest.mark.kafka
@pytest.mark.parametrize("broker", ["apache_kafka"], indirect=True)
def test_a_member_leaves_where_others_read_and_stays_where_it_reads_alone(
    broker: KafkaConfig, opened: ExitStack
) -> None:
    config = replace(broker, session_timeout_ms=60_000)
    first, second_member = join_group(opened, config, "one"), join_group(opened, config, "two")
    until(lambda: min(share(first), share(second_member)) > 0)
    first.close()
    until(lambda: share(second_member) == broker.partitions)
    second_member.close()
    assert members(config) == ["two"]


def members(config: KafkaConfig) -> list[str]:
    with closing(KafkaAdminClient(bootstrap_servers=list(config.bootstrap))) as admin:
        [group] = admin.describe_groups([GROUP]).values()
    return [it["group_instance_id"] for it in group["members"]]
