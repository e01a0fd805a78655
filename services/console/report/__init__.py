"""What both teams look at together: sections of figures, for the console's page, a file and a terminal alike."""

from __future__ import annotations
