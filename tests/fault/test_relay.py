"""A full outbox, drained by relays that are killed on the way."""

from __future__ import annotations

import time
from collections import defaultdict
from functools import partial

import pytest
from kafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.cli.processes import RELAY
from shared.contracts.topics import MARKETING_EVENTS
from shared.kafka.admin import end_offsets
from tests.conftest import config_at
from tests.engine import reading_from_the_beginning
from tests.fault.audit import reading
from tests.fault.processes import broker_of, metric
from tests.fault.proof import Proof
from tests.fault.stream import FULL
from tests.fault.table import Line
from tests.journey.world import World, until

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.postgres]

ROWS = 100_000 if FULL else 15_000
KEYS = 500
KILLS = 3
TOPIC = MARKETING_EVENTS.dead
"""A topic that no worker reads."""

_FILL = text("""
    insert into messaging.outbox (topic, key, value, headers)
    select :topic, convert_to('key-' || row % :keys, 'utf8'), convert_to(row::text, 'utf8'), '[]'
    from generate_series(1, :rows) as row
""")
_LEFT = text("select count(*) from messaging.outbox where published_at is null")


def _drained(session: Session, limit: float) -> bool:
    return (session.scalar(_LEFT) or 0) <= limit


def _has_published(world: World, session: Session) -> bool:
    """Whether the relay has published since its start, or had published all before: it may be faster than this test."""
    return metric(world, RELAY.name, "leadbaton_outbox_published_total") > 0 or _drained(session, 0)


def test_a_full_outbox_is_drained_in_order_and_completely(proof: Proof) -> None:
    world = proof.world
    recover_s: list[float] = []
    with reading(world) as sessions:
        with sessions.begin() as session:
            session.execute(_FILL, {"topic": TOPIC, "keys": KEYS, "rows": ROWS})
        for kill in range(KILLS):
            with sessions() as session:
                aim = ROWS * (KILLS - kill) / (KILLS + 1)
                until(partial(_drained, session, aim), within_s=60, why="drained")
            began = time.monotonic()
            world.kill(RELAY)
            with sessions() as session:
                until(partial(_has_published, world, session), why="the relay publishes again")
            recover_s.append(time.monotonic() - began)
        with sessions() as session:
            until(partial(_drained, session, 0), within_s=60, why="drained")
    values = _values_by_key(broker_of(world).bootstrap)
    lost = ROWS - len({it for key_values in values.values() for it in key_values})
    proof.lines.append(
        Line(f"the relay killed while it drains {ROWS:,} rows", KILLS, lost, 0, None, recover_s)
    )
    assert lost == 0
    for key_values in values.values():
        distinct = list(dict.fromkeys(key_values))
        assert distinct == sorted(distinct)


def _values_by_key(bootstrap: str) -> dict[bytes, list[int]]:
    """The values in the log by key, in their order; a value that was sent again is there twice."""
    config = config_at(bootstrap)
    partitions = [TopicPartition(it.topic, it.partition) for it in end_offsets(config, [TOPIC])]
    values: defaultdict[bytes, list[int]] = defaultdict(list)
    with reading_from_the_beginning(config, partitions) as consumer:
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(it) < ends[it] for it in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    if record.key.startswith(b"key-"):
                        values[record.key].append(int(record.value))
    return values
