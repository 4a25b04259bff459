"""The event feed: everything that happened to all stores, in the order of its numbers.

Invariant: what `head` says is complete. Numbers are given in the order of commits (session.py), so
a reader that goes on from the last number it saw misses nothing, whoever wrote it.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from orchestrator.model.store import Store
from orchestrator.model.timeline import TimelineEntry
from orchestrator.records.rows import LARGEST, entry_of, store_of
from orchestrator.records.session import Engine, rung
from orchestrator.records.tables import counters, stores, timeline

POLL = 1.0
"""Seconds after which a waiting reader looks for what other processes wrote."""


class Feed:
    """Reads the feed; positions are the reader's own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def head(self) -> int:
        """Return the newest number; all up to it are readable."""
        row = await self._engine.one(
            select(counters.c.value).where(counters.c.name == "seq").limit(1)
        )
        return int(row["value"]) if row else 0

    async def since(self, after: int, limit: int, owner: str | None) -> list[TimelineEntry]:
        """Return entries and deletions with a number above ``after``, in order."""
        query = select(timeline).where(timeline.c.seq > min(after, LARGEST))
        if owner is not None:
            query = query.where(timeline.c.owner == owner)
        rows = await self._engine.all(query.order_by(timeline.c.seq).limit(limit))
        return [entry_of(row) for row in rows]

    async def stores_changed_since(
        self, after: int, owner: str | None, limit: int
    ) -> list[tuple[int, Store]]:
        """Return stores whose newest change has a number above ``after``, in its order."""
        query = select(stores).where(stores.c.changed_seq > min(after, LARGEST))
        if owner is not None:
            query = query.where(stores.c.owner == owner)
        rows = await self._engine.all(query.order_by(stores.c.changed_seq).limit(limit))
        return [(row["changed_seq"], store_of(row)) for row in rows]

    async def wait(self, after: int, timeout: float) -> int:  # noqa: ASYNC109
        """Return the head as soon as it is above ``after``, or what it is after ``timeout``."""
        end = asyncio.get_running_loop().time() + timeout
        while True:
            ticket = self._engine.fed.ticket()
            if (head := await self.head()) > after:
                return head
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return head
            await rung(ticket, min(POLL, left))
