"""The examples of docs/operations.md on working time print what stands there; lines between may be left out."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.testing import CliRunner

from services.cli import app
from tests.conftest import ROOT


def examples() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.partition("## Working time\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\nleadbaton (.*?)\n```\n\n```text\n(.*?)\n```", section, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(examples()) == 3


@pytest.mark.parametrize(("command", "output"), examples())
def test_an_example_prints_its_output(
    command: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, result.output
    lines = iter([it.rstrip() for it in result.stdout.splitlines()])
    for line in output.splitlines():
        assert line in lines, f"{line!r} is not printed, or not in this order"
