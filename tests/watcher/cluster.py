"""Clusters that play a script, and a clock that moves only when told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.model.kinds import Json, ResourceKind
from orchestrator.watcher import Timing

PATIENCE = 10.0


@dataclass
class Clock:
    """Time that passes by ``now += seconds`` and in ``sleep``, which never really waits."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    before_sleep: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.before_sleep()
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def timing(self, **changed: Any) -> Timing:
        """Return a Timing on this clock, without jitter."""
        settings: dict[str, Any] = {"random": lambda: 0.0, **changed}
        return Timing(self.monotonic, self.sleep, **settings)


@dataclass(frozen=True)
class Item:
    """One item of a watch."""

    type: str
    object: Json


@dataclass(frozen=True)
class Listing:
    """The answer to a list."""

    items: Sequence[Json]
    resource_version: str


@dataclass(frozen=True)
class Pass:
    """Nothing comes for so many seconds."""

    seconds: float


Step = Item | Pass | Exception


def bookmark(version: str) -> Item:
    return Item("BOOKMARK", {"metadata": {"resourceVersion": version}})


@dataclass
class Script:
    """Answers lists and watches by a script; after it, a watch stays open and ``played`` is set.

    ``asked`` holds ``list`` and ``watch <resourceVersion>`` in the order of the requests.
    """

    clock: Clock
    lists: list[Listing | Exception]
    watches: list[list[Step]] = field(default_factory=list)
    last: list[Step] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    options: list[tuple[str | None, bool]] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    played: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0

    async def list(
        self, kind: ResourceKind, *, selector: str | None = None, metadata_only: bool = False
    ) -> Listing:
        self.asked.append("list")
        self.options.append((selector, metadata_only))
        answer = self.lists.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def watch(
        self,
        kind: ResourceKind,
        *,
        selector: str | None = None,
        resource_version: str,
        metadata_only: bool = False,
        timeout: float = 300,  # noqa: ASYNC109 as the gateway's
    ) -> AsyncIterator[Item]:
        self.asked.append(f"watch {resource_version}")
        self.options.append((selector, metadata_only))
        self.lengths.append(timeout)
        self.open += 1
        try:
            if self.watches:
                async for item in self._play(self.watches.pop(0)):
                    yield item
                return
            async for item in self._play(self.last):
                yield item
            self.played.set()
            await asyncio.Event().wait()
        finally:
            self.open -= 1

    async def _play(self, steps: Sequence[Step]) -> AsyncIterator[Item]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Pass):
                self.clock.now += step.seconds
            else:
                yield step


@dataclass
class Live:
    """A cluster of many kinds: lists what ``held`` says, then shows what ``send`` is given."""

    held: dict[str, list[Json]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    asked: dict[str, tuple[str | None, bool]] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)
    _queues: dict[str, asyncio.Queue[Item]] = field(default_factory=dict)

    def queue(self, kind: str) -> asyncio.Queue[Item]:
        return self._queues.setdefault(kind, asyncio.Queue())

    def send(self, event: str, obj: Json) -> None:
        self.queue(obj["kind"]).put_nowait(Item(event, obj))

    async def list(
        self, kind: ResourceKind, *, selector: str | None = None, metadata_only: bool = False
    ) -> Listing:
        self.asked[kind.kind] = (selector, metadata_only)
        await eventually(lambda: kind.kind not in self.closed)
        self.fetched.add(kind.kind)
        return Listing(self.held.get(kind.kind, []), "1")

    async def watch(
        self,
        kind: ResourceKind,
        *,
        selector: str | None = None,
        resource_version: str,
        metadata_only: bool = False,
        timeout: float = 300,  # noqa: ASYNC109 as the gateway's
    ) -> AsyncIterator[Item]:
        yield bookmark(resource_version)
        while True:
            item = await self.queue(kind.kind).get()
            yield item
            self.queue(kind.kind).task_done()

    async def seen(self) -> None:
        """Wait until everything that was sent was taken."""
        async with asyncio.timeout(PATIENCE):
            for queue in self._queues.values():
                await queue.join()


async def eventually(look: Callable[[], Any]) -> Any:
    """Return what ``look`` sees as soon as it is something."""
    end = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < end, f"not within {PATIENCE} s: {seen!r}"
        await asyncio.sleep(0.002)
    return seen


async def in_time(wait: Awaitable[object]) -> None:
    """Wait for it, but not for ever."""
    async with asyncio.timeout(PATIENCE):
        await wait
