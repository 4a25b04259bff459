"""How `databases` reaches SQLite and PostgreSQL here: pools that survive what happens to them.

Why: the SQLite backend of `databases` opens a connection and a thread for each query and begins
transactions deferred, which fails with "database is locked" under writers. Here a few connections
stay open, and transactions begin IMMEDIATE (session.py gives this process's writers turns; the busy
timeout is for others). WAL with synchronous=FULL: not even a power cut loses what was
committed. Every statement is one call of the connection's thread, so a cancelled caller leaves no
open cursor behind. For PostgreSQL only the way in differs: asyncpg reads the whole address itself
(sockets, TLS modes), and every command has its timeout.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final

import aiosqlite
import asyncpg
from databases import Database, DatabaseURL
from databases.backends.postgres import PostgresBackend
from databases.interfaces import ConnectionBackend, DatabaseBackend, Record, TransactionBackend
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql import ClauseElement
from sqlalchemy.util import LRUCache

from orchestrator.model.errors import RecordsUnavailable

CONNECT_TIMEOUT: Final = 5.0
COMMAND_TIMEOUT: Final = 10.0
_POOL: Final = 4
# Seconds for which SQLite waits for other processes that write.
BUSY_TIMEOUT = 5.0
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)


def register() -> None:
    """Make `databases` use these backends, and keep values out of the log."""
    # At level debug these two write out every statement with its values.
    for library in ("databases", "aiosqlite"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # It writes a traceback a second while the server is away; whoever asks is told, and says so.
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)
    here = __name__
    Database.SUPPORTED_BACKENDS["sqlite"] = f"{here}:PooledSQLite"
    Database.SUPPORTED_BACKENDS["postgresql"] = f"{here}:BoundedPostgres"


class BoundedPostgres(PostgresBackend):
    """PostgreSQL by asyncpg with its own reading of the address, and timeouts."""

    async def connect(self) -> None:
        """Open the pool."""
        self._pool = await asyncpg.create_pool(
            str(self._database_url),
            min_size=1,
            max_size=10,
            timeout=CONNECT_TIMEOUT,
            command_timeout=COMMAND_TIMEOUT,
            # A process that stands still inside a transaction must not hold up all others.
            server_settings={
                "application_name": "urumi-orchestrator",
                "idle_in_transaction_session_timeout": "30s",
            },
        )


class PlainRecord(Record):
    """One row of SQLite, by column name."""

    __slots__ = ("_row",)

    def __init__(self, row: dict[str, Any]) -> None:
        self._row = row

    @property
    def _mapping(self) -> Mapping[str, Any]:
        return self._row

    def __getitem__(self, key: Any) -> Any:
        return list(self._row.values())[key] if isinstance(key, int) else self._row[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)


class PooledSQLite(DatabaseBackend):
    """A few connections to one file, handed out in turn."""

    def __init__(self, database_url: DatabaseURL | str, **_: Any) -> None:
        self._path = DatabaseURL(database_url).database
        self._idle: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self._all: list[aiosqlite.Connection] = []
        self._identity: tuple[int, int] | None = None
        self.statements: LRUCache[Any, Any] = LRUCache(500)

    async def connect(self) -> None:
        """Open the connections; those that were opened are closed when one cannot be."""
        try:
            for _ in range(_POOL):
                connection = await aiosqlite.connect(
                    self._path, isolation_level=None, timeout=BUSY_TIMEOUT
                )
                self._all.append(connection)
                for pragma in _PRAGMAS:
                    await connection.execute_fetchall(pragma)
                self._idle.put_nowait(connection)
            self._identity = self._look()
        except BaseException:
            await self.disconnect()
            raise

    def _look(self) -> tuple[int, int] | None:
        """Return which file is at the path now; a look costs a microsecond."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    async def disconnect(self) -> None:
        """Close every connection: one left open would hold up the interpreter's exit."""
        while self._all:
            await self._all.pop().close()
        self._idle = asyncio.Queue()

    def connection(self) -> SQLiteConnection:
        """Return a handle that takes a connection when it is entered."""
        return SQLiteConnection(self)

    async def take(self) -> aiosqlite.Connection:
        """Wait for an idle connection.

        Errors: RecordsUnavailable, when the file was removed or replaced: SQLite would go on in the
        one that nobody can find any more, and whatever is written there is lost.
        """
        if self._look() != self._identity:
            raise RecordsUnavailable(
                f"The database file {self._path} was removed or replaced; restart the service"
            )
        return await self._idle.get()

    def give_back(self, connection: aiosqlite.Connection) -> None:
        """Make a connection available again."""
        self._idle.put_nowait(connection)


