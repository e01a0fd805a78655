"""What all formats share: identifiers, times and names are brought into one notation."""

from __future__ import annotations
