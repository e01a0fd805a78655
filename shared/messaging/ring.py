"""The newest entries of a feed, and the position of each, from which a subscriber can resume."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from shared.contracts.topic import LogPartition, Record

_POSITION = re.compile(r"([0-9a-f]{12})\.([0-9]{1,19}(?:,[0-9]{1,19}){0,9999})")


class Entry(NamedTuple):
    """A record as subscribers get it: the chunk for those who see everything, and those for single reps."""

    partition: int
    """The index of the record's partition among those of the ring."""
    offset: int
    chunk: bytes
    by_rep: Mapping[str, bytes]

    def visible_to(self, rep: str | None) -> bytes | None:
        """The chunk for this rep, or for everybody else where it is None; None if nothing is to be seen."""
        return self.chunk if rep is None else self.by_rep.get(rep)


class Ring:
    """The last `size` entries of some partitions, and the next offset of each partition.

    A position is a text: a digest of the logs, and the next offsets in the order of the partitions. Every process that
    reads the same logs understands it.
    """

    def __init__(self, next_offsets: Mapping[LogPartition, int], *, size: int) -> None:
        self._partitions = sorted(next_offsets, key=lambda it: (it.topic, it.partition))
        self._indexes = {(it.topic, it.partition): n for n, it in enumerate(self._partitions)}
        self._next = [next_offsets[it] for it in self._partitions]
        self._starts = list(self._next)
        """For each partition the offset from which on every entry is in the ring."""
        self._entries: deque[Entry] = deque()
        self._size = size
        words = ((it.topic, str(it.topic_id), it.partition) for it in self._partitions)
        self._logs = sha256(repr(list(words)).encode()).hexdigest()[:12]

    @property
    def position(self) -> str:
        """The position after the last record."""
        return f"{self._logs}.{','.join(map(str, self._next))}"

    def next_offsets(self) -> dict[LogPartition, int]:
        """The next offset of each partition."""
        return dict(zip(self._partitions, self._next, strict=True))

    def advance(self, record: Record) -> bool:
        """Move past the record; False if it is not the next one of its partition, as after records were lost."""
        index = self._indexes[record.topic, record.partition]
        is_next = record.offset == self._next[index]
        self._next[index] = record.offset + 1
        return is_next

    def add(self, record: Record, chunk: bytes, by_rep: Mapping[str, bytes]) -> Entry:
        """Add the entry of a record that the ring was moved past; the oldest one may drop out."""
        if len(self._entries) == self._size:
            oldest = self._entries.popleft()
            self._starts[oldest.partition] = oldest.offset + 1
        entry = Entry(self._indexes[record.topic, record.partition], record.offset, chunk, by_rep)
        self._entries.append(entry)
        return entry

    def skip_to(self, ends: Mapping[tuple[str, int], int], *, max_behind: int) -> int:
        """Move to all ends if a partition is further behind than `max_behind`; returns how many records are skipped."""
        behind = {
            self._indexes[it]: end - self._next[self._indexes[it]] for it, end in ends.items()
        }
        if max(behind.values(), default=0) <= max_behind:
            return 0
        for index, records in behind.items():
            self._next[index] += max(records, 0)
        self.forget()
        return sum(max(it, 0) for it in behind.values())

    def forget(self) -> None:
        """Drop all entries: nobody can resume from a position before this one."""
        self._entries.clear()
        self._starts = list(self._next)

    def since(self, position: str) -> list[Entry] | None:
        """The entries after a position; None if it is of other logs, or some of them have dropped out."""
        match = _POSITION.fullmatch(position)
        if match is None or match[1] != self._logs:
            return None
        next_offsets = [int(it) for it in match[2].split(",")]
        if len(next_offsets) != len(self._starts):
            return None
        if any(it < start for it, start in zip(next_offsets, self._starts, strict=True)):
            return None
        return [it for it in self._entries if it.offset >= next_offsets[it.partition]]
