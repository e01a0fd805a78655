"""Members of a group: a join is never lost, and whoever goes says good-bye where somebody can take over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
from kafka import KafkaAdminClient

from shared.contracts.topics import MARKETING_EVENTS
from shared.embedded.broker import Broker
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from shared.kafka.reader import Reader
from tests.conftest import kafka_on
from tests.engine import until

GROUP = "readers"


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """Closes what is put in."""
    with ExitStack() as stack:
        yield stack


def joining(opened: ExitStack, config: KafkaConfig, member: str) -> Reader:
    topics = [MARKETING_EVENTS.name]
    reader = Reader.joining(GROUP, topics, config=config, member=member)
    return opened.enter_context(closing(reader))


def share(reader: Reader) -> int:
    """How many partitions it has, in a group that has formed."""
    reader.poll()
    return len(reader.assignment()) if reader.joined() else -1


@pytest.mark.fault
def test_who_joins_before_there_is_a_topic_reads_it_all_the_same(
    embedded_broker: Broker, opened: ExitStack
) -> None:
    """Polls that do not wait: the client alone would forget its second join, the one for the topic's sake."""
    config = kafka_on(embedded_broker)
    reader = joining(opened, config, "one")
    until(lambda: share(reader) >= 0)
    create_topics(config)
    until(lambda: share(reader) > 0)


def test_a_member_that_leaves_while_another_one_joins_holds_nobody_up(
    embedded_broker: Broker, opened: ExitStack
) -> None:
    """The leader leaves while the group forms anew, then one that has only asked to join, then whoever is left."""
    config = kafka_on(embedded_broker)
    create_topics(config)
    leader = joining(opened, config, "one")
    until(lambda: share(leader) > 0)
    second = joining(opened, config, "two")
    second.poll(timeout_ms=100)  # sends its join, which is answered later
    leader.close()
    until(lambda: share(second) == config.partitions)

    third = joining(opened, config, "three")
    third.poll(timeout_ms=100)
    third.close()
    second.close()

    last = joining(opened, config, "four")
    until(lambda: share(last) == config.partitions)


@pytest.mark.kafka
@pytest.mark.parametrize("broker", ["apache_kafka"], indirect=True)
def test_who_goes_hands_over_at_once_and_who_is_alone_is_awaited(
    broker: KafkaConfig, opened: ExitStack
) -> None:
    config = replace(broker, session_timeout_ms=60_000)
    one, two = joining(opened, config, "one"), joining(opened, config, "two")
    until(lambda: min(share(one), share(two)) > 0)
    one.close()
    until(lambda: share(two) == broker.partitions)
    two.close()
    assert members(config) == ["two"]


def members(config: KafkaConfig) -> list[str]:
    with closing(KafkaAdminClient(bootstrap_servers=list(config.bootstrap))) as admin:
        [group] = admin.describe_groups([GROUP]).values()
    return [it["group_instance_id"] for it in group["members"]]
