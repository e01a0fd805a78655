"""kafka-python 3.0.12: a header whose name is no UTF-8 stops a consumer for good, and unpacking records is slow.

The client reads every header through a dozen calls and makes three objects of a record. This module reads fetched
bytes into `Record`s in a third of its time. A name that is no UTF-8 is read with U+FFFD in it, and `Topic.decode`
refuses that record alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.memory_records import MemoryRecords

from shared.contracts.topic import Headers, Record
from shared.process.prefetch import yield_to_worker


def unpack_into_records(consumer: KafkaConsumer) -> None:
    """Let the consumer's `poll` return `Record`s."""
    consumer._fetcher.PartitionRecords = UnpackedRecords  # noqa: SLF001 - the client has no option for it


class UnpackedRecords(Fetcher.PartitionRecords):
    """The records that one fetch brought of a partition; the client takes them from `_unpack_records`.

    Batches are of format 2: brokers have converted all others to it since Kafka 3. Records of aborted transactions are
    read too, as by the client with its default isolation level.
    """

    def _unpack_records(
        self, partition: TopicPartition, fetched: MemoryRecords, *_: Any
    ) -> Iterator[Record]:
        while (batch := fetched.next_batch()) is not None:
            if self.check_crcs and not batch.validate_crc():
                raise CorruptRecordError(
                    f"the batch of {partition} at {batch.base_offset} is damaged"
                )
            yield_to_worker()
            self.leader_epoch = batch.leader_epoch
            self.bytes_read += batch.size_in_bytes
            if not batch.is_control_batch:
                for record in unpack(batch, partition):
                    self.next_fetch_offset = record.offset + 1
                    yield record
            self.next_fetch_offset = batch.next_offset
        self.drain()


def unpack(batch: DefaultRecordBatch, partition: TopicPartition) -> Iterator[Record]:
    """The batch's records in order; raises CorruptRecordError where the length of one is not the stated length."""
    iter(batch)  # decompresses
    data, position = bytes(batch._buffer), batch._pos  # noqa: SLF001 - there is no other way to them
    for _ in range(batch.records_count):
        length, position = read_number(data, position)
        end = position + length
        position += 1  # attributes: none is in use
        while data[position] & 0x80:  # the timestamp, which is not needed
            position += 1
        offset, position = read_number(data, position + 1)
        key, position = read_bytes(data, position)
        value, position = read_bytes(data, position)
        headers, position = _read_headers(data, position)
        if position != end:
            raise CorruptRecordError(
                f"the record {offset} after {batch.base_offset} of {partition}"
            )
        yield Record(
            partition.topic, partition.partition, batch.base_offset + offset, key, value, headers
        )


LONG = 0x81
"""The bits of a number's first byte that mark it as negative, or as longer than one byte."""


def _read_headers(data: bytes, position: int) -> tuple[Headers, int]:
    """The headers that begin at the position, and where they end; almost all lengths are of one byte."""
    count, position = read_number(data, position)
    headers = []
    for _ in range(count):
        length = data[position]
        if length & LONG:
            length, position = read_number(data, position)
            end = position + length
        else:
            position += 1
            end = position + (length >> 1)
        name = header_name(data[position:end])
        length = data[end]
        if length & LONG:
            value, position = read_bytes(data, end)
        else:
            position = end + 1 + (length >> 1)
            value = data[end + 1 : position]
        headers.append((name, value or b""))
    return tuple(headers), position


def read_bytes(data: bytes, position: int) -> tuple[bytes | None, int]:
    """The bytes whose length is at the position, or None, and where they end."""
    length, position = read_number(data, position)
    if length < 0:
        return None, position
    end = position + length
    return data[position:end], end


def read_number(data: bytes, position: int) -> tuple[int, int]:
    """The number at the position (a zigzag varint), and where it ends."""
    byte = data[position]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), position + 1
    value, shift = byte & 0x7F, 7
    while True:
        position += 1
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position + 1
        shift += 7


@lru_cache(maxsize=1_000)
def header_name(name: bytes) -> str:
    """A header's name as text; cached, because every record has the same few."""
    return name.decode("utf-8", "replace")
