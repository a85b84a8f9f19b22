"""The database of a project: its collections, their rows, conditions on them, and exports."""

from __future__ import annotations

from interohm.database.database import COLLECTIONS, Database, Document

__all__ = ["COLLECTIONS", "Database", "Document"]
