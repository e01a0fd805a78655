"""`python -m services.cli`: the command where no script is installed, and how processes are started."""

from __future__ import annotations

from services.cli import run

run()
