"""One poll is one transaction: what the records do, who is buried, how far the group has read."""

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
"""How often a record that fails for an unknown cause is tried alone before it is buried."""
DEAD_LETTER_LIMIT = 20
"""So many buried in a row are not bad records but a bad reader."""
HANDLER_FAILED = "handler_failed"
"""The code of what failed for a cause that the reader does not know."""
REASON_LENGTH = 1_000


@dataclass(frozen=True)
class Subscription(Generic[P]):
    """A topic and what to do with its messages: never an empty batch, and the same one may come again."""

    topic: Topic[P]
    handle: Callable[[Session, Sequence[Message[P]], datetime], None]


class Item(NamedTuple):
    """A record with what it says, or why it says nothing."""

    record: Record
    topic_id: UUID
    message: Message[Any] | None
    fault: Exception | None


@dataclass(frozen=True, slots=True)
class Portion:
    """The part of a poll that one handler gets."""

    subscription: Subscription[Any]
    items: Sequence[Item]


class TooManyDeadLetters(LeadbatonError):
    """The reader is at fault, not the records: nothing of this batch is done."""

    code: ClassVar[str] = "too_many_burials"


class RecordErrorCapture(outages.ErrorCapture):
    """Keeps what its block raises as evidence about the records; outages and fences pass."""

    loud = (Fenced, TooManyDeadLetters)


def items_of(
    subscription: Subscription[Any], records: Sequence[Record], topic_id: UUID
) -> list[Item]:
    """The records, decoded where they can be: first all in one go, as they mostly can."""
    with RecordErrorCapture():
        return [Item(it, topic_id, subscription.topic.decode(it), None) for it in records]
    return [_item_of(subscription, it, topic_id) for it in records]


def _item_of(subscription: Subscription[Any], record: Record, topic_id: UUID) -> Item:
    capture = RecordErrorCapture()
    with capture:
        return Item(record, topic_id, subscription.topic.decode(record), None)
    return Item(record, topic_id, None, capture.error)


@dataclass(slots=True)
class Batches:
    """Does the batches of one group, and remembers how many were buried in a row."""

    group: str
    sessions: Sessions
    time_source: TimeSource
    dead_letter_limit: int = DEAD_LETTER_LIMIT
    dead_letters_in_a_row: int = 0

    def work(self, portions: Sequence[Portion], moves: Sequence[Move]) -> Sequence[DeadLetter]:
        """All of it or nothing, in one transaction; those given up.

        First the whole batch at once. When that fails, in a new transaction, piece by piece under savepoints.
        Raises Fenced when the partitions are somebody else's, TooManyDeadLetters, or an outage.
        """
        with RecordErrorCapture():
            return self._transact(_Work.whole, portions, moves)
        return self._transact(_Work.apart, portions, moves)

    def _transact(
        self,
        how: Callable[[_Work, Subscription[Any], Sequence[Item]], None],
        portions: Sequence[Portion],
        moves: Sequence[Move],
    ) -> Sequence[DeadLetter]:
        with self.sessions.begin() as session:
            work = _Work(
                session,
                self.time_source,
                self.time_source(),
                self.dead_letter_limit,
                self.dead_letters_in_a_row,
            )
            for portion in portions:
                how(work, portion.subscription, portion.items)
            dead_letters.add(session, self.group, work.dead_letters)
            offsets.advance(session, self.group, moves)
        self.dead_letters_in_a_row = work.in_a_row
        return work.dead_letters


@dataclass(slots=True)
class _Work:
    """What happens in one transaction."""

    session: Session
    time_source: TimeSource
    now: datetime
    limit: int
    in_a_row: int
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def whole(self, subscription: Subscription[Any], items: Sequence[Item]) -> None:
        """All at once: what fails, fails the transaction."""
        self._handle(subscription, items)
        self._tally(items)

    def apart(self, subscription: Subscription[Any], items: Sequence[Item]) -> None:
        """Halve what fails until the records that cannot succeed are alone, and bury those."""
        with RecordErrorCapture() as capture:
            self._handle_under_savepoint(subscription, items)
        if capture.error is None:
            self._tally(items)
        elif len(items) > 1:
            middle = len(items) // 2
            self.apart(subscription, items[:middle])
            self.apart(subscription, items[middle:])
        else:
            self._alone(subscription, items[0], capture.error)

    def _alone(self, subscription: Subscription[Any], item: Item, error: Exception) -> None:
        attempts = 1
        capture = RecordErrorCapture(error)
        while capture.error is not None and not isinstance(capture.error, Rejected):
            if attempts == ATTEMPTS:
                break
            attempts += 1
            with capture:
                self._handle_under_savepoint(subscription, [item])
        self._tally([item._replace(fault=capture.error)], attempts)

    def _handle_under_savepoint(
        self, subscription: Subscription[Any], items: Sequence[Item]
    ) -> None:
        with self.session.begin_nested():
            self._handle(subscription, items)

    def _handle(self, subscription: Subscription[Any], items: Sequence[Item]) -> None:
        messages = [it.message for it in items if it.message is not None]
        if messages:
            subscription.handle(self.session, messages, self.now)

    def _tally(self, items: Sequence[Item], attempts: int = 1) -> None:
        for item in items:
            if item.fault is None:
                self.in_a_row = 0
            else:
                self._give_up(item, item.fault, attempts)

    def _give_up(self, item: Item, fault: Exception, attempts: int) -> None:
        self.in_a_row += 1
        if self.in_a_row >= self.limit:
            raise TooManyDeadLetters(
                f"{self.in_a_row} records of {item.record.topic} in a row cannot be read, the last because: "
                f"{reason_of(fault)}. Mend the reader, or put the records right, and start again."
            )
        self.dead_letters.append(
            DeadLetter(
                record=item.record,
                topic_id=item.topic_id,
                code=fault.code if isinstance(fault, Rejected) else HANDLER_FAILED,
                reason=reason_of(fault),
                attempts=attempts,
                first_at=self.now,
                last_at=self.time_source(),
            )
        )


def reason_of(fault: Exception) -> str:
    """The fault without what the record says: our own words, or its class and where it was raised."""
    if isinstance(fault, Rejected):
        return storable(str(fault))[:REASON_LENGTH]
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [it for it in frames if "site-packages" not in it.filename] or frames
    at = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{class_and_code(fault)}{at}"
