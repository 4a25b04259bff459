from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestrator.model.errors import (
    Conflict,
    LimitExceeded,
    NotFound,
    PreconditionFailed,
)
from orchestrator.model.people import Principal, Role
from orchestrator.model.store import Outcome, Phase, Trigger
from orchestrator.model.timeline import EntryType, NewEntry
from orchestrator.records import NewStoreRow, Records
from tests.records.support import ENTRY, Clock, begun, ended, make, spec, taken

DELETE = NewEntry(EntryType.DELETION, "Requested", "somebody deleted the store")
CHANGE = NewEntry(EntryType.SPEC, "Changed", "somebody changed it")
NASTY = "\"; {{ 7*7 }} </script> 🛒 ' OR 1=1 -- %_ \u202e"


async def test_a_store_reads_back_exactly_as_it_was_created(records: Records, clock: Clock) -> None:
    made = await make(records, "acme", name=NASTY, domain="shop.example.com")
    clock.advance(60)

    read = await records.stores.get("acme")

    assert read == made
    assert (read.spec.name, read.spec.options.title) == (NASTY, NASTY)
    assert (read.generation, read.attempt, read.status.phase) == (1, 1, Phase.PENDING)
    assert (clock() - read.created_at).total_seconds() == 60
    assert await records.stores.all_ids() == [("acme", made.uid)]


async def test_a_store_that_is_not_there(records: Records) -> None:
    assert await records.stores.exists("acme") is None
    with pytest.raises(NotFound, match="acme"):
        await records.stores.get("acme")
    with pytest.raises(NotFound):
        await records.stores.request_delete("acme", DELETE)
    with pytest.raises(NotFound):
        await records.stores.change_spec("acme", spec(), if_generation=None, entry=CHANGE)
    with pytest.raises(NotFound):
        await records.timeline.append("acme", ENTRY)


async def test_an_id_is_taken_until_the_store_is_gone(records: Records) -> None:
    await make(records, "acme")
    with pytest.raises(Conflict, match="taken") as alive:
        await make(records, "acme")
    await records.stores.request_delete("acme", DELETE)
    with pytest.raises(Conflict, match="in deletion"):
        await make(records, "acme")
    assert alive.value.field == "id"

    await records.status.remove(await taken(records, "acme"), DELETE)
    await make(records, "acme")


async def test_a_domain_belongs_to_one_store(records: Records) -> None:
    await make(records, "acme", domain="shop.example.com")
    with pytest.raises(Conflict) as created:
        await make(records, "other", domain="shop.example.com")
    await make(records, "other")
    with pytest.raises(Conflict) as changed:
        await records.stores.change_spec(
            "other", spec(domain="shop.example.com"), if_generation=None, entry=CHANGE
        )
    assert (created.value.field, changed.value.field) == ("domain", "domain")
    assert await records.stores.domain_taken("shop.example.com", None)
    assert not await records.stores.domain_taken("shop.example.com", "acme")
    assert (await records.stores.get("other")).generation == 1


async def test_a_domain_is_kept_until_its_successor_is_ready(records: Records) -> None:
    store = await make(records, "acme", domain="old.example.com")
    claim = await taken(records)
    first = await begun(records, claim, store)
    await ended(records, claim, first.number, Outcome.READY)
    new = spec(domain="new.example.com")
    store = await records.stores.change_spec("acme", new, if_generation=1, entry=CHANGE)

    # The change may fail and go back, so nobody else may have the old domain meanwhile.
    assert await records.stores.domain_taken("old.example.com", None)
    second = await begun(records, claim, store, Trigger.UPDATE)
    await ended(records, claim, second.number, Outcome.READY)
    assert not await records.stores.domain_taken("old.example.com", None)


async def test_the_limit_counts_stores_in_deletion_and_holds_under_a_rush(records: Records) -> None:
    await make(records, "going", owner="jane")
    await records.stores.request_delete("going", DELETE)

    async def create(i: int) -> str | None:
        row = NewStoreRow(f"s{i}", f"u{i}", "jane", spec())
        try:
            await records.stores.create(row, entry=ENTRY, limit=3)
        except LimitExceeded as exc:
            return exc.limit
        return None

    refused = [limit for limit in await asyncio.gather(*map(create, range(8))) if limit]

    assert refused == ["URUMI_MAX_STORES_PER_USER"] * 6
    assert await records.stores.count_owned("jane") == 3
    assert await records.stores.count_owned("joe") == 0


