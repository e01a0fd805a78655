"""A client that cannot connect is closed, and says why."""

from __future__ import annotations

import threading

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, RequestTimedOutError
from kafka.net.compat import KafkaNetClient

from shared.embedded.postgres import free_port
from shared.kafka import config
from shared.kafka.admin import topic_ids
from shared.kafka.errors import BrokerAway
from shared.kafka.patches.failed_connects import client_log, closing_on_failure
from shared.process.settings import Settings


def test_the_unpatched_client_leaves_a_thread_and_hides_the_reason() -> None:
    """The patch is no longer needed when this fails."""
    clients: list[KafkaNetClient] = []

    def make(*arguments: object, **options: object) -> KafkaNetClient:
        clients.append(KafkaNetClient(*arguments, **options))
        return clients[-1]

    before = set(threading.enumerate())
    with pytest.raises(KafkaTimeoutError) as error:
        KafkaAdminClient(
            kafka_client=make,
            bootstrap_servers=[f"127.0.0.1:{free_port()}"],
            bootstrap_timeout_ms=200,
        )
    left = set(threading.enumerate()) - before
    clients[0].close()

    assert left
    assert "refused" not in str(error.value).lower()
    assert error.value.__cause__ is None


def test_where_nobody_listens_the_refused_connection_is_the_reason() -> None:
    nobody = config.of(Settings(kafka_bootstrap=f"127.0.0.1:{free_port()}"))
    with pytest.raises(BrokerAway) as away:
        topic_ids(nobody, [])
    reason = away.value.__cause__
    assert isinstance(reason, KafkaConnectionError)
    assert isinstance(reason.__cause__, KafkaTimeoutError)


REFUSED, SLOW, LATE = (
    KafkaConnectionError("socket disconnected"),
    KafkaConnectionError("Connection timed out"),
    RequestTimedOutError("after 63 ms"),
)


@pytest.mark.parametrize(
    ("logged", "reason"),
    [
        ([REFUSED, SLOW], REFUSED),
        ([REFUSED, LATE], REFUSED),
        ([SLOW, REFUSED], REFUSED),
        ([SLOW, LATE], LATE),
        ([SLOW, KafkaTimeoutError("Unable to bootstrap")], SLOW),
    ],
)
def test_a_time_out_at_the_end_does_not_hide_why_attempts_before_it_failed(
    logged: list[KafkaError], reason: KafkaError
) -> None:
    with pytest.raises(KafkaError) as raised:
        fail_with(KafkaTimeoutError("Unable to bootstrap"), logged=logged)
    assert raised.value is reason


@pytest.mark.parametrize("is_logged", [True, False])
def test_an_error_never_causes_itself(*, is_logged: bool) -> None:
    error = KafkaError("this one")
    with pytest.raises(KafkaError) as raised:
        fail_with(error, logged=[error] if is_logged else [])
    assert raised.value is error
    assert error.__cause__ is None


def fail_with(error: KafkaError, *, logged: list[KafkaError]) -> None:
    with closing_on_failure():
        for failure in logged:
            client_log.error("failed: %s", failure)
        raise error
