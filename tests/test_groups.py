"""Tests of one installation run in one worker."""

from __future__ import annotations

import pytest

from tests.groups import group_of


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/browser/test_pages.py::test_a[/-light-375]", "browser"),
        ("tests/browser/test_live.py::test_b", "browser"),
        ("tests/journey/test_faults.py::test_c[embedded-sla]", "journey"),
        ("tests/journey/test_faults.py::test_c[apache_kafka-sla]", "journey on Apache Kafka"),
        ("tests/journey/test_merges.py::test_d[ApacheKafka]", "journey on Apache Kafka"),
        ("tests/fault/test_kills.py::test_e[Broker]", "fault"),
        (
            "tests/shared/kafka/test_security.py::test_f[PLAIN]",
            "tests/shared/kafka/test_security.py",
        ),
    ],
)
def test_a_group_has_one_installation_or_one_file(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group
