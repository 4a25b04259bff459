from __future__ import annotations

import asyncio

import pytest

from orchestrator.model.errors import Conflict, IdempotencyMismatch
from orchestrator.model.store import Store
from orchestrator.records import (
    CreatedStore,
    IdempotencyKey,
    NewStoreRow,
    Records,
    open_records,
)
from tests.records.support import ENTRY, Clock, spec

HOUR = 3600


def key(user: str = "jane", name: str = "k", digest: str = "d") -> IdempotencyKey:
    return IdempotencyKey(user, name, digest, lambda store: {"id": store.id, "n": store.spec.name})


async def create(records: Records, store_id: str, idempotency: IdempotencyKey) -> CreatedStore:
    row = NewStoreRow(store_id, f"uid-{store_id}", idempotency.user, spec("Ünï"))
    return await records.stores.create(row, entry=ENTRY, limit=0, idempotency=idempotency)


async def test_the_answer_is_kept_for_a_day(records: Records, clock: Clock) -> None:
    assert await records.idempotency.find("jane", "k", "d") is None
    await create(records, "acme", key())

    clock.advance(24 * HOUR - 1)
    found = await records.idempotency.find("jane", "k", "d")
    assert found is not None
    assert (found.store_id, found.answer) == ("acme", {"id": "acme", "n": "Ünï"})
    assert await records.idempotency.find("joe", "k", "d") is None, "keys are per user"
    with pytest.raises(IdempotencyMismatch):
        await records.idempotency.find("jane", "k", "another body")

    clock.advance(2)
    assert await records.idempotency.find("jane", "k", "another body") is None
    assert not (await create(records, "later", key(digest="another body"))).replayed


async def test_two_creates_with_one_key_at_once_make_one_store(url: str) -> None:
    async with open_records(url) as here, open_records(url) as there:
        made = await asyncio.gather(
            *(create(here if i % 2 else there, f"acme-{i}", key()) for i in range(8))
        )

        stores = await here.stores.all_ids()
        assert len(stores) == 1
        assert [m.replayed for m in made].count(False) == 1
        assert {m.store.id for m in made} == {stores[0][0]}
        assert all(m.answer == {"id": stores[0][0], "n": "Ünï"} for m in made if m.replayed)
        with pytest.raises(IdempotencyMismatch):
            await create(here, "other", key(digest="another body"))


async def test_a_create_that_is_refused_keeps_no_answer(records: Records) -> None:
    await create(records, "acme", key(name="first"))
    with pytest.raises(Conflict):
        await create(records, "acme", key(name="second"))
    assert await records.idempotency.find("jane", "second", "d") is None


async def test_a_create_whose_answer_fails_makes_no_store(records: Records) -> None:
    def broken(_: Store) -> dict[str, object]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await create(records, "acme", IdempotencyKey("jane", "k", "d", broken))
    assert await records.stores.all_ids() == []
    assert await records.feed.head() == 0
