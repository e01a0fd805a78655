"""`doctor` names settings for Kafka that contradict each other."""

from __future__ import annotations

from services.cli import checks
from shared.clock import utc_now
from shared.process.settings import Settings


def test_settings_for_kafka_that_contradict_each_other() -> None:
    [bad] = checks.broker(Settings(kafka_security_protocol="SASL_SSL"), utc_now())
    assert not bad.ok
    assert "LEADBATON_KAFKA_SASL_MECHANISM" in bad.detail
