"""Events for controllers: an unbounded queue that is read in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from orchestrator.sandbox.storage import Event, EventType
from orchestrator.sandbox.values import Json


class Subscription:
    """Every write from the moment of subscribing on; the objects are shared, never change them.

    Storage and readers live in one event loop, so listing right after subscribing misses nothing.
    """

    def __init__(self, listen: Callable[[Callable[[Event], None]], Callable[[], None]]) -> None:
        self._queue: asyncio.Queue[tuple[EventType, Json]] = asyncio.Queue()
        self._stop = listen(lambda event: self._queue.put_nowait((event.type, event.object)))

    async def get(self) -> tuple[EventType, Json]:
        """Return the next event; waits for it."""
        return await self._queue.get()

    def get_nowait(self) -> tuple[EventType, Json]:
        """Return the next event; raises ``asyncio.QueueEmpty`` when there is none."""
        return self._queue.get_nowait()

    def close(self) -> None:
        """Receive nothing more."""
        self._stop()

    async def __aiter__(self) -> AsyncIterator[tuple[EventType, Json]]:
        """Yield events for ever."""
        while True:
            yield await self._queue.get()
