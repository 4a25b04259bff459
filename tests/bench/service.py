"""The service as a user meets it: ``urumi serve``, one POST a store, and the event stream.

Nothing is polled while the clock runs: Applied=True is what the stream says of a store. A create is
timed from before its POST is sent.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import httpx

from tests.ground import Ground
from tests.system.server import Server, poll

_PASSES: Final = re.compile(
    r'^urumi_reconcile_duration_seconds_count\{outcome="done"\} (\S+)', re.M
)
_PATIENCE: Final = 120.0


class Service:
    """Drives the service; each turn is a process with a data dir of its own."""

    name = "the service"

    def __init__(self, ground: Ground, folder: Path) -> None:
        self._ground = ground
        self._folder = folder
        self._turns = 0
        self.server: Server | None = None

    def begin(self) -> None:
        """Start a service that has no stores, and wait until its watch is there."""
        self._turns += 1
        self.server = Server(
            self._folder / str(self._turns),
            self._ground,
            URUMI_PROVISION_TIMEOUT="24h",
            URUMI_MAX_STORES_PER_USER="0",
        )
        self.server.start()
        self._await_ready(self.server)

    def end(self) -> None:
        """Stop it; its stores stay in the cluster, like everybody's."""
        assert self.server is not None
        self.server.stop()

    def install(self, store_ids: Sequence[str]) -> float:
        """Create stores; return the seconds until the last one was Applied."""
        assert self.server is not None
        return asyncio.run(_create(self.server, store_ids))

    def again(self, store_ids: Sequence[str]) -> float:
        """Restart, which looks at every store again; return the seconds until it has."""
        assert self.server is not None
        self.server.stop()
        self.server.start()
        began = time.monotonic()
        with self.server.client() as client:
            poll(lambda: _passes(client) >= len(store_ids), seconds=_PATIENCE, what="a look at all")
        return time.monotonic() - began

    @staticmethod
    def _await_ready(server: Server) -> None:
        with server.client() as client:
            poll(lambda: client.get("/readyz").status_code == 200, what="the watch")


def _passes(client: httpx.Client) -> float:
    found = _PASSES.search(client.get("/metrics").text)
    return float(found[1]) if found else 0.0


async def _create(server: Server, store_ids: Sequence[str]) -> float:
    headers = {"Authorization": f"Bearer {server.token}"}
    limits = aiohttp.ClientTimeout(total=_PATIENCE)
    async with aiohttp.ClientSession(server.url, headers=headers, timeout=limits) as session:
        async with session.get("/api/v1/events/stream") as stream:
            events = _stores(stream)
            await anext(events)  # the first comment: the stream stands
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for store_id in store_ids:
                    group.create_task(_post(session, store_id))
                await _await_applied(events, set(store_ids))
            return time.monotonic() - began


async def _post(session: aiohttp.ClientSession, store_id: str) -> None:
    async with session.post("/api/v1/stores", json={"id": store_id, "name": store_id}) as answer:
        if answer.status != 202:
            raise RuntimeError(f"{store_id}: {answer.status} {await answer.text()}")


async def _await_applied(events: AsyncIterator[Any], waiting: set[str]) -> None:
    while waiting:
        store = await anext(events)
        for condition in store.get("conditions") or ():
            if condition["type"] == "Applied" and condition["status"] == "True":
                waiting.discard(store["id"])


async def _stores(stream: aiohttp.ClientResponse) -> AsyncIterator[Any]:
    """Yield an empty document at once, then each store as it is after a change."""
    name = ""
    async for raw in stream.content:
        line = raw.decode().rstrip("\n")
        if line.startswith(": from"):
            yield {}
        elif line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: ") and name == "store":
            yield json.loads(line.removeprefix("data: "))
