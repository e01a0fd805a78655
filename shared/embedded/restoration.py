"""A new installation whose database comes from a backup."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.embedded.dumps import load
from shared.embedded.stack import LOCK, OWN_FILES, UNFINISHED, Report, Stack, explain_disk_errors
from shared.errors import LeadbatonError

RESTORED_FILES = OWN_FILES - {LOCK, "demo"}
"""The files that a restore makes. A demonstration in the same directory is another installation."""


class NotEmpty(LeadbatonError):
    """The directory holds an installation already."""

    code = "not_empty"


class Restoration(Stack):
    """The stack of an empty directory, whose database is filled before it is migrated. Without a key it makes one."""

    def __init__(self, data: Path, file: Path, secret_key: str | None) -> None:
        super().__init__(data)
        self._file = file
        self._secret_key = secret_key
        self._has_begun = False

    def _prepare(self) -> None:
        existing = sorted(path.name for path in self.data.iterdir() if path.name in RESTORED_FILES)
        if existing:
            raise NotEmpty(
                f"{self.data} is not empty, and a restore overwrites nothing (there is {existing[0]}): "
                "move that directory away, or choose another with --data"
            )
        self._has_begun = True
        (self.data / UNFINISHED).touch(mode=0o600)
        if self._secret_key is not None:
            key = self.data / "secret_key"
            key.touch(mode=0o600)
            key.write_text(self._secret_key)

    def _fill(self, url: str) -> None:
        load(url, self._file)

    def finish(self) -> None:
        """Mark the restore as complete."""
        (self.data / UNFINISHED).unlink()

    def undo(self) -> None:
        """Remove all files of this restore, if it has begun."""
        if not self._has_begun:
            return
        for name in sorted(RESTORED_FILES - {UNFINISHED}):
            path = self.data / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (self.data / UNFINISHED).unlink(missing_ok=True)


@contextmanager
def restoration(data: Path, file: Path, secret_key: str | None, report: Report) -> Iterator[Stack]:
    """The restored installation, whose servers run until the block ends. After an error its files are removed."""
    stack = Restoration(data, file, secret_key)
    is_complete = False
    with explain_disk_errors(data):
        try:
            stack.start(report)
            yield stack
            is_complete = True
        finally:
            stack.stop()
            if is_complete:
                stack.finish()
            else:
                with suppress(OSError):
                    stack.undo()
