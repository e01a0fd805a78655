"""A running installation for each broker while tests of this folder run; each test has people of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.embedded.broker import Broker
from tests.journey.world import World, world
from tests.kafka.server import ApacheKafka


@pytest.fixture(
    scope="package",
    params=[
        pytest.param(Broker, id="embedded"),
        pytest.param(ApacheKafka, id="apache_kafka", marks=pytest.mark.kafka),
    ],
)
def lasting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """All processes, on the embedded broker or on a real Apache Kafka."""
    with world(tmp_path_factory.mktemp("world"), request.param) as running:
        yield running


@pytest.fixture
def running(lasting: World) -> Iterator[World]:
    """The installation; all its processes and servers run again after the test."""
    yield lasting
    if lasting.neglected:
        lasting.restart()