class SQLiteConnection(ConnectionBackend):
    """One caller's hold on a pooled connection."""

    _dialect: Final = pysqlite.dialect(paramstyle="qmark")

    def __init__(self, pool: PooledSQLite) -> None:
        self.pool = pool
        self._connection: aiosqlite.Connection | None = None

    async def acquire(self) -> None:
        """Take a connection out of the pool."""
        self._connection = await self.pool.take()

    async def release(self) -> None:
        """Give it back."""
        if self._connection is not None:
            self.pool.give_back(self._connection)
            self._connection = None

    async def fetch_all(self, query: ClauseElement) -> list[Record]:
        """Run a statement and return all of its rows (none, if it returns none)."""
        compiled, params = self._compiled(query)
        processors = compiled._bind_processors
        args = [
            processors[key](params[key]) if key in processors else params[key]
            for key in compiled.positiontup or ()
        ]
        names = [column[0] for column in compiled._result_columns]
        rows = await self.raw_connection.execute_fetchall(compiled.string, args)
        return [PlainRecord(dict(zip(names, row, strict=True))) for row in rows]

    def _compiled(self, query: Any) -> tuple[Any, Any]:
        """Return a statement's SQL, from the cache where there is one of its form, and its values.

        The cache is SQLAlchemy's own ("SQL Compilation Caching"), which `databases` leaves out. A
        list whose length is part of the SQL (IN) is compiled each time.
        """
        compiled, extracted, collected, _ = query._compile_w_cache(
            dialect=self._dialect, compiled_cache=self.pool.statements, column_keys=[]
        )
        if compiled.post_compile_params or compiled.literal_execute_params:
            whole = {"render_postcompile": True}
            compiled = query.compile(dialect=self._dialect, compile_kwargs=whole)
            return compiled, compiled.construct_params()
        params = compiled.construct_params(
            extracted_parameters=extracted, _collected_params=collected
        )
        return compiled, params

    async def fetch_one(self, query: ClauseElement) -> Record | None:
        """Run a statement and return its first row."""
        return next(iter(await self.fetch_all(query)), None)

    async def execute(self, query: ClauseElement) -> Any:
        """Run a statement for its effect."""
        await self.fetch_all(query)

    def transaction(self) -> TransactionBackend:
        """Return a transaction that writes."""
        return SQLiteTransaction(self)

    @property
    def raw_connection(self) -> aiosqlite.Connection:
        """The connection that is held."""
        if self._connection is None:
            raise sqlite3.InterfaceError("the connection was given back already")
        return self._connection


class SQLiteTransaction(TransactionBackend):
    """BEGIN IMMEDIATE to COMMIT or ROLLBACK. Nested transactions are not used here."""

    def __init__(self, connection: SQLiteConnection) -> None:
        self._connection = connection

    async def start(self, is_root: bool, extra_options: dict[Any, Any]) -> None:
        """Begin as a writer, waiting for other processes as long as the busy timeout says."""
        await self._run("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        """Commit; what cannot be committed is rolled back."""
        try:
            await self._run("COMMIT")
        except BaseException:
            await self.rollback()
            raise

    async def rollback(self) -> None:
        """Undo everything since the start."""
        # SQLite ends some transactions by itself (a full disk): ROLLBACK would then be an error.
        if self._connection.raw_connection.in_transaction:
            await self._run("ROLLBACK")

    async def _run(self, statement: str) -> None:
        await self._connection.raw_connection.execute_fetchall(statement)
