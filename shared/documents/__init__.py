"""YAML files that people write, read into models; every fault has its line and column."""

from __future__ import annotations

from shared.documents.document import Document, Fault, InvalidDocument, read, text_of
from shared.documents.tree import Path
from shared.documents.wording import nearest

__all__ = ["Document", "Fault", "InvalidDocument", "Path", "nearest", "read", "text_of"]
