from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from orchestrator.records import Records, open_records
from orchestrator.records.tables import metadata
from tests.records.postgres import INSTALL, Server, bin_dir
from tests.records.support import Clock

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    programs = bin_dir()
    if programs is None:
        pytest.skip(INSTALL)
    server = Server(programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _execute(url: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url, timeout=20)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def _new_database(server: Server) -> str:
    name = f"records_{next(_numbers)}"
    _execute(server.url(), f"CREATE DATABASE {name} TEMPLATE template0")
    return server.url(name)


@pytest.fixture(scope="session")
def used_databases() -> list[str]:
    """Databases of tests that are over: emptied, they are used again (quicker than a new one)."""
    return []


@pytest.fixture
def postgres_url(postgres: Server, used_databases: list[str]) -> Iterator[str]:
    """The address of a PostgreSQL database without a row."""
    url = used_databases.pop() if used_databases else _new_database(postgres)
    yield url
    tables = [t.name for t in reversed(metadata.sorted_tables) if t.name != "counters"]
    _execute(url, *(f"DELETE FROM {t}" for t in tables), "UPDATE counters SET value = 0")
    used_databases.append(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a row, on either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/urumi.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a table, on either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/urumi.db"
    return _new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def records(url: str, clock: Clock) -> AsyncIterator[Records]:
    async with open_records(url, clock=clock, shared_time=False) as opened:
        yield opened
