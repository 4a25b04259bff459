from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from orchestrator.model.errors import LeaseLost
from orchestrator.model.store import Outcome, Phase, Status, Trigger
from orchestrator.model.timeline import EntryType, NewEntry
from orchestrator.records import Claim, Records, open_records
from tests.records.support import ENTRY, Clock, begun, make, revised, taken

GONE = NewEntry(EntryType.DELETION, "Deleted", "gone")


async def test_a_thousand_claims_by_many_workers_are_never_held_twice(url: str) -> None:
    async with open_records(url) as here, open_records(url) as there:
        for i in range(20):
            await make(here, f"s{i}")
        held: set[str] = set()
        fences: dict[str, list[int]] = {f"s{i}": [] for i in range(20)}
        total = 0

        async def work(records: Records, name: str) -> None:
            nonlocal total
            while total < 1000:
                claim = await records.claims.take(name, 60)
                if claim is None:
                    await asyncio.sleep(0)
                    continue
                assert claim.store_id not in held, "two workers hold one store"
                held.add(claim.store_id)
                fences[claim.store_id].append(claim.fence)
                total += 1
                await asyncio.sleep(0)
                held.discard(claim.store_id)
                await records.claims.release(claim, due=claim.until - timedelta(seconds=120))

        async with asyncio.TaskGroup() as group:
            for i in range(4):
                group.create_task(work(here, f"here-{i}"))
                group.create_task(work(there, f"there-{i}"))

        assert total >= 1000
        assert all(f == list(range(1, len(f) + 1)) for f in fences.values())


async def test_the_store_that_is_due_longest_comes_first(records: Records, clock: Clock) -> None:
    for store_id in ("c", "a", "b"):
        await make(records, store_id)
        clock.advance(1)
    assert await records.claims.depth() == (3, 3.0)
    assert [(await taken(records)).store_id for _ in range(3)] == ["c", "a", "b"]
    assert await records.claims.take("tester", 60) is None
    assert await records.claims.depth() == (0, 0.0)


