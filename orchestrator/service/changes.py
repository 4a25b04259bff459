"""The event feed as a sequence that can be resumed exactly.

Invariant: a page that ends at ``upto`` holds every timeline entry and deletion with a number of at
most ``upto``, and every store whose newest change has one; what changes meanwhile has a higher
number and comes in a later page. Numbers are given in commit order (records), so nothing appears
behind a page that was already read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.model.people import Principal
from orchestrator.model.store import Store
from orchestrator.model.timeline import TimelineEntry
from orchestrator.records import Records

PAGE = 200


@dataclass(frozen=True)
class Change:
    """One thing that happened: a store's new state or a timeline entry (or a store's end)."""

    seq: int
    owner: str
    what: Store | TimelineEntry


@dataclass(frozen=True)
class ChangePage:
    """Changes in order; every change up to ``upto`` is in this or an earlier page."""

    changes: tuple[Change, ...]
    upto: int


class Changes:
    """Reads the feed; owns no position."""

    def __init__(self, records: Records) -> None:
        self._feed = records.feed

    async def head(self) -> int:
        """Return the number of the newest change."""
        return await self._feed.head()

    async def wait(self, after: int, seconds: float) -> int:
        """Return the head as soon as it is above ``after``, or what it is after ``seconds``."""
        return await self._feed.wait(after, seconds)

    async def page(self, after: int, until: int, principal: Principal | None) -> ChangePage:
        """Return what happened in (after, until], as much as fits into a page.

        ``until`` must have been read from `head` before the call. ``principal`` None sees all.
        """
        owner = None if principal is None or principal.is_admin else principal.user
        entries, stores = await asyncio.gather(
            self._feed.since(after, PAGE, owner),
            self._feed.stores_changed_since(after, owner, PAGE),
        )
        upto = until
        if len(entries) >= PAGE:
            upto = min(upto, entries[-1].seq)
        if len(stores) >= PAGE:
            upto = min(upto, stores[-1][0])
        return ChangePage(tuple(sorted(_merge(entries, stores, upto), key=lambda c: c.seq)), upto)


def _merge(
    entries: list[TimelineEntry], stores: list[tuple[int, Store]], upto: int
) -> Iterator[Change]:
    yield from (Change(e.seq, e.owner, e) for e in entries if e.seq <= upto)
    yield from (Change(seq, s.owner, s) for seq, s in stores if seq <= upto)
