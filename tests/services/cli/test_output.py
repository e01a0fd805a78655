"""Tests of what commands print."""

from __future__ import annotations

import pytest

from services.cli.output import print_json


def test_a_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        print_json({"value": object()})
