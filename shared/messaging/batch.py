"""One batch in one transaction: the effects of its records, its dead letters, and the group's new offsets."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from shared.clock import TimeSource
from shared.contracts.codec import P
from shared.contracts.topic import Message, Record, Topic
from shared.db import outages
from shared.db.session import Sessions
from shared.errors import LeadbatonError, Rejected, class_and_code
from shared.messaging import dead_letters, offsets
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.offsets import Fenced, Move
from shared.text import storable

ATTEMPTS = 3
"""How often a record that fails for an unknown cause is tried alone before it becomes a dead letter."""
DEAD_LETTER_LIMIT = 20
"""So many dead letters in a row point to a fault of the reader, not of the records."""
HANDLER_FAILED = "handler_failed"
"""The code of dead letters that failed for an unknown cause."""
REASON_LENGTH = 1_000


@dataclass(frozen=True)
class Subscription(Generic[P]):
    """A topic and the handler of its messages, which gets at least one at a time, and may get the same ones again."""

    topic: Topic[P]
    handle: Callable[[Session, Sequence[Message[P]], datetime], None]


class DecodedRecord(NamedTuple):
    """A record with its message, or with the reason why it cannot be decoded."""

    record: Record
    topic_id: UUID
    message: Message[Any] | None
    fault: Exception | None


@dataclass(frozen=True, slots=True)
class TopicBatch:
    """The records of one topic within a batch."""

    subscription: Subscription[Any]
    records: Sequence[DecodedRecord]


class TooManyDeadLetters(LeadbatonError):
    """The reader is at fault, not the records: the batch is rolled back."""

    code: ClassVar[str] = "too_many_burials"


class RecordErrorCapture(outages.ErrorCapture):
    """Keeps the error that its block raises, for it is about the records; outages and fences pass."""

    raised_errors = (Fenced, TooManyDeadLetters)


def decode_records(
    subscription: Subscription[Any], records: Sequence[Record], topic_id: UUID
) -> list[DecodedRecord]:
    """The records, decoded: all together, or each alone when one of them cannot be decoded."""
    with RecordErrorCapture():
        return [DecodedRecord(it, topic_id, subscription.topic.decode(it), None) for it in records]
    return [_decode_alone(subscription, it, topic_id) for it in records]


def _decode_alone(subscription: Subscription[Any], record: Record, topic_id: UUID) -> DecodedRecord:
    capture = RecordErrorCapture()
    with capture:
        return DecodedRecord(record, topic_id, subscription.topic.decode(record), None)
    return DecodedRecord(record, topic_id, None, capture.error)


@dataclass(slots=True)
class BatchRunner:
    """Runs the batches of one group, and counts its dead letters in a row."""

    group: str
    sessions: Sessions
    time_source: TimeSource
    dead_letter_limit: int = DEAD_LETTER_LIMIT
    dead_letters_in_a_row: int = 0

    def run(
        self, topic_batches: Sequence[TopicBatch], moves: Sequence[Move]
    ) -> Sequence[DeadLetter]:
        """Commit the whole batch in one transaction, or nothing of it; return its dead letters.

        The first transaction handles all records at once. When that fails, a second one isolates the records that
        fail, under savepoints. Raises Fenced when another worker has moved the offsets, TooManyDeadLetters, or an
        outage.
        """
        with RecordErrorCapture():
            return self._transact(_Transaction.handle_at_once, topic_batches, moves)
        return self._transact(_Transaction.handle_by_halves, topic_batches, moves)

    def _transact(
        self,
        handle: Callable[[_Transaction, Subscription[Any], Sequence[DecodedRecord]], None],
        topic_batches: Sequence[TopicBatch],
        moves: Sequence[Move],
    ) -> Sequence[DeadLetter]:
        with self.sessions.begin() as session:
            transaction = _Transaction(
                session,
                self.time_source,
                self.time_source(),
                self.dead_letter_limit,
                self.dead_letters_in_a_row,
            )
            for topic_batch in topic_batches:
                handle(transaction, topic_batch.subscription, topic_batch.records)
            dead_letters.add(session, self.group, transaction.dead_letters)
            offsets.advance(session, self.group, moves)
        self.dead_letters_in_a_row = transaction.in_a_row
        return transaction.dead_letters


@dataclass(slots=True)
class _Transaction:
    """One attempt at a batch, with the dead letters that it has made so far."""

    session: Session
    time_source: TimeSource
    now: datetime
    limit: int
    in_a_row: int
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def handle_at_once(
        self, subscription: Subscription[Any], records: Sequence[DecodedRecord]
    ) -> None:
        """Handle all records in one call; an error of the handler fails the transaction."""
        self._handle(subscription, records)
        self._count(records)

    def handle_by_halves(
        self, subscription: Subscription[Any], records: Sequence[DecodedRecord]
    ) -> None:
        """Halve records that fail until each that cannot succeed is alone and becomes a dead letter."""
        with RecordErrorCapture() as capture:
            self._handle_under_savepoint(subscription, records)
        if capture.error is None:
            self._count(records)
        elif len(records) > 1:
            middle = len(records) // 2
            self.handle_by_halves(subscription, records[:middle])
            self.handle_by_halves(subscription, records[middle:])
        else:
            self._retry_alone(subscription, records[0], capture.error)

    def _retry_alone(
        self, subscription: Subscription[Any], record: DecodedRecord, error: Exception
    ) -> None:
        """Try the record again until it succeeds, is rejected, or has used up its attempts."""
        attempts = 1
        capture = RecordErrorCapture(error)
        while capture.error is not None and not isinstance(capture.error, Rejected):
            if attempts == ATTEMPTS:
                break
            attempts += 1
            with capture:
                self._handle_under_savepoint(subscription, [record])
        self._count([record._replace(fault=capture.error)], attempts)

    def _handle_under_savepoint(
        self, subscription: Subscription[Any], records: Sequence[DecodedRecord]
    ) -> None:
        with self.session.begin_nested():
            self._handle(subscription, records)

    def _handle(self, subscription: Subscription[Any], records: Sequence[DecodedRecord]) -> None:
        messages = [it.message for it in records if it.message is not None]
        if messages:
            subscription.handle(self.session, messages, self.now)

    def _count(self, records: Sequence[DecodedRecord], attempts: int = 1) -> None:
        """Make dead letters of the records with a fault; any other record ends their row."""
        for record in records:
            if record.fault is None:
                self.in_a_row = 0
            else:
                self._add_dead_letter(record, record.fault, attempts)

    def _add_dead_letter(self, record: DecodedRecord, fault: Exception, attempts: int) -> None:
        self.in_a_row += 1
        if self.in_a_row >= self.limit:
            raise TooManyDeadLetters(
                f"{self.in_a_row} records of {record.record.topic} in a row cannot be processed, the last one because: "
                f"{reason_of(fault)}. Mend the reader or the records, and start it again."
            )
        self.dead_letters.append(
            DeadLetter(
                record=record.record,
                topic_id=record.topic_id,
                code=fault.code if isinstance(fault, Rejected) else HANDLER_FAILED,
                reason=reason_of(fault),
                attempts=attempts,
                first_at=self.now,
                last_at=self.time_source(),
            )
        )


def reason_of(fault: Exception) -> str:
    """The fault without values of the record: the text of a Rejected, else the class and where it was raised."""
    if isinstance(fault, Rejected):
        return storable(str(fault))[:REASON_LENGTH]
    frames = traceback.extract_tb(fault.__traceback__)
    own_frames = [it for it in frames if "site-packages" not in it.filename] or frames
    if not own_frames:
        return class_and_code(fault)
    last = own_frames[-1]
    return f"{class_and_code(fault)} at {Path(last.filename).name}:{last.lineno}"
