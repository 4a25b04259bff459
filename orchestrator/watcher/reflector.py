"""Keeping a copy of one kind's objects current: list, then watch from there (client-go reflector).

Why: polling each store would cost one request a store and kind; one watch a kind costs one
connection for all of them. The rules, after client-go tools/cache/reflector.go:

- A list gives the cache and a resourceVersion; watches start there, and every event and bookmark
  moves it on, so a watch that ends is resumed where it stopped, at once.
- 410 (the version is too old) lists again. A list replaces the cache; what it lacks was deleted.
  So does every other refusal, after a pause: it may be the version that the server does not like.
- Errors, and watches that end at once with nothing, back off: doubled, jittered, capped; a
  Retry-After longer than that wins. A change, or a watch that stayed open, ends the back-off.
- Staleness is the seconds since the last sign of life: a list, an event, a bookmark, the end of a
  watch, or now while an opened watch is within its timeout. The first item of a watch opens it (the
  gateway sends a bookmark as soon as the server has answered).

Invariants: ``apply`` and ``replace`` of the sink are called in the order of the server's changes;
nothing but a ClusterError or a timeout is survived, because anything else is a bug.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from orchestrator.model.errors import (
    ClusterError,
    ClusterRejected,
    ClusterUnreachable,
    WatchExpired,
)
from orchestrator.model.kinds import Json, ResourceKind
from orchestrator.telemetry import get_logger
from orchestrator.watcher.fields import clean, dig, mapping, meta, number, text

_SHORT_WATCH: Final = 1.0  # seconds; one that ends sooner with nothing is an error (client-go)
_GRACE: Final = 15.0  # seconds beyond a watch's timeout until it is given up
_log = get_logger("watcher")


class Listed(Protocol):
    """The answer to a list."""

    @property
    def items(self) -> Sequence[Json]:
        """The objects."""

    @property
    def resource_version(self) -> str:
        """The version of the collection, from which a watch goes on."""


class Watched(Protocol):
    """One item of a watch."""

    @property
    def type(self) -> str:
        """ADDED, MODIFIED, DELETED, BOOKMARK (or ERROR)."""

    @property
    def object(self) -> Json:
        """The object as it is after the change, or was before its deletion."""


class Source(Protocol):
    """What the watcher needs of the cluster gateway."""

    async def list(
        self, kind: ResourceKind, *, selector: str | None = None, metadata_only: bool = False
    ) -> Listed:
        """Return all objects of a kind that match."""

    def watch(
        self,
        kind: ResourceKind,
        *,
        selector: str | None = None,
        resource_version: str,
        metadata_only: bool = False,
        timeout: float = 300,
    ) -> AsyncIterator[Watched]:
        """Yield what changes after ``resource_version``; WatchExpired when it is too old."""


class Sink(Protocol):
    """Where the objects go."""

    def replace(self, kind: str, items: Sequence[Json]) -> None:
        """Take a whole list; what it lacks is gone."""

    def apply(self, kind: str, event: str, obj: Json) -> None:
        """Take one change (ADDED, MODIFIED or DELETED)."""


@dataclass(frozen=True)
class Timing:
    """Clocks and durations in seconds; only tests set them.

    ``watch_timeout`` is the least length of a watch (up to half as much again is added so that
    kinds do not end together); a kind silent for ``stale_after`` is not trusted.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    backoff_base: float = 0.5
    backoff_cap: float = 30.0
    watch_timeout: float = 120.0
    stale_after: float = 45.0

    def backoff(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row: jittered upwards by half."""
        doubled = self.backoff_base * 2.0 ** min(failures - 1, 30)
        return min(self.backoff_cap, doubled * (1 + self.random() / 2))


@dataclass(frozen=True)
class Selection:
    """What is watched: a kind, which of its objects, and how much of each."""

    kind: ResourceKind
    selector: str | None = None
    metadata_only: bool = False

    @property
    def name(self) -> str:
        """The kind's name."""
        return self.kind.kind


@dataclass
class Reflector:
    """The list-watch of one kind. ``run`` never returns; cancel it."""

    source: Source
    selection: Selection
    sink: Sink
    timing: Timing = field(default_factory=Timing)
    synced: asyncio.Event = field(default_factory=asyncio.Event)
    problem: str | None = None
    away: bool = False
    _version: str | None = None
    _failures: int = 0
    _relisted: bool = False
    _alive_at: float = 0.0
    _open_until: float | None = None

    def __post_init__(self) -> None:
        self._alive_at = self.timing.monotonic()

    def staleness(self) -> float:
        """Return the seconds since the last sign of life (since the start if there was none)."""
        now = self.timing.monotonic()
        if self._open_until is not None:
            return max(0.0, now - self._open_until)
        return max(0.0, now - self._alive_at)

    async def run(self) -> None:
        """List and watch forever."""
        self._alive_at = self.timing.monotonic()
        while True:
            try:
                if self._version is None:
                    await self._list()
                await self._watch(self._version or "")
            except WatchExpired as error:
                await self._expired(error)
            except ClusterRejected as error:
                self._version = None
                await self._pause(error)
            except (ClusterError, TimeoutError) as error:
                await self._pause(error)

    async def _list(self) -> None:
        chosen = self.selection
        listed = await self.source.list(
            chosen.kind, selector=chosen.selector, metadata_only=chosen.metadata_only
        )
        self.sink.replace(chosen.name, listed.items)
        self._version = listed.resource_version
        self._alive_at = self.timing.monotonic()
        self.synced.set()

    async def _watch(self, version: str) -> None:
        """Follow one watch to its end; a change, or a fair length once open, is progress."""
        started = self.timing.monotonic()
        length = self.timing.watch_timeout * (1 + self.timing.random() / 2)
        changes = 0
        try:
            async with asyncio.timeout(length + _GRACE), self._stream(version, length) as stream:
                async for item in stream:
                    changes += self._take(item)
                    self._opened(started + length)
                    if changes:
                        self._progress()
        finally:
            lasted = self._closed(started)
        if not changes and lasted < _SHORT_WATCH:
            raise ClusterUnreachable("the watch ended at once, with nothing")
        self._alive_at = self.timing.monotonic()
        self._progress()

    def _progress(self) -> None:
        """End the back-off."""
        self._failures, self._relisted = 0, False

    def _opened(self, until: float) -> None:
        """Note that the server answered: the watch is a sign of life within its timeout."""
        self._alive_at = self.timing.monotonic()
        self._open_until = until
        if self.problem is not None:
            _log.info("watch recovered", kind=self.selection.name)
            self.problem, self.away = None, False

    def _closed(self, started: float) -> float:
        """Note the end of a watch, good or bad; return how long it lasted."""
        now = self.timing.monotonic()
        if self._open_until is not None:
            self._alive_at = min(now, self._open_until)
            self._open_until = None
            if now - started >= _SHORT_WATCH:
                self._progress()
        return now - started

    @asynccontextmanager
    async def _stream(self, version: str, length: float) -> AsyncIterator[AsyncIterator[Watched]]:
        """Open a watch and close it whatever happens, so that no connection is left behind."""
        chosen = self.selection
        stream = self.source.watch(
            chosen.kind,
            selector=chosen.selector,
            resource_version=version,
            metadata_only=chosen.metadata_only,
            timeout=length,
        )
        try:
            yield stream
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    def _take(self, item: Watched) -> int:
        """Take one item; return whether it was a change."""
        kind, obj = str(item.type), mapping(item.object)
        if kind == "ERROR":
            raise _error(obj)
        self._version = text(meta(obj).get("resourceVersion")) or self._version
        if kind not in ("ADDED", "MODIFIED", "DELETED"):
            return 0
        self.sink.apply(self.selection.name, kind, obj)
        return 1

    async def _expired(self, error: WatchExpired) -> None:
        """List again: at once the first time, after a pause when that did not help."""
        self._version = None
        if self._relisted:
            await self._pause(error)
        self._relisted = True

    async def _pause(self, error: Exception) -> None:
        self._failures += 1
        before, self.problem = self.problem, clean(str(error), 300) or type(error).__name__
        self.away = isinstance(error, ClusterUnreachable)
        delay = self.timing.backoff(self._failures)
        if isinstance(error, ClusterUnreachable) and error.retry_after is not None:
            delay = max(delay, error.retry_after)
        say = _log.debug if self.problem == before else _log.warning
        say(
            "watch failed",
            kind=self.selection.name,
            error=self.problem,
            failures=self._failures,
            retry_in=round(delay, 1),
        )
        await self.timing.sleep(delay)


def _error(status: Json) -> ClusterError:
    """Map an ERROR item that a gateway passed on."""
    code, reason = number(status.get("code")), clean(status.get("reason"), 100)
    message = clean(status.get("message")) or "the watch failed"
    if code == 410:
        return WatchExpired(code, reason, message)
    if code >= 500 or code == 429:
        wait = number(dig(status, "details", "retryAfterSeconds"))
        return ClusterUnreachable(message, retry_after=wait or None)
    return ClusterRejected(code, reason, message)