async def test_a_change_is_a_new_generation_and_wakes(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    await records.claims.release(await taken(records), due=None)
    clock.advance(5)

    changed = await records.stores.change_spec(
        "acme", spec("New name"), if_generation=1, entry=CHANGE
    )

    assert (changed.generation, changed.spec.name) == (2, "New name")
    assert changed.updated_at == clock()
    assert changed == await records.stores.get("acme")
    await taken(records, "acme")


async def test_an_unchanged_spec_writes_nothing(records: Records) -> None:
    store = await make(records, "acme")
    await records.claims.release(await taken(records), due=None)
    head = await records.feed.head()

    same = await records.stores.change_spec("acme", store.spec, if_generation=1, entry=CHANGE)

    assert same == store
    assert await records.feed.head() == head
    assert await records.claims.take("tester", 60) is None


async def test_only_one_of_two_changes_to_the_same_generation_wins(records: Records) -> None:
    await make(records, "acme")

    async def change(name: str) -> bool:
        try:
            await records.stores.change_spec("acme", spec(name), if_generation=1, entry=CHANGE)
        except PreconditionFailed:
            return False
        return True

    won = await asyncio.gather(*(change(f"name {i}") for i in range(6)))

    assert won.count(True) == 1
    assert (await records.stores.get("acme")).generation == 2


async def test_deletion_is_asked_for_once(records: Records, clock: Clock) -> None:
    await make(records, "acme")
    await records.claims.release(await taken(records), due=None)

    first = await records.stores.request_delete("acme", DELETE)
    await taken(records, "acme")
    head = await records.feed.head()
    clock.advance(5)
    again = await records.stores.request_delete("acme", DELETE)

    assert first.status.phase is Phase.DELETING
    assert again == first
    assert await records.feed.head() == head
    with pytest.raises(Conflict, match="in deletion"):
        await records.stores.change_spec("acme", spec("x"), if_generation=None, entry=CHANGE)
    with pytest.raises(Conflict, match="in deletion"):
        await records.stores.request_retry("acme", ENTRY)


async def test_only_a_failed_store_can_be_retried(records: Records) -> None:
    store = await make(records, "acme")
    with pytest.raises(Conflict, match="Pending"):
        await records.stores.request_retry("acme", ENTRY)
    claim = await taken(records)
    await records.status.save(claim, replace(store.status, phase=Phase.FAILED), [])
    await records.claims.release(claim, due=None)

    retried = await records.stores.request_retry("acme", ENTRY)

    assert (retried.attempt, retried.status.phase, retried.generation) == (2, Phase.PENDING, 1)
    await taken(records, "acme")


async def test_counts_know_every_phase(records: Records) -> None:
    await make(records, "a")
    await make(records, "b")
    await records.stores.request_delete("b", DELETE)

    counts = await records.stores.counts_by_phase()

    assert set(counts) == set(Phase)
    assert (counts[Phase.PENDING], counts[Phase.DELETING], counts[Phase.READY]) == (1, 1, 0)


async def test_what_people_do_is_in_the_audit_and_nowhere_without_the_act(records: Records) -> None:
    jane = Principal("jane", Role.MEMBER, "token-7")
    row = NewStoreRow("acme", "u", "jane", spec())
    await records.stores.create(row, entry=ENTRY, limit=0, by=jane)
    with pytest.raises(Conflict):
        await records.stores.create(row, entry=ENTRY, limit=0, by=jane)
    await records.stores.change_spec("acme", spec("N"), if_generation=None, entry=CHANGE, by=jane)
    await records.stores.change_spec("acme", spec("N"), if_generation=None, entry=CHANGE, by=jane)
    read = NewEntry(EntryType.AUDIT, "CredentialsRead", "jane read the admin credentials")
    await records.timeline.append("acme", read, by=jane)
    await records.stores.request_delete("acme", DELETE, by=jane)
    await records.stores.request_delete("acme", DELETE)

    first = await records.audit.list(limit=3)
    rest = await records.audit.list(limit=3, cursor=first.next_cursor)
    acts = first.items + rest.items

    assert [a.action for a in acts] == ["Requested", "CredentialsRead", "Changed", "Created"]
    assert {(a.user, a.token_id, a.target) for a in acts} == {("jane", "token-7", "store/acme")}
    assert rest.next_cursor is None