async def test_a_lease_that_ends_lets_another_take_over(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    first = await taken(records, lease=15)
    clock.advance(14.9)
    assert await records.claims.take("other", 15) is None
    first = await records.claims.renew(first, 15)
    clock.advance(14.9)
    assert await records.claims.take("other", 15) is None
    clock.advance(0.2)

    second = await records.claims.take("other", 15)

    assert second is not None and second.fence > first.fence
    with pytest.raises(LeaseLost):
        await records.claims.renew(first, 15)
    await records.claims.release(first, due=clock())
    assert await records.claims.take("third", 15) is None, "a lost claim released another's"


async def test_a_late_holder_whom_nobody_replaced_may_go_on(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    claim = await taken(records, lease=15)
    clock.advance(60)
    assert (await records.claims.renew(claim, 15)).until == clock() + timedelta(seconds=15)


Write = Callable[[Records, Claim], Awaitable[object]]
WRITES: dict[str, Write] = {
    "status": lambda r, c: r.status.save(c, Status(Phase.READY, "Ready"), [ENTRY]),
    "same status": lambda r, c: r.status.save(c, Status(), []),
    "remove": lambda r, c: r.status.remove(c, GONE),
    "revision": lambda r, c: revised(r, c, 1, outcome=Outcome.FAILED, evidence={}),
    "clock": lambda r, c: revised(r, c, 1, elapsed=1.0),
    "revert": lambda r, c: r.revisions.revert(c, failed=1, to=1, entry=ENTRY),
}


@pytest.mark.parametrize("how", ["lease ran out", "voided", "store made anew"])
async def test_a_worker_that_lost_its_claim_can_write_nothing(
    records: Records, clock: Clock, how: str
) -> None:
    store = await make(records, "acme")
    stale = await taken(records, lease=15)
    if how == "store made anew":
        await records.status.remove(stale, GONE)
        store = await make(records, "acme", name="the second")
        await begun(records, await taken(records), store)
    else:
        await begun(records, stale, store)
        clock.advance(20)
        if how == "voided":
            await records.claims.expire_all()
        # The same name again: the fence tells, not the name.
        await taken(records, "acme")
    before = await everything(records)

    for name, write in WRITES.items():
        with pytest.raises(LeaseLost):
            await write(records, stale)
            pytest.fail(f"{name} was written")
    with pytest.raises(LeaseLost):
        await begun(records, stale, store, Trigger.RETRY)

    assert await everything(records) == before


async def everything(records: Records) -> tuple[object, ...]:
    revisions = await records.revisions.list("acme", 50, None)
    return (
        await records.stores.get("acme"),
        revisions.items,
        await records.feed.head(),
        await records.claims.next_due(),
    )


async def test_a_wake_during_a_claim_is_not_lost(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    claim = await taken(records)
    clock.advance(1)
    await records.claims.wake("acme")
    assert await records.claims.take("other", 60) is None

    await records.claims.release(claim, due=clock() + timedelta(hours=1))

    again = await taken(records, "acme")
    await records.claims.release(again, due=clock() + timedelta(hours=1))
    assert await records.claims.take("other", 60) is None, "one wake was answered twice"
    assert await records.claims.next_due() == clock() + timedelta(hours=1)


async def test_due_moments(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    claim = await taken(records, lease=15)
    assert await records.claims.next_due() == clock() + timedelta(seconds=15), "held until then"

    await records.claims.release(claim, due=clock() + timedelta(seconds=30))
    assert await records.claims.next_due() == clock() + timedelta(seconds=30)
    assert await records.claims.take("other", 15) is None
    clock.advance(30)
    claim = await taken(records)

    await records.claims.release(claim, due=None)
    assert await records.claims.next_due() is None
    clock.advance(10**6)
    assert await records.claims.take("other", 15) is None
    await records.claims.wake("acme")
    await taken(records, "acme")
    await records.claims.wake("no-such-store")


async def test_waking_all_at_once_and_spread(records: Records, clock: Clock) -> None:
    for i in range(4):
        await make(records, f"s{i}")
        await records.claims.release(await taken(records), due=None)

    await records.claims.wake_all(spread=40)
    assert (await records.claims.depth())[0] == 1
    clock.advance(20)
    assert (await records.claims.depth())[0] == 3
    await records.claims.wake_all()
    assert (await records.claims.depth())[0] == 4


async def test_voided_claims_are_due_at_once(records: Records) -> None:
    await make(records, "acme")
    stale = await taken(records, lease=3600)
    await records.claims.expire_all()

    fresh = await taken(records, "acme")

    assert fresh.fence > stale.fence + 1
    with pytest.raises(LeaseLost):
        await records.claims.renew(stale, 60)


async def test_waiting_ends_with_a_wake_a_release_or_the_time(records: Records) -> None:
    await make(records, "acme")
    claim = await taken(records)
    assert await records.claims.take("tester", 60) is None

    # What happens between the look and the wait counts too.
    await records.claims.wake("acme")
    await asyncio.wait_for(records.claims.wait(60), 5)
    assert await records.claims.take("tester", 60) is None
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(asyncio.wait_for(records.claims.wait(60), 5))
        await records.claims.release(claim, due=None)
        await waiting

    await taken(records, "acme")
    began = time.monotonic()
    await records.claims.wait(0.05)
    assert 0.04 < time.monotonic() - began < 5


async def test_a_lease_of_before_the_clock_was_set_back_is_no_lease(
    records: Records, clock: Clock
) -> None:
    await make(records, "acme")
    stale = await taken(records, lease=15)
    clock.advance(-300)
    await records.claims.wake_all()

    fresh = await records.claims.take("other", 15)

    assert fresh is not None and fresh.fence > stale.fence
    with pytest.raises(LeaseLost):
        await records.claims.renew(stale, 15)


async def test_a_clock_that_was_set_is_noticed(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    before = records.claims.clock_steps
    for seconds in (300, -300):
        clock.advance(seconds)
        await records.claims.wake("acme")
    assert records.claims.clock_steps == before + 2


async def test_processes_whose_clocks_differ_by_minutes_share_one_queue(postgres_url: str) -> None:
    """The database's clock counts: nobody takes a lease that runs, nobody waits for minutes."""
    ahead, behind = (partial(_real_time, timedelta(minutes=m)) for m in (5, -5))
    async with (
        open_records(postgres_url, clock=ahead) as early,
        open_records(postgres_url, clock=behind) as late,
    ):
        await make(late, "acme")
        claim = await taken(late, "acme", lease=15)
        assert await early.claims.take("early", 15) is None, "a lease that runs was taken"
        due = await early.claims.next_due()
        assert due is not None and 0 < (due - ahead()).total_seconds() <= 15
        await late.claims.release(claim, due=behind() + timedelta(seconds=0.3))
        due = await early.claims.next_due()
        assert due is not None and (due - ahead()).total_seconds() <= 0.3
        async with asyncio.timeout(10):
            while await early.claims.take("early", 15) is None:
                await asyncio.sleep(0.01)


def _real_time(skew: timedelta) -> datetime:
    return datetime.now(UTC) + skew
