"""A new installation whose database comes from a backup."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.embedded.dumps import load
from shared.embedded.stack import LOCK, OURS, UNFINISHED, Say, Stack, usable
from shared.errors import LeadbatonError

MADE = OURS - {LOCK, "demo"}
"""What a restore makes; a demonstration beside it is another installation."""


class NotEmpty(LeadbatonError):
    """The directory holds an installation already."""

    code = "not_empty"


class Restoration(Stack):
    """The stack of an empty directory, filled before it is migrated. Without a key it makes a new one."""

    def __init__(self, data: Path, file: Path, secret_key: str | None) -> None:
        super().__init__(data)
        self._file = file
        self._secret_key = secret_key
        self._is_ours = False

    def _prepare(self) -> None:
        kept = sorted(path.name for path in self.data.iterdir() if path.name in MADE)
        if kept:
            raise NotEmpty(
                f"{self.data} is not empty, and a restore overwrites nothing (there is {kept[0]}): "
                "move that directory away, or choose another with --data"
            )
        self._is_ours = True
        (self.data / UNFINISHED).touch(mode=0o600)
        if self._secret_key is not None:
            key = self.data / "secret_key"
            key.touch(mode=0o600)
            key.write_text(self._secret_key)

    def _fill(self, url: str) -> None:
        load(url, self._file)

    def finish(self) -> None:
        """From here on the directory is an installation like any other."""
        (self.data / UNFINISHED).unlink()

    def undo(self) -> None:
        """Remove what this restore has made, if it has made anything."""
        if not self._is_ours:
            return
        for name in sorted(MADE - {UNFINISHED}):
            path = self.data / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (self.data / UNFINISHED).unlink(missing_ok=True)


@contextmanager
def restoration(data: Path, file: Path, secret_key: str | None, say: Say) -> Iterator[Stack]:
    """The restored installation, its servers running until the block ends; when it fails, nothing is left of it."""
    stack = Restoration(data, file, secret_key)
    whole = False
    with usable(data):
        try:
            stack.start(say)
            yield stack
            whole = True
        finally:
            stack.stop()
            if whole:
                stack.finish()
            else:
                with suppress(OSError):
                    stack.undo()
