"""The bare client: as fast as a client can be that does nothing else.

One asyncio process with the service's credentials. The bodies are JSON already when the clock
starts; a store's Namespace goes first, then everything else at once; a few stores are under way at
a time, on connections that are open already; answers are read and not looked into. It keeps no
records, watches nothing, and could not tell a store of its own from somebody else's.

``python -m tests.bench.bare KUBECONFIG`` takes the name of a file of bodies a line on stdin and
answers with the seconds.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import uvloop

from orchestrator.model.kinds import Json, ObjectRef
from tests.bench.stores import objects_of
from tests.contract.access import target_of
from tests.contract.wire import APPLY

_REQUESTS: Final = 32
_STORES: Final = 8
_QUERY: Final = "fieldManager=urumi-orchestrator&fieldValidation=Strict&force=false"
_CREATE: Final = "fieldManager=urumi-orchestrator&fieldValidation=Strict"
Bodies = list[tuple[str, str, str]]  # method, path and JSON; the Namespace first


class Bare:
    """Drives the process."""

    name = "bare client"

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self._command = [sys.executable, "-m", "tests.bench.bare", str(kubeconfig)]
        self._folder = folder
        self._bodies: dict[str, Bodies] = {}

    def begin(self) -> None:
        """Start the process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def end(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)

    def install(self, store_ids: Sequence[str]) -> float:
        """Apply stores; return the seconds that the process says it took."""
        self._bodies |= {store_id: _bodies(store_id) for store_id in store_ids}
        return self.again(store_ids)

    def again(self, store_ids: Sequence[str]) -> float:
        """Apply the same once more; return the seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        file = self._folder / "bodies.json"
        file.write_text(json.dumps([self._bodies[store_id] for store_id in store_ids]))
        print(file, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the bare client ended early")
        return float(answer)


def _bodies(store_id: str) -> Bodies:
    return [_request(obj) for obj in objects_of(store_id)]


def _request(obj: Json) -> tuple[str, str, str]:
    """An apply; the Secret is created, since the service's account may do no more to it."""
    ref = ObjectRef.of(obj)
    if ref.kind != "Secret":
        return "PATCH", f"{ref.path}?{_QUERY}", json.dumps(obj)
    return "POST", f"{ref.resource.path(ref.namespace)}?{_CREATE}", json.dumps(obj)


async def _store(session: aiohttp.ClientSession, slots: asyncio.Semaphore, bodies: Bodies) -> None:
    async def send(method: str, path: str, body: str) -> None:
        kind = {"content-type": APPLY if method == "PATCH" else "application/json"}
        async with slots, session.request(method, path, data=body, headers=kind) as answer:
            data = await answer.read()
            if answer.status >= 300 and answer.status != 409:
                raise RuntimeError(f"{path}: {answer.status} {data.decode()}")

    namespace, *rest = bodies
    await send(*namespace)
    await asyncio.gather(*(send(*each) for each in rest))


async def _all(session: aiohttp.ClientSession, stores: list[Bodies]) -> float:
    slots, turns = asyncio.Semaphore(_REQUESTS), asyncio.Semaphore(_STORES)

    async def one(bodies: Bodies) -> None:
        async with turns:
            await _store(session, slots, bodies)

    began = time.monotonic()
    await asyncio.gather(*map(one, stores))
    return time.monotonic() - began


def _read(file: str) -> list[Bodies]:
    return [[tuple(each) for each in store] for store in json.loads(Path(file).read_text())]


async def _serve(kubeconfig: Path) -> None:
    target = target_of(kubeconfig)
    tls: Any = target.tls if target.tls is not None else True
    headers = {**target.headers, "accept": "application/json"}
    async with aiohttp.ClientSession(
        target.url,
        connector=aiohttp.TCPConnector(ssl=tls, limit=_REQUESTS),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=60),
    ) as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(await _all(session, _read(line.strip())), flush=True)


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
