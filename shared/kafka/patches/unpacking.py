"""Reads what Kafka sends into records of ours, as the client does, but in a third of its time.

The client reads every header through a dozen calls, makes three objects of a record, and stops for good at a header
whose name is no UTF-8, although only that record is wrong. Here such a name stays in sight, with U+FFFD in it, and
`Topic.decode` refuses that record alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.memory_records import MemoryRecords

from shared.contracts.topic import Headers, Record
from shared.messaging.prefetch import give_way


class Unpacked(Fetcher.PartitionRecords):
    """What one fetch brought of a partition: the client takes from `_unpack_records` as many as it wants.

    Batches are of format 2: brokers have turned all others into it since Kafka 3. What a transaction has aborted is
    read too, as by the client when nobody tells it otherwise.
    """

    def _unpack_records(
        self, at: TopicPartition, fetched: MemoryRecords, *_: Any
    ) -> Iterator[Record]:
        while (batch := fetched.next_batch()) is not None:
            if self.check_crcs and not batch.validate_crc():
                raise CorruptRecordError(f"the batch of {at} at {batch.base_offset} is damaged")
            give_way()
            self.leader_epoch = batch.leader_epoch
            self.bytes_read += batch.size_in_bytes
            if not batch.is_control_batch:
                for record in unpacked(batch, at):
                    self.next_fetch_offset = record.offset + 1
                    yield record
            self.next_fetch_offset = batch.next_offset
        self.drain()


def unpacked(batch: DefaultRecordBatch, at: TopicPartition) -> Iterator[Record]:
    """The batch's records, from the first; raises CorruptRecordError where one is longer or shorter than it says."""
    iter(batch)  # decompresses
    data, place = bytes(batch._buffer), batch._pos  # noqa: SLF001 - the client has no other way to it
    for _ in range(batch.records_count):
        length, place = number(data, place)
        end = place + length
        place += 1  # attributes: none is in use
        while data[place] & 0x80:  # the time, which we do not need
            place += 1
        offset, place = number(data, place + 1)
        key, place = taken(data, place)
        value, place = taken(data, place)
        headers, place = _headers(data, place)
        if place != end:
            raise CorruptRecordError(f"the record {offset} after {batch.base_offset} of {at}")
        yield Record(at.topic, at.partition, batch.base_offset + offset, key, value, headers)


LONG = 0x81
"""The bits of a number's first byte that say that it is negative, or goes on in the next byte."""


def _headers(data: bytes, place: int) -> tuple[Headers, int]:
    """The headers that begin there; almost all lengths are of one byte."""
    count, place = number(data, place)
    headers = []
    for _ in range(count):
        length = data[place]
        if length & LONG:
            length, place = number(data, place)
            end = place + length
        else:
            place += 1
            end = place + (length >> 1)
        name = name_of(data[place:end])
        length = data[end]
        if length & LONG:
            value, place = taken(data, end)
        else:
            place = end + 1 + (length >> 1)
            value = data[end + 1 : place]
        headers.append((name, value or b""))
    return tuple(headers), place


def taken(data: bytes, place: int) -> tuple[bytes | None, int]:
    """The bytes whose length lies there, or None, and where they end."""
    length, place = number(data, place)
    if length < 0:
        return None, place
    end = place + length
    return data[place:end], end


def number(data: bytes, place: int) -> tuple[int, int]:
    """The number that lies there in as many bytes as it needs (zigzag varint), and where it ends."""
    byte = data[place]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), place + 1
    value, shift = byte & 0x7F, 7
    while True:
        place += 1
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), place + 1
        shift += 7


@lru_cache(maxsize=1_000)
def name_of(written: bytes) -> str:
    """A header's name as text: the same few in every record."""
    return written.decode("utf-8", "replace")
