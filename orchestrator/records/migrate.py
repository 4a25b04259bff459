"""Brings a database to the newest schema, before anything else uses it.

Invariants: one migrator at a time, whatever process it is in (BEGIN IMMEDIATE on SQLite, an
advisory lock on PostgreSQL), and all of it in one transaction, so that a kill in the middle leaves
the schema as it was. A database that a newer version made is refused, not guessed at.

On SQLite Alembic works on a plain connection in a thread. On PostgreSQL it writes its revisions as
a script of SQL, which asyncpg then runs: no second driver, and a revision must therefore not read
data by Python. Alembic's ``op`` is a global of the process, hence the thread lock.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, Final

import asyncpg
import sqlalchemy
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.pool import StaticPool

from orchestrator.model.errors import RecordsError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# "urumi" in ASCII: a number that no other program in the same database locks.
_ADVISORY_LOCK: Final = 0x7572756D69
_LOCK_WAIT: Final = 60.0
"""Seconds to wait for another process that migrates."""

_alembic: Final = threading.Lock()


def script_directory() -> ScriptDirectory:
    """Return the revisions that ship with the package."""
    return ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS / "versions")])


def migrate_sqlite(path: str) -> None:
    """Migrate a SQLite file; blocks, so run it in a thread. Errors: sqlite3's, RecordsError."""
    raw = sqlite3.connect(path, isolation_level=None, timeout=_LOCK_WAIT, check_same_thread=False)
    engine = sqlalchemy.create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    sqlalchemy.event.listen(engine, "begin", _begin_immediate)
    try:
        _use_write_ahead_log(raw)
        with engine.begin() as connection:
            _upgrade({"connection": connection}, {})
    finally:
        engine.dispose()
        raw.close()


async def migrate_postgres(dsn: str) -> None:
    """Migrate a PostgreSQL database. Errors: asyncpg's, OSError, RecordsError."""
    connection = await asyncpg.connect(dsn, timeout=5, command_timeout=_LOCK_WAIT)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _ADVISORY_LOCK)
            current = None
            if await connection.fetchval("SELECT to_regclass('alembic_version')::text"):
                current = await connection.fetchval("SELECT version_num FROM alembic_version")
            script = await asyncio.to_thread(postgres_script, current)
            if script:
                await connection.execute(script)
    finally:
        await connection.close(timeout=5)


def postgres_script(current: str | None) -> str:
    """Return the SQL that brings a PostgreSQL database from revision ``current`` to the newest."""
    output = StringIO()
    opts = {"as_sql": True, "starting_rev": current, "output_buffer": output}
    _upgrade({"dialect_name": "postgresql"}, opts)
    return output.getvalue()


def _upgrade(target: dict[str, Any], opts: dict[str, Any]) -> None:
    with _alembic:
        script = script_directory()
        # The transaction is ours: Alembic is told that DDL is part of it and opens none.
        opts = {**opts, "script": script, "transactional_ddl": True, "fn": _to_head(script)}
        context = MigrationContext.configure(**target, opts=opts)
        try:
            with Operations.context(context):
                context.run_migrations()
        except CommandError as exc:
            raise RecordsError(
                f"The database was made by a newer version of this program: {exc}"
            ) from exc


def _to_head(script: ScriptDirectory) -> Callable[[Any, MigrationContext], Any]:
    def steps(revision: Any, _: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)

    return steps


def _begin_immediate(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _use_write_ahead_log(raw: sqlite3.Connection) -> None:
    """Switch to WAL, for good. SQLite does not wait by itself for others who switch just now."""
    deadline = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
