"""Watches: what happens to the selected objects of a kind, from a version on, as it happens.

Invariants: events come in the order of their versions and none is left out; an object that stops
being selected is reported as DELETED in its last selected state; a version that is too old is an
ERROR event with code 410, after which the client lists again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from orchestrator.sandbox.decoding import blank
from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.query import ListQuery
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.selectors import Predicate, predicate
from orchestrator.sandbox.storage import Event, Storage
from orchestrator.sandbox.values import Json, dump

BOOKMARK_EVERY = 30.0
"""Seconds between bookmarks of a quiet watch; a real server sends one about every minute."""
BEFORE_THE_END = 2.0
INITIAL_END = "k8s.io/initial-events-end"
Render = Callable[[Json], Json]


@dataclass(frozen=True)
class Source:
    """What is watched. ``render`` turns an object into the shape that was asked for."""

    storage: Storage
    resource: Resource
    namespace: str | None
    query: ListQuery
    render: Render


class Watches:
    """All open watches, so that they can be ended at once."""

    def __init__(self) -> None:
        self._open: set[asyncio.Event] = set()
        self.closing = False

    def join(self, wake: asyncio.Event) -> None:
        """Count an open watch."""
        self._open.add(wake)

    def leave(self, wake: asyncio.Event) -> None:
        """Forget a watch that ended."""
        self._open.discard(wake)

    def close(self) -> None:
        """End every watch, and every one that comes."""
        self.closing = True
        for wake in self._open:
            wake.set()


class Watch:
    """One watch. It listens from its creation on, so nothing is lost before the first read."""

    def __init__(self, source: Source, watches: Watches) -> None:
        self._source = source
        self._watches = watches
        self._wake = asyncio.Event()
        self._waiting: deque[Event] = deque()
        self._test: Predicate = predicate(source.query.labels, source.query.fields)
        self._sent = source.storage.version
        self._stop = source.storage.listen(self._hear)
        watches.join(self._wake)

    def _hear(self, event: Event) -> None:
        if event.resource is self._source.resource:
            self._waiting.append(event)
            self._wake.set()

    def _close(self) -> None:
        self._stop()
        self._watches.leave(self._wake)

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield the stream: one JSON event a line, several lines at a time."""
        query = self._source.query
        seconds = query.timeout or random.randint(1800, 3600)
        end = time.monotonic() + seconds
        try:
            try:
                first = self._first()
            except ApiError as error:
                yield _line("ERROR", error.status())
                return
            if first:
                yield first
            async for chunk in self._follow(end):
                yield chunk
        finally:
            self._close()

    def _first(self) -> bytes:
        """Return what comes before live events: the state, or the events since a version."""
        self._waiting.clear()  # what was heard until now is part of what is read here
        source, query = self._source, self._source.query
        storage = source.storage
        wants_state = query.version in (None, 0) if query.initial is None else query.initial
        if wants_state:
            found = storage.items(source.resource, source.namespace)
            lines = [_line("ADDED", source.render(o)) for o in found if self._test(o)]
            if query.initial:
                lines.append(self._bookmark(storage.version, initial=True))
            return b"".join(lines)
        since = storage.version if query.version in (None, 0) else query.version or 0
        if since > storage.version:
            return b""
        return self._lines(e for e in storage.since(since) if e.resource is source.resource)

    async def _follow(self, end: float) -> AsyncIterator[bytes]:
        bookmark = min(time.monotonic() + BOOKMARK_EVERY, end - BEFORE_THE_END)
        bookmarks = self._source.query.bookmarks
        while not self._watches.closing:
            now = time.monotonic()
            if now >= end:
                return
            if bookmarks and now >= bookmark:
                yield self._bookmark(self._sent, initial=False)
                bookmark = now + BOOKMARK_EVERY
                if bookmark > end - BEFORE_THE_END > now:
                    bookmark = end - BEFORE_THE_END
            until = min(end, bookmark) if bookmarks else end
            if not self._waiting:
                await self._sleep(until - now)
            if chunk := self._drain():
                yield chunk

    async def _sleep(self, seconds: float) -> None:
        self._wake.clear()
        if self._watches.closing:
            return
        try:
            await asyncio.wait_for(self._wake.wait(), max(seconds, 0))
        except TimeoutError:
            self._sent = self._source.storage.version

    def _drain(self) -> bytes:
        events = list(self._waiting)
        self._waiting.clear()
        if events:
            self._sent = events[-1].version
        return self._lines(events)

    def _lines(self, events: Iterable[Event]) -> bytes:
        return b"".join(filter(None, map(self._event_line, events)))

    def _event_line(self, event: Event) -> bytes:
        source = self._source
        obj, previous = event.object, event.previous
        if source.namespace not in (None, obj["metadata"].get("namespace", "")):
            return b""
        kind: str = event.type
        before = previous is not None and self._test(previous)
        now = event.type != "DELETED" and self._test(obj)
        if now:
            kind = "MODIFIED" if before else "ADDED"
        elif before:
            kind = "DELETED"
        else:
            return b""
        if kind == "DELETED" and previous is not None and event.type != "DELETED":
            version = obj["metadata"]["resourceVersion"]
            obj = previous | {"metadata": previous["metadata"] | {"resourceVersion": version}}
        elif kind == event.type and source.render is whole:
            if "" not in event.rendered:
                event.rendered[""] = _line(kind, obj)
            return event.rendered[""]
        return _line(kind, source.render(obj))

    def _bookmark(self, version: int, *, initial: bool) -> bytes:
        meta: Json = {"resourceVersion": str(version)}
        if initial:
            meta["annotations"] = {INITIAL_END: "true"}
        obj = blank(self._source.resource) | {"metadata": meta}
        return _line("BOOKMARK", self._source.render(obj))


def whole(obj: Json) -> Json:
    """Render an object as it is."""
    return obj


def _line(kind: str, obj: Json) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + dump(obj) + b"}\n"
