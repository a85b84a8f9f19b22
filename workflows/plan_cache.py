"""Plans on disk, in the user's folder for what may be removed at any time."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: After that time without use a plan is removed.
_KEPT_S = 60 * 24 * 3600.0

#: How long to wait for another process that writes.
_PATIENCE_S = 10.0

#: Plans that are written in one transaction.
_TOGETHER = 50


def cache_file() -> Path:
    """Return the file: in ``XDG_CACHE_HOME``, or ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(root) / "interohm" / "plans.sqlite"


class PlanCache:
    """JSON documents by their names; empty where its file cannot be used.

    Nothing depends on it but time: what cannot be read or written is planned anew.
    """

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self._connection = connection
        self._pending: list[tuple[str, float, bytes]] = []

    @classmethod
    @contextlib.contextmanager
    def open(cls) -> Iterator[PlanCache]:
        """Open the cache; close it, with everything written, at the end of the block."""
        cache = cls(_connected())
        try:
            yield cache
        finally:
            cache._write()
            if cache._connection is not None:
                cache._connection.close()

    def find(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return those documents that are there."""
        if self._connection is None or not names:
            return {}
        marks = ",".join("?" * len(names))
        with contextlib.suppress(sqlite3.Error, zlib.error, ValueError):
            rows = self._connection.execute(
                f"SELECT name, used, content FROM plans WHERE name IN ({marks})", list(names)
            ).fetchall()
            now = time.time()
            old = [(now, name) for name, used, _ in rows if used < now - _KEPT_S / 10]
            if old:
                with self._connection:
                    self._connection.executemany("UPDATE plans SET used = ? WHERE name = ?", old)
            return {name: json.loads(zlib.decompress(content)) for name, _, content in rows}
        return {}

    def keep(self, name: str, document: Mapping[str, Any]) -> None:
        """Store a document."""
        if self._connection is not None:
            content = zlib.compress(json.dumps(document).encode(), 1)
            self._pending.append((name, time.time(), content))
            if len(self._pending) >= _TOGETHER:
                self._write()

    def _write(self) -> None:
        pending, self._pending = self._pending, []
        if self._connection is not None and pending:
            with contextlib.suppress(sqlite3.Error), self._connection:
                self._connection.executemany("REPLACE INTO plans VALUES (?, ?, ?)", pending)


def _connected() -> sqlite3.Connection | None:
    path = cache_file()
    connection: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=_PATIENCE_S)
        with connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS plans "
                "(name TEXT PRIMARY KEY, used REAL NOT NULL, content BLOB NOT NULL)"
            )
            connection.execute("DELETE FROM plans WHERE used < ?", [time.time() - _KEPT_S])
    except (OSError, sqlite3.Error):
        if connection is not None:
            connection.close()
        return None
    return connection
