"""What records survive: kills, cancelled callers, locks, a server that drops its connections."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.model.errors import RecordsError, RecordsUnavailable
from orchestrator.model.timeline import NewEntry
from orchestrator.records import Records, backend, open_records
from tests.records.support import ENTRY, make, sql, taken

WRITER = """
import asyncio, sys
from orchestrator.records import open_records
from tests.records.support import make

async def write(records, who):
    for i in range(10**6):
        await make(records, f"s{who}-{i}")
        print(f"s{who}-{i}", flush=True)

async def main():
    async with open_records(sys.argv[1]) as records, asyncio.TaskGroup() as group:
        for who in range(4):
            group.create_task(write(records, who))

asyncio.run(main())
"""
ROOT = Path(__file__).parents[2]


async def test_a_kill_in_the_middle_of_writes_loses_nothing_that_was_said_to_be_done(
    url: str,
) -> None:
    written: list[str] = []
    for run in range(2):
        code = WRITER.replace('f"s{who}', f'f"r{run}s{{who}}')
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, url), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        async with asyncio.timeout(60):
            while len(written) < 25 * (run + 1):
                written.append((await writer.stdout.readline()).decode().strip())
            writer.kill()
            written += (await writer.stdout.read()).decode().split()
            await writer.wait()

        if url.startswith("sqlite"):
            assert await sql(url, "PRAGMA integrity_check") == [("ok",)]
        async with open_records(url) as records:
            ids = {store_id for store_id, _ in await records.stores.all_ids()}
            assert set(written) <= ids
            entries = await records.feed.since(0, 10**6, None)
            assert {e.store_id for e in entries} == ids, "half a store was written"
            assert len(entries) == len(ids)
            assert await records.feed.head() == 2 * len(ids)
            assert (await records.claims.depth())[0] == len(ids)


async def test_cancelled_callers_leave_no_transaction_and_no_connection_behind(
    records: Records,
) -> None:
    chance = random.Random(7)
    await make(records, "acme")
    for _ in range(60):
        tasks = [
            asyncio.create_task(records.timeline.append("acme", ENTRY)),
            asyncio.create_task(records.stores.get("acme")),
            asyncio.create_task(records.claims.wake("acme")),
        ]
        await asyncio.sleep(chance.random() * 0.004)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async with asyncio.timeout(20):
        head = await records.feed.head()
        await asyncio.gather(*(records.timeline.append("acme", ENTRY) for _ in range(20)))
        assert await records.feed.head() == head + 20
        await taken(records, "acme")


async def test_an_error_inside_a_transaction_undoes_all_of_it(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(records, "acme")
    claim = await taken(records)
    before = await records.stores.get("acme"), await records.feed.head()
    broken = NewEntry(ENTRY.type, None, "an entry without a reason")  # type: ignore[arg-type]

    for _ in range(12):
        with pytest.raises(Exception, match="NoneType"):
            await records.status.save(claim, before[0].status, [ENTRY, broken])

    assert (await records.stores.get("acme"), await records.feed.head()) == before
    await records.timeline.append("acme", ENTRY)


async def test_a_database_that_stays_locked_is_unavailable_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "BUSY_TIMEOUT", 0.02)
    path = tmp_path / "urumi.db"
    async with open_records(f"sqlite:///{path}") as records:
        await make(records, "acme")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        # More often than there are connections: a failed BEGIN gives its connection back.
        for _ in range(12):
            with pytest.raises(RecordsUnavailable) as refused:
                await records.claims.take("tester", 60)
            assert isinstance(refused.value.__cause__, sqlite3.OperationalError)
        assert (await records.stores.get("acme")).id == "acme", "readers need not wait"
        other.execute("ROLLBACK")
        other.close()
        await taken(records, "acme")


async def test_a_server_that_drops_all_connections_is_found_again(postgres_url: str) -> None:
    async with open_records(postgres_url) as records:
        await make(records, "acme")
        drop = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for _ in range(4):
            writes = [asyncio.create_task(records.timeline.append("acme", ENTRY)) for _ in range(8)]
            await sql(postgres_url, drop)
            for done in await asyncio.gather(*writes, return_exceptions=True):
                assert done is None or isinstance(done, RecordsUnavailable), repr(done)
        async with asyncio.timeout(20):
            while True:
                try:
                    await asyncio.gather(
                        *(records.timeline.append("acme", ENTRY) for _ in range(12))
                    )
                except RecordsUnavailable:
                    continue
                break
            await records.ping()


async def test_use_after_close_is_an_error_and_not_a_hang(url: str) -> None:
    async with open_records(url) as records:
        await records.ping()
    async with asyncio.timeout(5):
        with pytest.raises(RecordsError):
            await records.ping()
        with pytest.raises(RecordsError):
            await records.claims.take("tester", 60)


@pytest.mark.parametrize(
    ("end", "code"), [("pass", 0), ("raise SystemExit(3)", 3), ("raise KeyboardInterrupt", -2)]
)
def test_the_interpreter_ends_at_once(url: str, end: str, code: int) -> None:
    program = f"""
import asyncio, sys
from orchestrator.records import open_records
async def main():
    async with open_records(sys.argv[1]) as records:
        await asyncio.gather(*(records.claims.wake_all() for _ in range(6)))
        {end}
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, url],
        cwd=ROOT,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == code
    assert b"never awaited" not in done.stderr and b"was destroyed" not in done.stderr


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_was_taken_away_is_written_no_more(
    tmp_path: Path, replaced: bool
) -> None:
    path = tmp_path / "urumi.db"
    async with open_records(f"sqlite:///{path}") as records:
        await make(records, "before")
        path.rename(tmp_path / "away.db")
        if replaced:
            path.touch()
        with pytest.raises(RecordsUnavailable, match="removed or replaced"):
            await make(records, "lost")
        with pytest.raises(RecordsUnavailable):
            await records.ping()
