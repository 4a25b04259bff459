"""Makes stores, entries and times for the tests of records."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from orchestrator.model.inventory import Inventory
from orchestrator.model.spec import Options, StoreSpec, Versions
from orchestrator.model.store import Outcome, Revision, Store, Trigger
from orchestrator.model.timeline import EntryType, NewEntry
from orchestrator.records import Claim, NewStoreRow, Records

ENTRY = NewEntry(EntryType.SPEC, "Created", "somebody created the store")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def spec(name: str = "Acme Ltd", **fields: Any) -> StoreSpec:
    return StoreSpec(
        name=name,
        versions=Versions(wordpress="6.9-php8.4-apache", mysql="8.4"),
        options=Options(title=name),
        **fields,
    )


async def make(records: Records, store_id: str, *, owner: str = "admin", **fields: Any) -> Store:
    """Create a store; ``fields`` are those of its spec."""
    fields.setdefault("name", store_id)
    row = NewStoreRow(store_id, str(uuid.uuid4()), owner, spec(**fields))
    return (await records.stores.create(row, entry=ENTRY, limit=0)).store


async def taken(records: Records, store_id: str | None = None, lease: float = 60) -> Claim:
    """Take the claim that is due; it must be that of ``store_id`` if named."""
    claim = await records.claims.take("tester", lease)
    assert claim is not None, "nothing is due"
    assert store_id in (None, claim.store_id)
    return claim


async def begun(
    records: Records, claim: Claim, store: Store, trigger: Trigger = Trigger.CREATE
) -> Revision:
    """Begin a revision of a store as it is desired now."""
    return await records.revisions.begin(
        claim,
        trigger=trigger,
        generation=store.generation,
        attempt=store.attempt,
        spec=store.spec,
        template_digest="digest",
        inventory=Inventory(),
        entry=lambda number: replace(ENTRY, reason=f"Began{number}"),
    )


async def revised(records: Records, claim: Claim, number: int, **changes: Any) -> None:
    """Save changes of a revision."""
    before = await records.revisions.get(claim.store_id, number)
    await records.revisions.save(claim, before, replace(before, **changes))


async def ended(records: Records, claim: Claim, number: int, how: Outcome, **more: Any) -> None:
    """Save how a revision ended."""
    await revised(records, claim, number, outcome=how, message=str(how), **more)


async def sql(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run SQL behind the records' back; parameters are written $1, $2 …"""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
        try:
            named = {str(i): v for i, v in enumerate(values, 1)}
            rows = connection.execute(statement, named).fetchall()
            connection.commit()
        finally:
            connection.close()
        return rows
    server = await asyncpg.connect(url, timeout=10)
    try:
        return [tuple(row) for row in await server.fetch(statement, *values)]
    finally:
        await server.close()
