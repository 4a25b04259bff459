from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from orchestrator.records import Records, open_records
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


async def _new_database(server: Server) -> str:
    name = f"records_{next(_numbers)}"
    connection = await asyncpg.connect(server.url(), timeout=20)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    finally:
        await connection.close()
    return server.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, on either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/urumi.db"
    return await _new_database(request.getfixturevalue("postgres"))


@pytest.fixture
async def postgres_url(postgres: Server) -> str:
    """The address of an empty database on PostgreSQL."""
    return await _new_database(postgres)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def records(url: str, clock: Clock) -> AsyncIterator[Records]:
    async with open_records(url, clock=clock) as opened:
        yield opened
