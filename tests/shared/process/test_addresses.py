"""Hosts, ports, brokers and URLs as settings write them."""

from __future__ import annotations

import pytest

from shared.process.addresses import ports_of
from shared.process.settings import Settings


def test_numbers_and_ranges_are_ports() -> None:
    assert ports_of("80, 443,1024-1026") == {80, 443, 1024, 1025, 1026}
    assert len(ports_of("1-65535")) == 65_535


@pytest.mark.parametrize("text", ["", "80,", "0", "65536", "90-80", "a", "-1", "1-2-3", "٤٤٣9999"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="80,443,1024-65535"):
        ports_of(text)


def test_a_setting_that_is_no_list_of_ports_is_refused() -> None:
    assert Settings(allow_ports="443,8000-8001").ports() == {443, 8000, 8001}
    with pytest.raises(ValueError, match="'http' is no port"):
        Settings(allow_ports="443,http")
