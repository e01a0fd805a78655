"""Files that people write: YAML read into a model, and every fault told with its line and column."""

from __future__ import annotations

from shared.documents.document import Document, Fault, InvalidDocument, Path, read

__all__ = ["Document", "Fault", "InvalidDocument", "Path", "read"]
