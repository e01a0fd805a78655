"""Which tests one worker runs where several share them: starting an installation takes long, so a group has one."""

from __future__ import annotations

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

HAVE_INSTALLATIONS = ("browser", "fault", "journey")
"""Folders whose tests share an installation on each broker."""


class GroupScheduling(LoadScopeScheduling):
    """Gives whole groups to workers, those with the most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The tests of a folder on one broker where they share an installation, otherwise the tests of a file."""
    path, _, test = nodeid.partition("::")
    folder = PurePosixPath(path).parent.name
    if folder not in HAVE_INSTALLATIONS:
        return path
    return f"{folder} on Apache Kafka" if "apache" in test.lower() else folder
