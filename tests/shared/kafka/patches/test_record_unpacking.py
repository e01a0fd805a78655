"""Fetched records are read as the client reads them, and damaged ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.errors import CorruptRecordError
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from shared.contracts.topic import Record
from shared.kafka.patches.record_unpacking import UnpackedRecords, read_number, unpack

PARTITION = TopicPartition("marketing.events", 3)

Fields = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Time, key, value, headers."""

blobs = st.none() | st.binary(max_size=300)
fields = st.tuples(
    st.integers(0, 2**40), blobs, blobs, st.lists(st.tuples(st.text(max_size=80), blobs))
)


def batch(*records: Fields, compression: int = 0, offset: int = 7) -> bytes:
    """The records as a producer writes them and a broker keeps them."""
    builder = DefaultRecordBatchBuilder(
        2,
        compression,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10**9,
    )
    for position, (time, key, value, headers) in enumerate(records):
        assert builder.append(position, time, key, value, headers)
    data = bytearray(builder.build())
    data[:8] = offset.to_bytes(8, "big")
    return bytes(data)


def fetched(*batches: bytes, offset: int = 7) -> UnpackedRecords:
    """A fetch of these batches that began at the offset."""
    return UnpackedRecords(offset, PARTITION, MemoryRecords(b"".join(batches)))


SOME: Fields = (1, b"k", b"v", [("ce_id", b"1"), ("nothing", None)])


@given(st.lists(fields, min_size=1, max_size=8), st.sampled_from([0, 1, 3]))
def test_every_record_is_read_as_the_client_reads_it(
    records: list[Fields], compression: int
) -> None:
    data = batch(*records, compression=compression)

    ours = list(unpack(DefaultRecordBatch(data), PARTITION))

    assert ours == [
        Record(
            PARTITION.topic,
            PARTITION.partition,
            it.offset,
            it.key,
            it.value,
            tuple([(name, value or b"") for name, value in it.headers]),
        )
        for it in DefaultRecordBatch(data)
    ]


@pytest.mark.parametrize(
    ("data", "number"),
    [(b"\x00", 0), (b"\x01", -1), (b"\x7f", -64), (b"\x80\x01", 64), (b"\xfe\xff\x03", 32767)],
)
def test_a_number_takes_as_many_bytes_as_it_needs(data: bytes, number: int) -> None:
    assert read_number(data + b"more", 0) == (number, len(data))


def test_a_fetch_is_taken_in_parts_and_knows_where_it_goes_on() -> None:
    fetch = fetched(batch(SOME, SOME, SOME), batch(SOME, offset=20), offset=8)

    assert [it.offset for it in fetch.take(1)] == [8]
    assert fetch.next_fetch_offset == 9
    assert [it.offset for it in fetch.take(9)] == [9, 20]
    assert fetch.next_fetch_offset == 21
    assert not fetch


def test_control_batches_of_transactions_have_no_records() -> None:
    control = bytearray(batch(SOME))
    control[22] |= DefaultRecordBatch.CONTROL_MASK
    fetch = fetched(bytes(control), batch(SOME, offset=8))
    fetch.check_crcs = False

    assert [it.offset for it in fetch.take(9)] == [8]


def test_a_damaged_batch_is_not_read() -> None:
    damaged = bytearray(batch(SOME))
    damaged[-1] ^= 1

    with pytest.raises(CorruptRecordError, match="damaged"):
        fetched(bytes(damaged)).take(1)


def test_a_record_of_another_length_than_it_says_is_not_read() -> None:
    wrong = bytearray(batch(SOME))
    wrong[61] += 2  # its length, in zigzag

    with pytest.raises(CorruptRecordError, match="the record 0"):
        list(unpack(DefaultRecordBatch(bytes(wrong)), PARTITION))


def test_the_unpatched_client_stops_at_a_header_whose_name_is_no_utf_8() -> None:
    """When this fails, the client has mended the fault, and the patch is only needed for its speed."""
    data = batch((1, b"k", b"v", [("name", b"1")])).replace(b"name", b"nam\xff")

    with pytest.raises(CorruptRecordError, match="UnicodeDecodeError"):
        list(DefaultRecordBatch(data))

    [record] = unpack(DefaultRecordBatch(data), PARTITION)
    assert record.headers == (("nam\ufffd", b"1"),)
