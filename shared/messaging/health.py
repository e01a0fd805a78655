"""The route that shows how far the installation is behind: the outbox, dead letters, the lag of each group."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from shared.auth.keys import ExpiredKey, UnknownKey, WrongScope
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.problems import problems
from shared.messaging import dead_letters, outbox
from shared.messaging.stored_lag import TopicLag, stored_lags

router = APIRouter(prefix="/v1", tags=["health"])


class OutboxOut(BaseModel):
    """Records that are committed and not yet published."""

    unpublished: int
    oldest_s: float = Field(description="Seconds that the oldest of them has waited.")


class DeadLettersOut(BaseModel):
    """Dead letters that are not replayed: `leadbaton dead list` shows each."""

    topic: str
    code: str
    count: int


class LagOut(BaseModel):
    """How far a group is behind in a topic."""

    group: str
    topic: str
    records: int = Field(description="Records that the group has not processed.")
    oldest_s: float = Field(description="Seconds that the first of them has waited.")
    measured_at: datetime = Field(
        description="The relay measures it every 10 s while Kafka answers; an old instant says that it does not."
    )

    @classmethod
    def of(cls, lag: TopicLag, now: datetime) -> LagOut:
        """The lag as it is answered."""
        waited = 0.0 if lag.oldest_at is None else (now - lag.oldest_at).total_seconds()
        return cls(
            group=lag.group,
            topic=lag.topic,
            records=lag.records,
            oldest_s=max(waited, 0.0),
            measured_at=lag.measured_at,
        )


class HealthOut(BaseModel):
    """How far the installation is behind."""

    outbox: OutboxOut
    dead_letters: list[DeadLettersOut]
    lags: list[LagOut]


@router.get("/health", responses=problems(UnknownKey, ExpiredKey, WrongScope))
def health(
    session: Tx,
    now: Now,
    _: OpsOrRead,
) -> HealthOut:
    """What waits to be published, what could not be processed, and how far each group is behind."""
    backlog = outbox.backlog(session)
    return HealthOut(
        outbox=OutboxOut(unpublished=backlog.rows, oldest_s=backlog.age_s(now)),
        dead_letters=[
            DeadLettersOut(topic=topic, code=code, count=count)
            for (topic, code), count in sorted(
                dead_letters.count_unreplayed_by_code(session).items()
            )
        ],
        lags=[LagOut.of(it, now) for it in stored_lags(session)],
    )
