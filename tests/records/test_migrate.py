from __future__ import annotations

import asyncio
import logging
import stat
import sys
from pathlib import Path

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects.postgresql.base import PGDialect

from orchestrator.model.errors import RecordsError, RecordsUnavailable
from orchestrator.records import open_records
from orchestrator.records.migrate import postgres_script, script_directory
from orchestrator.records.tables import metadata
from tests.records.support import make, sql

HEAD = script_directory().get_current_head()
OPEN = """
import asyncio, sys
from orchestrator.records import open_records
async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    async with open_records(sys.argv[1]) as records:
        print(await records.feed.head())
asyncio.run(main())
"""


async def test_opening_again_changes_nothing(new_url: str) -> None:
    async with open_records(new_url) as records:
        await make(records, "acme")
    async with open_records(new_url) as records:
        assert (await records.stores.get("acme")).id == "acme"
    assert await sql(new_url, "SELECT version_num FROM alembic_version") == [(HEAD,)]


async def test_processes_that_start_at_once_all_come_up(new_url: str) -> None:
    starting = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", OPEN, new_url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    async with asyncio.timeout(60):
        for process in starting:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        results = await asyncio.gather(*(p.communicate(b"go\n") for p in starting))
    assert [(out, err.decode()) for out, err in results] == [(b"0\n", "")] * 3
    assert await sql(new_url, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert await sql(new_url, "SELECT name, value FROM counters") == [("seq", 0)]


async def test_the_migrations_make_exactly_the_tables_that_the_queries_expect(
    tmp_path: Path,
) -> None:
    async with open_records(f"sqlite:///{tmp_path}/urumi.db"):
        pass
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/urumi.db")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert found == []


async def test_both_dialects_have_the_same_tables(new_url: str) -> None:
    async with open_records(new_url):
        pass
    for table in metadata.sorted_tables:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        assert await sql(new_url, f"SELECT {columns} FROM {table.name} WHERE 1 = 0") == []
    if new_url.startswith("postgresql"):
        collated = await sql(
            new_url,
            "SELECT table_name || '.' || column_name FROM information_schema.columns"
            " WHERE collation_name = 'C' AND table_schema = 'public'",
        )
        dialect = PGDialect()  # type: ignore[no-untyped-call]
        expected = {
            f"{c.table.name}.{c.name}"
            for table in metadata.sorted_tables
            for c in table.columns
            if getattr(c.type.dialect_impl(dialect), "collation", None)
        }
        assert {name for (name,) in collated} == expected


def test_an_up_to_date_postgres_needs_no_sql() -> None:
    assert "CREATE TABLE stores" in postgres_script(None)
    assert postgres_script(HEAD).strip() == ""


async def test_a_database_of_a_newer_version_is_left_alone(new_url: str) -> None:
    async with open_records(new_url):
        pass
    await sql(new_url, "UPDATE alembic_version SET version_num = '9999' RETURNING version_num")
    with pytest.raises(RecordsError, match="newer version"):
        async with open_records(new_url):
            pytest.fail("it opened")
    assert await sql(new_url, "SELECT version_num FROM alembic_version") == [("9999",)]


async def test_migrating_leaves_logging_as_it_was(new_url: str) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("alembic").disabled)
    mine = logging.getLogger("orchestrator.some.room")
    async with open_records(new_url):
        assert (list(root.handlers), root.level, logging.getLogger("alembic").disabled) == before
        assert not mine.disabled


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new folder %41" / "urumi.db"
    address = str(path).replace("%", "%25")
    async with open_records(f"sqlite:///{address}") as records:
        await make(records, "acme")
        files = sorted(path.parent.iterdir())
        assert path in files and len(files) > 1
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite://", "must be a file"),
        ("mysql://localhost/x", "sqlite or postgresql"),
    ],
)
async def test_addresses_that_cannot_be(address: str, error: str) -> None:
    with pytest.raises(RecordsError, match=error):
        async with open_records(address):
            pytest.fail("it opened")


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for address in (
        f"postgresql://urumi:hush@/urumi?host={tmp_path}",
        "postgresql://urumi:hush@127.0.0.1:1/urumi",
        f"sqlite:///{tmp_path}/folder",
    ):
        with pytest.raises(RecordsUnavailable) as refused:
            async with open_records(address):
                pytest.fail("it opened")
        assert refused.value.__cause__ is not None
        assert "hush" not in str(refused.value)


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "urumi.db").write_text("dear diary, " * 1000)
    with pytest.raises(RecordsError, match="not a database"):
        async with open_records(f"sqlite:///{tmp_path}/urumi.db"):
            pytest.fail("it opened")
