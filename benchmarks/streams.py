"""A Kafka broker for benchmarks, and a stream of a website's events to fill it with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from shared.contracts.topic import Outgoing
from shared.contracts.topics import MARKETING_EVENTS
from shared.embedded.postgres import free_port
from shared.kafka.admin import create_topics
from shared.kafka.config import KafkaConfig
from tests.kafka.server import ApacheKafka

PARTITIONS = 12
AT_ONCE = 200
"""The number of people who are on the website at the same time."""
SCATTERED = 7_919
"""A prime, by which visitors are spread over all known people."""
PAGES = ("/", "/product", "/blog/seven-ways", "/pricing", "/docs/start", "/careers", "/security")
EVENT_TYPES = (
    ("page_viewed", 0.86), ("email_clicked", 0.05), ("content_downloaded", 0.03), ("form_submitted", 0.03),
    ("webinar_attended", 0.017), ("identified", 0.01), ("demo_requested", 0.003),
)  # fmt: skip
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@contextmanager
def kafka(partitions: int = PARTITIONS) -> Iterator[KafkaConfig]:
    """An Apache Kafka broker with every topic, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="leadbaton-bench-") as directory:
        server = ApacheKafka(Path(directory) / "kafka", free_port())
        server.start()
        try:
            config = KafkaConfig(
                (server.bootstrap,),
                keeps_log=True,
                partitions=partitions,
                replication=1,
                session_timeout_ms=6_000,
            )
            create_topics(config)
            yield config
        finally:
            server.kill()


def email_of(person: int) -> str:
    """The address of the person of this number."""
    return f"person{person}@firm{person % 1_000}.example.com"


@dataclass(slots=True)
class Website:
    """Visits of a few pages each, so that a person's events are close together.

    `visitors`, a thousand or more, is how many of the people ever come (by default everybody): people of the same kind,
    however many others are known.
    """

    people: int
    now: datetime
    visitors: int | None = None
    seed: int = 1
    _visits: list[list[int]] = field(default_factory=list)
    _made: int = 0

    def events(self, count: int) -> Iterator[Outgoing]:
        """The next `count` events, as records of about 450 bytes."""
        chance = Random(f"{self.seed}/{self._made}")  # noqa: S311 - a benchmark draws the same again
        types, weights = zip(*EVENT_TYPES, strict=True)
        for type_ in chance.choices(types, weights, k=count):
            self._made += 1
            yield self._record(self._next_person(chance), type_, chance)

    def _next_person(self, chance: Random) -> int:
        while len(self._visits) < AT_ONCE:
            self._visits.append([self._visitor(chance), chance.randint(1, 8)])
        at = chance.randrange(AT_ONCE)
        visit = self._visits[at]
        visit[1] -= 1
        if visit[1] == 0:
            self._visits[at] = self._visits[-1]
            self._visits.pop()
        return visit[0]

    def _visitor(self, chance: Random) -> int:
        visitors = self.visitors or self.people
        number = chance.randrange(visitors)
        return number + visitors * (number * SCATTERED % (self.people // visitors))

    def _record(self, person: int, type_: str, chance: Random) -> Outgoing:
        at = (self.now - timedelta(minutes=chance.random() * 60)).isoformat()
        id_ = f"{self.people}-{self.visitors or self.people}-{self.seed}-{self._made}"
        event = self._event(person, type_, chance.choice(PAGES))
        event |= {"source": "website", "id": id_, "type": type_, "time": at, "received_at": at}
        headers = (
            ("ce_specversion", b"1.0"),
            ("ce_id", f"website/{id_}".encode()),
            ("ce_source", b"website"),
            ("ce_type", MARKETING_EVENTS.type.encode()),
            ("ce_time", at.encode()),
            ("content-type", b"application/json"),
            ("traceparent", f"00-{self._made:032x}-{person:016x}-01".encode()),
        )
        key = email_of(person).encode()
        return Outgoing(MARKETING_EVENTS.name, key, orjson.dumps(event), headers)

    def _event(self, person: int, type_: str, path: str) -> dict[str, Any]:
        event: dict[str, Any] = {
            "kind": "identify" if type_ == "identified" else "track",
            "identity": {"email": email_of(person), "anonymous_id": f"visitor-{person}"},
            "traits": traits_of(person) if type_ == "identified" else {},
            "properties": {"path": path} if type_ == "page_viewed" else {"form": "whitepaper"},
            "context": {"page": {"path": path}, "user_agent": AGENT},
            "marks": [],
        }
        return event


def traits_of(person: int) -> dict[str, Any]:
    """The traits of the person; one of ten has a company that fits."""
    fits = person % 10 == 0
    return {
        "first_name": "Ada",
        "last_name": f"Number {person}",
        "company": f"Firm {person % 1_000}",
        "country": "DE",
        "industry": "software" if fits else "farming",
        "job_title": "Data Analyst",
        "seniority": "director" if fits else "individual",
        "employees": 200 if fits else 20,
    }


def bare_producer(config: KafkaConfig) -> KafkaProducer:
    """kafka-python's producer, set up for speed with every record acknowledged."""
    return KafkaProducer(
        bootstrap_servers=list(config.bootstrap),
        acks="all",
        enable_idempotence=False,
        max_in_flight_requests_per_connection=1,
        linger_ms=0,
        batch_size=65_536,
    )


def produce(config: KafkaConfig, records: Iterable[Outgoing]) -> None:
    """Put the records into their topics."""
    producer = bare_producer(config)
    for record in records:
        producer.send(
            record.topic, key=record.key, value=record.value, headers=list(record.headers)
        )
    producer.flush()
    producer.close()


def ends(config: KafkaConfig, topic: str) -> dict[TopicPartition, int]:
    """The end offset of each partition of the topic."""
    reader = KafkaConsumer(bootstrap_servers=list(config.bootstrap))
    partitions = [TopicPartition(topic, it) for it in range(config.partitions)]
    offsets: dict[TopicPartition, int] = reader.end_offsets(partitions)
    reader.close()
    return offsets
