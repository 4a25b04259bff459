"""The one loop that runs every controller.

Level-triggered: an event says only *which* object to look at; what is to be done follows from what
is stored. So a restart looks at everything once and goes on. The loop sleeps until an event or a
timer wakes it, and hands the event loop back after every few milliseconds of work. An object that
a controller cannot handle is logged, tried again later, and stops nobody else.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from orchestrator.sandbox import resources
from orchestrator.sandbox.registry import ApiError, Registry, Subscription
from orchestrator.sandbox.values import Json

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace (empty for cluster-wide kinds) and name."""
Mapper = Callable[[Json], Iterable[Key]]

_SLICE: Final = 0.005
"""Seconds of work before the event loop gets its turn."""
_BACK_OFF: Final = (0.05, 60.0)
"""First and last delay, in seconds, before an object that failed is looked at again."""


class Controller(Protocol):
    """Something that brings one kind of object from what it is to what it should be."""

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Which keys an event of a kind is about."""

    def reconcile(self, key: Key) -> float | None:
        """Do what is to be done; returns the seconds until it wants to look again by itself."""


def itself(obj: Json) -> tuple[Key]:
    """Map an object to its own key."""
    meta = obj["metadata"]
    return ((meta.get("namespace", ""), meta["name"]),)


Item = tuple[int, Key]


class Engine:
    """Queue, timers and dispatch of a fixed set of controllers."""

    def __init__(self, registry: Registry, controllers: Iterable[Controller]) -> None:
        self._registry = registry
        self._controllers = tuple(controllers)
        self._ready: OrderedDict[Item, None] = OrderedDict()
        self._due: dict[Item, float] = {}
        self._heap: list[tuple[float, int, Item]] = []
        self._order = itertools.count()
        self._failures: dict[Item, int] = {}
        self._mappers: dict[str, list[tuple[int, Mapper]]] = {}
        for number, controller in enumerate(self._controllers):
            for kind, mapper in controller.watches.items():
                self._mappers.setdefault(kind, []).append((number, mapper))

    async def run(self) -> None:
        """Run until cancelled."""
        subscription = self._registry.subscribe()
        try:
            self._look_at_everything()
            while True:
                self._work(subscription)
                await (asyncio.sleep(0) if self._ready else self._wait(subscription))
        finally:
            subscription.close()

    def _look_at_everything(self) -> None:
        for kind in self._mappers:
            for obj in self._registry.storage.items(resources.of(kind)):
                self._dispatch(obj | {"kind": kind})

    def _work(self, subscription: Subscription) -> None:
        end = time.monotonic() + _SLICE
        while time.monotonic() < end:
            self._drain(subscription)
            self._expire()
            if not self._ready:
                return
            item, _ = self._ready.popitem(last=False)
            self._reconcile(item)

    async def _wait(self, subscription: Subscription) -> None:
        timeout = max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None
        try:
            async with asyncio.timeout(timeout):
                _, obj = await subscription.get()
        except TimeoutError:
            return
        self._dispatch(obj)

    def _drain(self, subscription: Subscription) -> None:
        while True:
            try:
                _, obj = subscription.get_nowait()
            except asyncio.QueueEmpty:
                return
            self._dispatch(obj)

    def _dispatch(self, obj: Json) -> None:
        for number, mapper in self._mappers.get(obj["kind"], ()):
            try:
                for key in mapper(obj):
                    self._ready[number, key] = None
            except (KeyError, TypeError, ValueError, AttributeError):
                log.exception("sandbox: an event of a %s could not be read", obj["kind"])

    def _expire(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            due, _, item = heapq.heappop(self._heap)
            if self._due.get(item) == due:
                del self._due[item]
                self._ready[item] = None

    def _reconcile(self, item: Item) -> None:
        number, key = item
        try:
            delay = self._controllers[number].reconcile(key)
        except ApiError as error:
            delay = self._failed(item)
            if error.code not in (404, 409):
                log.warning("sandbox: %s of %s: %s", self._name(number), "/".join(key), error)
        except Exception:
            # One broken object must not stop the cluster: it is told, and tried again later.
            log.exception("sandbox: %s cannot handle %s", self._name(number), "/".join(key))
            delay = self._failed(item)
        else:
            self._failures.pop(item, None)
        self._schedule(item, delay)

    def _name(self, number: int) -> str:
        return type(self._controllers[number]).__name__

    def _failed(self, item: Item) -> float:
        count = self._failures[item] = self._failures.get(item, -1) + 1
        first, last = _BACK_OFF
        return min(last, first * 2.0 ** min(count, 30))

    def _schedule(self, item: Item, delay: float | None) -> None:
        if delay is None:
            self._due.pop(item, None)
            return
        due = time.monotonic() + max(delay, 0.0)
        self._due[item] = due
        heapq.heappush(self._heap, (due, next(self._order), item))
