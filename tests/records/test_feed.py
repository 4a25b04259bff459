from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from orchestrator.model.store import Phase
from orchestrator.model.timeline import EntryType, NewEntry
from orchestrator.records import Records, open_records
from tests.records.support import ENTRY, make, taken

GONE = NewEntry(EntryType.DELETION, "Deleted", "gone")


async def test_a_reader_that_follows_the_numbers_misses_no_entry_of_many_writers(url: str) -> None:
    async with open_records(url) as here, open_records(url) as there:
        for i in range(4):
            await make(here, f"s{i}")
        start = await here.feed.head()
        seen: list[str] = []
        written = [f"{w}/{n}" for w in range(6) for n in range(25)]

        async def write(records: Records, writer: int) -> None:
            for n in range(25):
                entry = NewEntry(EntryType.HEALTH, "Seen", f"{writer}/{n}")
                await records.timeline.append(f"s{writer % 4}", entry)

        async def follow() -> None:
            position = start
            while len(seen) < len(written):
                assert await there.feed.wait(position, 10) > position, "the feed stopped"
                until = await there.feed.head()
                # What is read after the head may be newer than it, but nothing older is missing.
                entries = await there.feed.since(position, 200, None)
                upto = [e for e in entries if e.seq <= until]
                assert [e.seq for e in entries] == sorted({e.seq for e in entries})
                seen.extend(e.message for e in upto)
                position = until

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(follow())
            for w in range(6):
                group.create_task(write(here if w % 2 else there, w))

        assert sorted(seen) == sorted(written)
        for w in range(6):
            mine = [m for m in seen if m.startswith(f"{w}/")]
            assert mine == [f"{w}/{n}" for n in range(25)], "one writer's entries changed places"


async def test_the_feed_tells_of_entries_changes_and_deletions_by_owner(records: Records) -> None:
    assert await records.feed.head() == 0
    await make(records, "janes", owner="jane")
    claim = await taken(records)
    await make(records, "joes", owner="joe")
    after = await records.feed.head()

    store = await records.stores.get("janes")
    await records.status.save(claim, replace(store.status, phase=Phase.READY), [ENTRY])
    changed = await records.feed.stores_changed_since(after, "jane", 10)
    await records.status.remove(claim, GONE)

    entries = await records.feed.since(after, 10, "jane")
    assert [(e.reason, e.deleted) for e in entries] == [("Created", False), ("Deleted", True)]
    assert [(s.id, s.status.phase) for _, s in changed] == [("janes", Phase.READY)]
    assert after < changed[0][0] < entries[0].seq
    assert await records.feed.since(after, 10, "joe") == []
    assert await records.feed.stores_changed_since(after, None, 10) == []
    assert [s.id for _, s in await records.feed.stores_changed_since(0, None, 10)] == ["joes"]
    assert len(await records.feed.since(0, 2, None)) == 2
    assert await records.feed.since(10**30, 2, None) == []


async def test_waiting_for_news(url: str) -> None:
    async with open_records(url) as here, open_records(url) as there:
        await make(here, "acme")
        head = await here.feed.head()
        assert await here.feed.wait(head - 1, 60) == head
        assert await here.feed.wait(head, 0.05) == head

        async def delay(follower: Records) -> float:
            position = await here.feed.head()
            waits = [asyncio.create_task(follower.feed.wait(position, 20)) for _ in range(3)]
            await asyncio.sleep(0)
            began = time.monotonic()
            await here.timeline.append("acme", ENTRY)
            assert await asyncio.gather(*waits) == [position + 1] * 3
            return time.monotonic() - began

        assert await delay(here) < 0.9, "a write of this process was found by polling"
        assert await delay(there) < 10


async def test_the_newest_events_of_each_object(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(records, "acme")
    await make(records, "other")
    pod, service = "Pod/store-acme/x", "Service/store-acme/x"

    async def say(text: str, about: str | None, store: str = "acme") -> None:
        await records.timeline.append(store, NewEntry(EntryType.DRIFT, "Seen", text, object=about))

    for n in range(4):
        await say(str(n), pod)
        await say("again", service)
        await say("of nothing", None)
        await say("elsewhere", pod, "other")
    await say("0", pod)
    found = await records.timeline.by_object("acme", 3)
    assert [(e.message, e.count) for e in found[pod]] == [("0", 2), ("3", 1), ("2", 1)]
    assert [(e.message, e.count) for e in found[service]] == [("again", 4)]
    assert set(found) == {pod, service}
    assert found[pod][0].time >= found[pod][1].time
    monkeypatch.setattr("orchestrator.records.timeline.RECENT", 2)
    found = await records.timeline.by_object("acme", 3)
    assert [(e.message, e.count) for e in found[pod]] == [("0", 1)]
