"""What survives the process: every stored object and the last resourceVersion, in one SQLite file.

Invariants: a write is in the file before anybody hears of it, each is one transaction, and the
resourceVersion never falls. ``synchronous=OFF`` is enough: the operating system keeps what was
written when the process is killed, and a power cut may cost a simulation its last seconds.
Writes take some tens of microseconds, which is why they may run in the event loop.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from orchestrator.sandbox.values import Json, dump

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER);
INSERT OR IGNORE INTO counter VALUES (1, 1);
"""
_PUT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)"
_DROP = "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?"
_COUNT = "UPDATE counter SET version = ?"

Key = tuple[str, str, str]
"""Qualified resource, namespace (empty for cluster-wide kinds), name."""


class Journal:
    """The file behind the storage."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(_SCHEMA)

    def load(self) -> Iterator[tuple[Key, Json]]:
        """Yield every stored object."""
        for resource, namespace, name, body in self._connection.execute("SELECT * FROM objects"):
            yield (resource, namespace, name), json.loads(body)

    def version(self) -> int:
        """Return the last resourceVersion that was given out."""
        (version,) = self._connection.execute("SELECT version FROM counter").fetchone()
        return int(version)

    def put(self, key: Key, version: int, obj: Json) -> None:
        """Keep an object."""
        self._write(_PUT, (*key, dump(obj).decode()), version)

    def drop(self, key: Key, version: int) -> None:
        """Forget an object."""
        self._write(_DROP, key, version)

    def _write(self, statement: str, values: tuple[str, ...], version: int) -> None:
        self._connection.execute("BEGIN")
        try:
            self._connection.execute(statement, values)
            self._connection.execute(_COUNT, (version,))
        except sqlite3.Error:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
