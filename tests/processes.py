"""What every process knows that a test starts with an environment of its own."""

from __future__ import annotations

import os

BARE = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")} | {
    "PATH": "/usr/bin:/bin"
}
"""Nothing but where programs are; and, when what the tests try is measured, that it is."""
