"""Runs the `leadbaton` command fast: one process imports it, and forks for each call.

Imports are almost all that a call costs otherwise. Each call has its own arguments, environment, directory, output and
exit code. The tests of `--help`, `leadbaton up`, the demo and the tutorial start the command in a new Python.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from services.cli import COMMANDS, SERVICES
from tests.processes import BARE_ENVIRONMENT

ENVIRONMENT = {**BARE_ENVIRONMENT, "NO_COLOR": "1", "COLUMNS": "100"}
ALSO_NEEDED = ("services.cli.errors", "shared.process.logs", "typer.rich_utils")

_started: list[subprocess.Popen[str]] = []
"""The process that forks, once a test has called the command."""


def leadbaton(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with only these variables in its environment. PWD is its working directory."""
    with tempfile.TemporaryDirectory(prefix="leadbaton-command-") as folder:
        call = {
            "arguments": arguments,
            "environment": {**ENVIRONMENT, **environment},
            "directory": environment.get("PWD", str(Path.cwd())),
            "stdout": f"{folder}/stdout",
            "stderr": f"{folder}/stderr",
        }
        code = _answer(json.dumps(call))
        output = [Path(folder, name).read_text() for name in ("stdout", "stderr")]
    return subprocess.CompletedProcess(arguments, code, *output)


def _answer(line: str) -> int:
    if not _started:
        _started.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.commands"],
                env=ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parent.parent,
            )
        )
    [server] = _started
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(f"{line}\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def close() -> None:
    """End the process that forks, if one was started."""
    while _started:
        with _started.pop() as server:
            assert server.stdin is not None
            server.stdin.close()  # it ends then


def _serve() -> None:
    """Fork for each line of standard input, and write the fork's exit code; the fork itself returns."""
    for name in {location.partition(":")[0] for location, _ in (COMMANDS | SERVICES).values()}:
        import_module(name)
    for name in ALSO_NEEDED:
        import_module(name)
    gc.collect()
    gc.freeze()  # the forks leave the memory of what was imported alone
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            _run_as(json.loads(line))
            return
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run_as(call: dict[str, Any]) -> None:
    """Run the command of the call, with the arguments, environment, directory and output of the call."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for path, number in ((os.devnull, 0), (call["stdout"], 1), (call["stderr"], 2)):
        opened = os.open(path, flags if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(call["environment"])
    os.chdir(call["directory"])
    sys.argv[1:] = call["arguments"]
    runpy.run_module("services.cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
