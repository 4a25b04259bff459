"""What a store's containers say: their last lines, or all that comes from now on.

The watch tells which containers there are; the API server hands on what they say. Of each component
it is the newest pod's, init containers first. Following goes on over restarts and new pods.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Final

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterError, ClusterRejected, ClusterUnreachable
from orchestrator.model.logs import COMPONENTS, LogLine, LogQuery
from orchestrator.model.store import Store
from orchestrator.watcher import StoreView, Watcher
from orchestrator.watcher.health import container_states

_LONGEST_LINE: Final = 16_000
_HELD: Final = 500
"""Lines that wait for a reader who is slower than the containers; then those wait."""
_LOOK: Final = 1.0
"""Seconds between two looks for containers that are new."""


@dataclass(frozen=True)
class _Source:
    """One start of one container: ``uid`` is its pod's, ``restarts`` tells the starts apart."""

    pod: str
    uid: str
    container: str
    restarts: int
    state: str

    def line(self, text: str) -> LogLine:
        return LogLine(self.pod, self.container, text[:_LONGEST_LINE])

    @property
    def spoke(self) -> bool:
        """Whether there is anything to read of this start."""
        return self.state in ("running", "terminated")

    @property
    def start(self) -> tuple[str, str, int]:
        """Which start it is."""
        return self.uid, self.container, self.restarts


class Logs:
    """Reads and follows the logs of stores."""

    def __init__(self, cluster: Cluster, watcher: Watcher) -> None:
        self._cluster = cluster
        self._watcher = watcher

    async def read(self, store: Store, query: LogQuery) -> list[LogLine]:
        """Return the last lines, container by container; what cannot be read says so.

        Errors: ClusterUnreachable, when none could be read for that reason.
        """
        sources = [s for s in self._sources(store, query) if not query.previous or s.restarts]
        found = await asyncio.gather(*(self._tail(store, s, query) for s in sources))
        silent = [e for e in found if isinstance(e, ClusterUnreachable)]
        if silent and len(silent) == len(found):
            raise silent[0]
        lines: list[LogLine] = []
        for source, part in zip(sources, found, strict=True):
            lines += [source.line(f"({part})")] if isinstance(part, ClusterError) else part
        return lines

    async def follow(self, store: Store, query: LogQuery) -> AsyncGenerator[LogLine]:
        """Yield the last lines and then all that come, until it is closed or the store is gone.

        With ``previous`` what was said before the last restarts comes first.
        """
        if query.previous:
            with contextlib.suppress(ClusterUnreachable):
                for line in await self.read(store, query):
                    yield line
        lines: asyncio.Queue[LogLine] = asyncio.Queue(_HELD)
        lookout = asyncio.create_task(self._look_out(store, query, lines))
        try:
            while not lookout.done():
                coming = asyncio.ensure_future(lines.get())
                await asyncio.wait({coming, lookout}, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    yield coming.result()
                coming.cancel()
            lookout.result()
            while not lines.empty():
                yield lines.get_nowait()
        finally:
            lookout.cancel()
            await asyncio.gather(lookout, return_exceptions=True)

    async def _look_out(self, store: Store, query: LogQuery, lines: asyncio.Queue[LogLine]) -> None:
        """Listen to every container that starts; the first ones from their last lines on."""
        heard: set[tuple[str, str, int]] = set()
        tail: int | None = query.tail
        was_there = False
        async with asyncio.TaskGroup() as listeners:
            while (there := self._is_there(store)) or not was_there:
                was_there = was_there or there
                for source in self._sources(store, query):
                    if source.spoke and source.start not in heard:
                        heard.add(source.start)
                        listeners.create_task(self._listen(store, source, query, tail, lines))
                tail = None if heard else tail
                await asyncio.sleep(_LOOK)

    def _is_there(self, store: Store) -> bool:
        return self._view(store).get("Namespace", store.namespace) is not None

    def _view(self, store: Store) -> StoreView:
        return self._watcher.view(store.id).of_record(store.uid)

    async def _listen(
        self,
        store: Store,
        source: _Source,
        query: LogQuery,
        tail: int | None,
        lines: asyncio.Queue[LogLine],
    ) -> None:
        """Hand on what one start says, as long as it runs; a stream that ends is opened again."""
        last, over = "", False
        while True:
            before = last
            try:
                stream = self._cluster.follow_logs(
                    store.namespace,
                    source.pod,
                    source.container,
                    tail=None if last else tail,
                    since=last or None,
                )
                async with contextlib.aclosing(stream):
                    async for time, text in stream:
                        if time > before:  # since is to the second
                            last = time
                            await lines.put(source.line(text))
            except ClusterRejected as exc:
                await lines.put(source.line(f"({exc})"))
                return
            except ClusterUnreachable:
                pass  # it comes back, or the container is gone
            await asyncio.sleep(_LOOK)
            present = {s.start: s for s in self._sources(store, query)}.get(source.start)
            if present is None or over:
                return
            over = present.state != "running"  # once more: its last words may not have come

    def _sources(self, store: Store, query: LogQuery) -> Iterator[_Source]:
        view = self._view(store)
        for component in (query.component,) if query.component else COMPONENTS:
            for pod in view.pods(component)[:1]:
                for entry in container_states(StoreView.of(store.id, [pod])):
                    yield _Source(
                        entry["pod"],
                        str(pod["metadata"].get("uid", "")),
                        entry["container"],
                        entry["restarts"],
                        entry["state"],
                    )

    async def _tail(
        self, store: Store, source: _Source, query: LogQuery
    ) -> list[LogLine] | ClusterError:
        try:
            text = await self._cluster.logs(
                store.namespace,
                source.pod,
                source.container,
                tail=query.tail,
                previous=query.previous,
            )
        except ClusterError as exc:
            return exc
        return [source.line(line) for line in text.removesuffix("\n").split("\n") if text]
