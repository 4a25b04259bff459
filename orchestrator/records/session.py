"""Transactions: whole or not at all, whatever happens to the caller, with errors mapped.

Invariants: a transaction runs in a task of its own, so a cancelled caller never leaves one half
done or a connection lost (it waits for the end, which is near, and is then cancelled); the drivers'
exceptions do not leave this file but as causes; whoever waits for news is told after the commit.

On PostgreSQL the time is the database's: processes whose clocks differ share one queue, and a lease
must end for all of them at the same moment.

Every transaction that numbers something takes the counter's row first and holds it until it
commits: numbers appear in the order of commits, a reader that has seen n has seen all before n, and
because all take that row first they cannot deadlock.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import asyncpg
import sqlalchemy.exc
from databases import Database
from databases.core import Connection
from sqlalchemy import BigInteger, cast, extract, func, select, update
from sqlalchemy.sql import ClauseElement

from orchestrator.model.errors import RecordsError, RecordsUnavailable
from orchestrator.records.tables import counters

Row = Mapping[str, Any]
T = TypeVar("T")

_BUSY: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
    )
)
_STEP: Final = 5_000_000
"""Microseconds by which a clock may run ahead or behind between two transactions."""
_DATABASE_TIME: Final = cast(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
_PASSING: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when a connection breaks at a bad moment
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


@contextlib.contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn the drivers' errors into ours, the cause chained."""
    try:
        yield
    except sqlite3.Error as exc:
        # The extended code's low byte is the primary one.
        code = (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF
        kind = RecordsUnavailable if code in _BUSY else RecordsError
        raise kind(f"The database failed: {exc}") from exc
    except _PASSING as exc:
        what = str(exc) or type(exc).__name__
        raise RecordsUnavailable(f"The database does not answer: {what}") from exc
    except sqlalchemy.exc.DBAPIError as exc:
        raise RecordsError(f"The database failed: {exc.orig}") from exc
    except asyncpg.PostgresError as exc:
        raise RecordsError(f"The database failed: {exc}") from exc


class Signal:
    """Tells tasks of this process that something happened since they last looked."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def send(self) -> None:
        """Ring every ticket that was given out so far."""
        self._next.set()
        self._next = asyncio.Event()

    def ticket(self) -> asyncio.Event:
        """Return what the next `send` sets. Take it before looking, and nothing is missed."""
        return self._next


async def rung(ticket: asyncio.Event, seconds: float) -> bool:
    """Return True once the ticket was rung, False after ``seconds``."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await ticket.wait()
    except TimeoutError:
        return False
    return True


class Session:
    """What a transaction works with. ``now`` is its moment in microseconds."""

    def __init__(self, connection: Connection, now: int, *, alone: bool) -> None:
        self._connection = connection
        self._alone = alone
        self.now = now
        self.woke = False
        self.numbered = False

    async def all(self, query: ClauseElement) -> list[Row]:
        """Run a statement and return its rows."""
        return [row._mapping for row in await self._connection.fetch_all(query)]

    async def one(self, query: ClauseElement) -> Row | None:
        """Run a statement and return its first row."""
        row = await self._connection.fetch_one(query)
        return None if row is None else row._mapping

    async def run(self, query: ClauseElement) -> None:
        """Run a statement for its effect."""
        await self._connection.fetch_all(query)

    async def queue_up(self) -> None:
        """Take the counter's row: one transaction after the other from here to the commit.

        A writer of SQLite is alone from the start.
        """
        if not self._alone:
            await self._advance(0)

    async def number(self, count: int = 1) -> int:
        """Take ``count`` numbers and return the first. Only after `queue_up` or as first act."""
        self.numbered = True
        return await self._advance(count) - count + 1

    async def _advance(self, by: int) -> int:
        row = await self.one(
            update(counters)
            .where(counters.c.name == "seq")
            .values(value=counters.c.value + by)
            .returning(counters.c.value)
        )
        if row is None:
            raise RecordsError("The database has lost its counter: the row 'seq' is not there")
        return int(row["value"])


class Engine:
    """Reads, transactions, and the two signals that follow them."""

    def __init__(self, database: Database, clock: Callable[[], int], *, shared: bool) -> None:
        """``clock`` is this process's, in microseconds; ``shared``: the database's counts."""
        self._database = database
        self._clock = clock
        self._shared = shared
        self._ahead = 0
        self._since_boot: int | None = None
        self.steps = 0
        # SQLite has one writer at a time: in this process they come in turn, without polling.
        sqlite = database.url.dialect == "sqlite"
        self._turn: asyncio.Lock | None = asyncio.Lock() if sqlite else None
        self.woken = Signal()
        self.fed = Signal()

    def now(self) -> int:
        """Return the records' time, as far as the last transaction learned of it."""
        return self._clock() + self._ahead

    def of_process(self, moment: int) -> int:
        """Return what this process's clock shows at a moment of the records' time."""
        return moment - self._ahead

    def of_records(self, moment: int) -> int:
        """Return a moment of this process's clock in the records' time."""
        return moment + self._ahead

    async def all(self, query: ClauseElement) -> list[Row]:
        """Run one reading statement and return its rows."""
        with self._open():
            return [row._mapping for row in await self._database.fetch_all(query)]

    async def one(self, query: ClauseElement) -> Row | None:
        """Run one reading statement and return its first row."""
        with self._open():
            row = await self._database.fetch_one(query)
        return None if row is None else row._mapping

    async def write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run ``work`` in one transaction and return its result once that is committed."""
        task = asyncio.create_task(self._write(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # seen: nobody is left to tell
            raise

    async def _write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        with self._open():
            async with self._turn or contextlib.nullcontext(), self._transaction() as session:
                result = await work(session)
        if session.woke:
            self.woken.send()
        if session.numbered:
            self.fed.send()
        return result

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        if not self._database.is_connected:
            raise RecordsUnavailable("The database was closed")
        with mapped_errors():
            yield

    async def _moment(self, connection: Connection) -> int:
        """Return the time, and count when somebody set the clock since the last transaction."""
        now = await self._time(connection)
        before, self._since_boot = self._since_boot, now - time.monotonic_ns() // 1000
        if before is not None and abs(self._since_boot - before) > _STEP:
            self.steps += 1
        return now

    async def _time(self, connection: Connection) -> int:
        if not self._shared:
            return self._clock()
        row = await connection.fetch_one(select(_DATABASE_TIME))
        if row is None:
            raise RecordsError("The database does not tell the time")
        now = int(row[0])
        self._ahead = now - self._clock()
        return now

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Session]:
        """Begin, then commit or roll back; the connection goes back even when those fail.

        The Transaction of `databases` 0.9 keeps it then, hence its backend is used directly.
        """
        connection = self._database.connection()
        async with connection:
            transaction = connection._connection.transaction()
            await transaction.start(is_root=True, extra_options={})
            try:
                alone = self._turn is not None
                yield Session(connection, await self._moment(connection), alone=alone)
            except BaseException:
                with contextlib.suppress(sqlite3.Error, *_PASSING):
                    # A connection that broke cannot roll back; the server does it for us.
                    await transaction.rollback()
                raise
            await transaction.commit()
