"""A subscriber of a feed resumes from any position that the ring still covers, and from no other one."""

from __future__ import annotations

from uuid import UUID

import pytest

from shared.contracts.topic import LogPartition, Record
from shared.messaging.ring import Ring

LOG, NEXT_LOG = UUID(int=1), UUID(int=2)


def ring(*offsets: int, size: int = 10, log: UUID = LOG) -> Ring:
    """A ring over as many partitions of one topic."""
    return Ring(
        {LogPartition("topic", log, number): it for number, it in enumerate(offsets)}, size=size
    )


def record(partition: int, offset: int) -> Record:
    return Record("topic", partition, offset, None, None, ())


def add(target: Ring, partition: int, offset: int) -> bool:
    """Move past the record and add its entry."""
    is_next = target.advance(record(partition, offset))
    target.add(record(partition, offset), f"{partition}/{offset}".encode(), {})
    return is_next


def since(target: Ring, position: str) -> list[str] | None:
    entries = target.since(position)
    return None if entries is None else [it.chunk.decode() for it in entries]


def test_it_returns_what_came_after_a_position() -> None:
    kept = ring(5, 0)
    start = kept.position
    add(kept, 0, 5)
    middle = kept.position
    add(kept, 1, 0)

    assert since(kept, start) == ["0/5", "1/0"]
    assert since(kept, middle) == ["1/0"]
    assert since(kept, kept.position) == []


def test_a_position_of_another_process_counts_whatever_the_order_was_there() -> None:
    own, elsewhere = ring(0, 0), ring(0, 0)
    add(elsewhere, 1, 0)
    for partition in (0, 1):
        add(own, partition, 0)

    assert since(own, elsewhere.position) == ["0/0"]


def test_a_position_of_another_process_that_is_ahead_misses_nothing() -> None:
    own, elsewhere = ring(0, 0), ring(0, 0)
    add(elsewhere, 0, 0)

    assert since(own, elsewhere.position) == []


def test_it_refuses_a_position_whose_entries_have_dropped_out() -> None:
    kept = ring(0, size=2)
    start = kept.position
    add(kept, 0, 0)
    first = kept.position
    for offset in (1, 2):
        add(kept, 0, offset)

    assert since(kept, start) is None
    assert since(kept, first) == ["0/1", "0/2"]


@pytest.mark.parametrize("text", ["", "x", "0.1", "0123456789ab.", "é" * 20, "0123456789ab.1,"])
def test_it_refuses_what_is_no_position(text: str) -> None:
    assert ring(0).since(text) is None


def test_it_refuses_a_position_of_another_log_or_of_fewer_partitions() -> None:
    assert ring(0).since(ring(0, log=NEXT_LOG).position) is None
    assert ring(0, 0).since(ring(0).position) is None
    shorter = ring(0, 0).position.rpartition(",")[0]
    assert ring(0, 0).since(shorter) is None


def test_it_notices_that_records_are_missing() -> None:
    kept = ring(3)
    assert add(kept, 0, 3)
    assert not add(kept, 0, 7)
    assert not add(kept, 0, 2)


def test_a_ring_that_is_far_behind_skips_to_the_ends() -> None:
    kept = ring(0, 4)
    start = kept.position
    add(kept, 0, 0)

    assert kept.skip_to({("topic", 0): 4, ("topic", 1): 4}, max_behind=3) == 0
    assert kept.skip_to({("topic", 0): 5, ("topic", 1): 6}, max_behind=3) == 6
    assert kept.skip_to({}, max_behind=3) == 0
    assert list(kept.next_offsets().values()) == [5, 6]
    assert since(kept, start) is None
    assert since(kept, kept.position) == []


def test_a_skip_never_moves_back() -> None:
    kept = ring(9, 0)
    assert kept.skip_to({("topic", 0): 8, ("topic", 1): 5}, max_behind=3) == 5
    assert list(kept.next_offsets().values()) == [9, 5]
