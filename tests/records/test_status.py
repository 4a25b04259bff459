from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from orchestrator.model.errors import LeaseLost, NotFound
from orchestrator.model.store import Condition, Outcome, Phase, Progress, Status
from orchestrator.model.timeline import EntryType, NewEntry, Severity
from orchestrator.records import Records
from tests.records.support import ENTRY, Clock, begun, make, taken

DRIFT = NewEntry(EntryType.DRIFT, "Drifted", "x\x00y", Severity.WARNING, "Deployment/store-acme/w")
GONE = NewEntry(EntryType.DELETION, "Deleted", "gone")


def ready(clock: Clock) -> Status:
    condition = Condition("Ready", "True", "Ready", "It sells 🛒", clock(), 1)
    return Status(
        phase=Phase.READY,
        message="Serving",
        conditions=(condition,),
        progress=Progress(7, 7),
        observed_generation=1,
        revision=1,
        ready_at=clock() + timedelta(microseconds=1),
    )


async def test_a_status_reads_back_and_its_entries_are_numbered(
    records: Records, clock: Clock
) -> None:
    await make(records, "acme")
    claim = await taken(records)
    clock.advance(3)

    saved = await records.status.save(claim, ready(clock), [DRIFT, ENTRY])

    assert saved is not None and saved.status == ready(clock)
    assert saved == await records.stores.get("acme")
    assert saved.updated_at == clock()
    created, drift, other = await records.timeline.list("acme", 0, 50)
    assert created.seq < drift.seq < other.seq
    assert (drift.message, drift.severity, drift.object) == (
        "x\ufffdy",
        Severity.WARNING,
        "Deployment/store-acme/w",
    )
    assert (drift.time, drift.owner, drift.deleted) == (clock(), "admin", False)
    assert await records.timeline.list("acme", drift.seq, 50) == [other]
    assert await records.timeline.list("acme", 0, 1) == [created]
    assert await records.timeline.list("acme", 10**30, 1) == []


async def test_the_end_of_a_pass_is_one_write(records: Records, clock: Clock) -> None:
    store = await make(records, "acme")
    claim = await taken(records)
    before = await begun(records, claim, store)
    after = replace(before, outcome=Outcome.READY, message="Ready", ready_at=clock())
    later = clock() + timedelta(seconds=300)
    broken = NewEntry(ENTRY.type, None, "an entry without a reason")  # type: ignore[arg-type]
    end = partial(records.status.save, claim, ready(clock), revision=(before, after), due=later)

    with pytest.raises(Exception, match="NoneType"):
        await end(entries=[broken])
    assert await records.revisions.latest("acme") == before
    assert (await records.stores.get("acme")).status == store.status
    assert await records.claims.renew(claim, 15), "it is still held"

    await end(entries=[ENTRY])
    assert await records.revisions.latest("acme") == after
    assert (await records.stores.get("acme")).status == ready(clock)
    assert await records.claims.next_due() == later
    with pytest.raises(LeaseLost):
        await records.claims.renew(claim, 15)


async def test_a_wake_before_the_end_of_a_pass_is_not_lost(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    claim = await taken(records)
    await records.claims.wake("acme")
    later = clock() + timedelta(seconds=300)
    await records.status.save(claim, ready(clock), [], due=later)
    assert await records.claims.next_due() == clock()


async def test_a_retry_asked_for_during_a_pass_is_not_overwritten(records: Records) -> None:
    await make(records, "acme")
    claim = await taken(records)
    failed = Status(phase=Phase.FAILED, message="It failed")
    await records.status.save(claim, failed, [], attempt=1)
    await records.stores.request_retry("acme", ENTRY)

    await records.status.save(claim, failed, [ENTRY], attempt=1)

    store = await records.stores.get("acme")
    assert (store.attempt, store.status.phase) == (2, Phase.PENDING)


async def test_nothing_new_writes_nothing(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    claim = await taken(records)
    await records.status.save(claim, ready(clock), [])
    head, store = await records.feed.head(), await records.stores.get("acme")
    clock.advance(3)

    assert await records.status.save(claim, store.status, []) is None
    assert await records.feed.head() == head
    assert await records.status.save(claim, store.status, [ENTRY]) is None
    assert await records.stores.get("acme") == store
    assert await records.feed.head() == head + 1
    assert await records.feed.stores_changed_since(head, None, 10) == []


async def test_a_pass_that_began_before_a_deletion_does_not_hide_it(
    records: Records, clock: Clock
) -> None:
    await make(records, "acme")
    claim = await taken(records)
    await records.stores.request_delete("acme", GONE)

    await records.status.save(claim, ready(clock), [])

    store = await records.stores.get("acme")
    assert (store.status.phase, store.status.message) == (Phase.DELETING, "Waiting to be deleted")
    assert store.status.conditions == ready(clock).conditions


async def test_removal_leaves_the_timeline_and_nothing_else(records: Records) -> None:
    store = await make(records, "acme")
    claim = await taken(records)
    await begun(records, claim, store)

    await records.status.remove(claim, GONE)

    assert await records.stores.exists("acme") is None
    assert await records.revisions.latest("acme") is None
    assert await records.claims.next_due() is None
    *_, last = await records.feed.since(0, 50, None)
    assert (last.store_id, last.owner, last.deleted, last.reason) == (
        "acme",
        "admin",
        True,
        "Deleted",
    )
    with pytest.raises(LeaseLost):
        await records.status.remove(claim, GONE)
    with pytest.raises(NotFound):
        await records.stores.get("acme")
    # A store of the same id does not inherit the history.
    await make(records, "acme", name="the second")
    assert len(await records.timeline.list("acme", 0, 50)) == 1


async def test_statuses_and_wakes_of_one_store_do_not_deadlock(
    records: Records, clock: Clock
) -> None:
    await make(records, "acme")
    claim = await taken(records)

    async def save(i: int) -> None:
        await records.status.save(claim, Status(message=f"message {i}"), [ENTRY])

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for i in range(15):
            group.create_task(save(i))
            group.create_task(records.claims.wake("acme"))
            group.create_task(records.claims.wake_all())
            group.create_task(records.claims.renew(claim, 60))
            group.create_task(records.timeline.append("acme", ENTRY))
    assert len(await records.timeline.list("acme", 0, 100)) == 31
