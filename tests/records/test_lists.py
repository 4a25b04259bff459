from __future__ import annotations

import random

import pytest

from orchestrator.model.errors import InputError
from orchestrator.model.store import Phase
from orchestrator.model.timeline import EntryType, NewEntry
from orchestrator.records import Records, StoreQuery
from tests.records.support import Clock, make, taken

GONE = NewEntry(EntryType.DELETION, "Deleted", "gone")


async def listed(records: Records, query: StoreQuery) -> list[str]:
    """Return the ids of all pages."""
    found: list[str] = []
    cursor = None
    while True:
        page = await records.stores.list(
            StoreQuery(query.owner, query.phase, query.q, query.sort, query.limit, cursor)
        )
        assert len(page.items) <= query.limit
        found += [store.id for store in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def remove(records: Records, store_id: str) -> None:
    await records.claims.expire_all()
    await records.claims.wake(store_id)
    while True:
        claim = await taken(records)
        if claim.store_id == store_id:
            return await records.status.remove(claim, GONE)


async def test_every_order_in_both_directions(records: Records, clock: Clock) -> None:
    for store_id, name in (("c", "beta"), ("a", "Zeta"), ("d", "Beta"), ("b", "alpha")):
        await make(records, store_id, name=name)
        clock.advance(1)
    await records.stores.request_delete("a", GONE)

    orders = {
        "createdAt": "cadb",
        "id": "abcd",
        "name": "bcda",
        "updatedAt": "cdba",
        "phase": "abcd",
    }
    for sort, ids in orders.items():
        for limit in (1, 2, 4, 50):
            assert await listed(records, StoreQuery(sort=sort, limit=limit)) == list(ids), sort
            backwards = StoreQuery(sort=f"-{sort}", limit=limit)
            assert await listed(records, backwards) == list(ids)[::-1], sort


async def test_sorting_is_by_code_point_whatever_the_server_thinks(records: Records) -> None:
    ids = ["a-b", "ab", "a0", "a", "b"]
    for store_id in ids:
        await make(records, store_id)
    assert await listed(records, StoreQuery(sort="id", limit=2)) == sorted(ids)


async def test_filters(records: Records) -> None:
    await make(records, "mine", owner="jane")
    await make(records, "other", owner="joe")
    await records.stores.request_delete("other", GONE)

    assert await listed(records, StoreQuery(owner="jane")) == ["mine"]
    assert await listed(records, StoreQuery(phase=Phase.DELETING)) == ["other"]
    assert await listed(records, StoreQuery(phase="Deleting", owner="jane")) == []


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("%", ["percent"]),
        ("_", ["underscore"]),
        ("!", ["bang"]),
        ("\\", ["backslash"]),
        ("'", ["quote"]),
        ("🛒", ["emoji"]),
        ("STRASSE", ["german"]),
        ("straße", ["german"]),
        ("CAFE\u0301", ["french"]),
        ("İstan", ["turkish"]),
        ("SHOP.example", ["domain"]),
        ("percent", ["percent"]),
        ("$1", []),
        (":q", []),
        ("%%", []),
        ("x\x00y", []),
    ],
)
async def test_search_takes_every_character_as_it_is(
    records: Records, q: str, found: list[str]
) -> None:
    names = {
        "percent": "100% wool",
        "underscore": "snake_case",
        "bang": "wow!",
        "backslash": "a\\b",
        "quote": "O'Neil",
        "emoji": "my 🛒",
        "german": "Hauptstraße",
        "french": "Caf\u00e9",
        "turkish": "İstanbul",
    }
    for store_id, name in names.items():
        await make(records, store_id, name=name)
    await make(records, "domain", name="plain", domain="shop.example.com")

    assert await listed(records, StoreQuery(q=q)) == found


@pytest.mark.parametrize("sort", ["createdAt", "-name", "id"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_pages_neither_skip_nor_repeat_while_stores_come_and_go(
    records: Records, clock: Clock, sort: str, seed: int
) -> None:
    chance = random.Random(seed)
    staying = [f"stay-{chance.randrange(10**6):06}" for _ in range(12)]
    passing = [f"pass-{i}" for i in range(6)]
    for store_id in chance.sample(staying + passing, 18):
        await make(records, store_id, name=f"{chance.randrange(4)}")
        clock.advance(chance.choice((0, 1)))

    seen: list[str] = []
    cursor = None
    for turn in range(100):
        page = await records.stores.list(StoreQuery(sort=sort, limit=3, cursor=cursor))
        seen += [store.id for store in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        if passing:
            await remove(records, passing.pop(chance.randrange(len(passing))))
        await make(records, f"new-{turn}", name=f"{chance.randrange(4)}")

    assert len(seen) == len(set(seen))
    assert set(staying) <= set(seen)


async def test_a_cursor_that_is_not_of_this_list_is_an_error(records: Records) -> None:
    for i in range(3):
        await make(records, f"s{i}")
    cursor = (await records.stores.list(StoreQuery(limit=1))).next_cursor
    users = (await records.revisions.list("s0", 1, None)).next_cursor
    assert cursor is not None and users is None

    wrong = [
        StoreQuery(cursor=cursor, sort="-createdAt"),
        StoreQuery(cursor=cursor, sort="name"),
        StoreQuery(cursor=cursor, owner="admin"),
        StoreQuery(cursor=cursor, phase="Pending"),
        StoreQuery(cursor=cursor, q="s"),
        StoreQuery(cursor=cursor + "A"),
        StoreQuery(cursor=cursor[:-2]),
        StoreQuery(cursor="A" * 1000),
        StoreQuery(cursor="[" * 1000),
        StoreQuery(cursor="é"),
        StoreQuery(cursor=""),
        StoreQuery(cursor="' OR 1=1 --"),
    ]
    for query in wrong:
        with pytest.raises(InputError) as refused:
            await records.stores.list(query)
        assert refused.value.errors[0].field == "cursor"
    with pytest.raises(InputError):
        await records.people.users(10, cursor)
    with pytest.raises(InputError) as bad_sort:
        await records.stores.list(StoreQuery(sort="uid"))
    assert bad_sort.value.errors[0].field == "sort"
