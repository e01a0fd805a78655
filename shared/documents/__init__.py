"""YAML files that people write, read into models; every fault has its line and column."""

from __future__ import annotations

from shared.documents.document import (
    Document,
    Fault,
    InvalidDocument,
    Reading,
    Unread,
    read,
    text_of,
)
from shared.documents.spelling import nearest
from shared.documents.tree import Path

__all__ = [
    "Document",
    "Fault",
    "InvalidDocument",
    "Path",
    "Reading",
    "Unread",
    "nearest",
    "read",
    "text_of",
]
