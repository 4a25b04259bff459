"""The records room: the only importer of `databases`; tables, migrations, queries, event feed.

Why: desired state, observed state and the queue live in a database, so that no in-memory state
matters. Every public method that writes is one transaction, atomic whatever happens to the caller;
errors are those of model.errors with the driver's exception as cause.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from databases import Database, DatabaseURL

from orchestrator.model.errors import RecordsError
from orchestrator.records import backend
from orchestrator.records.audit import Audit, AuditRecord
from orchestrator.records.claims import Claim, Claims
from orchestrator.records.cursors import Page
from orchestrator.records.feed import Feed
from orchestrator.records.idempotency import Idempotency, IdempotencyKey, StoredAnswer
from orchestrator.records.migrate import migrate_postgres, migrate_sqlite
from orchestrator.records.people import People
from orchestrator.records.revisions import Revisions
from orchestrator.records.rows import micros
from orchestrator.records.samples import Samples
from orchestrator.records.session import Engine, mapped_errors
from orchestrator.records.sessions import Sessions
from orchestrator.records.status import Statuses
from orchestrator.records.stores import CreatedStore, NewStoreRow, StoreQuery, Stores
from orchestrator.records.timeline import Timeline

__all__ = [
    "AuditRecord",
    "Claim",
    "Clock",
    "CreatedStore",
    "IdempotencyKey",
    "NewStoreRow",
    "Page",
    "Records",
    "StoreQuery",
    "StoredAnswer",
    "open_records",
]

Clock = Callable[[], datetime]


def utcnow() -> datetime:
    """Return the present in UTC."""
    return datetime.now(UTC)


class Records:
    """Everything that is recorded, by subject."""

    def __init__(self, engine: Engine) -> None:
        self.stores = Stores(engine)
        self.claims = Claims(engine)
        self.revisions = Revisions(engine)
        self.status = Statuses(engine)
        self.timeline = Timeline(engine)
        self.feed = Feed(engine)
        self.people = People(engine)
        self.sessions = Sessions(engine)
        self.samples = Samples(engine)
        self.idempotency = Idempotency(engine)
        self.audit = Audit(engine)

    async def ping(self) -> None:
        """Ask the database for something. Errors: RecordsUnavailable."""
        await self.feed.head()


@contextlib.asynccontextmanager
async def open_records(
    url: str, *, clock: Clock = utcnow, shared_time: bool = True
) -> AsyncIterator[Records]:
    """Migrate a database to the newest schema, open it, and close it again.

    ``url`` is ``sqlite:///path`` (``sqlite:////absolute/path``) or ``postgresql://…`` as libpq
    reads it. ``clock`` is this process's; with ``shared_time`` PostgreSQL's own counts instead.
    Errors: RecordsUnavailable, RecordsError.
    """
    backend.register()
    with mapped_errors():
        await _prepare(DatabaseURL(url))
        database = Database(url)
        await database.connect()
    try:
        shared = shared_time and database.url.dialect == "postgresql"
        yield Records(Engine(database, lambda: micros(clock()), shared=shared))
    finally:
        await database.disconnect()


async def _prepare(url: DatabaseURL) -> None:
    if url.dialect == "sqlite":
        path = Path(url.database)
        if sqlite3.sqlite_version_info < (3, 35):
            raise RecordsError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed")
        if url.database in ("", ":memory:"):
            raise RecordsError("The database must be a file: sqlite:///path")
        await asyncio.to_thread(_make_private, path)
        await asyncio.to_thread(migrate_sqlite, url.database)
    elif url.dialect == "postgresql":
        await migrate_postgres(str(url))
    else:
        raise RecordsError(f"No such kind of database: {url.dialect} (sqlite or postgresql)")


def _make_private(path: Path) -> None:
    """Create the file for its owner alone; SQLite gives its companions the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
