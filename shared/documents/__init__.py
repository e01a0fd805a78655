"""Files that people write, YAML and CSV, read into models; every fault has its line and column."""

from __future__ import annotations

from shared.documents.csv_file import CsvFile
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
    "CsvFile",
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
