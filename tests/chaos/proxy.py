"""A bad network between the service and its API server, by a seeded plan.

An HTTP proxy on loopback that passes requests on as they are (authentication is the caller's own)
and does to some of them what networks, overloaded servers and restarts do. It counts what it saw
per store, so that a busy loop shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

T = TypeVar("T")
_STORE: Final = re.compile(r"/namespaces/store-([a-z0-9-]+)")
_HOP_BY_HOP: Final = {"host", "connection", "transfer-encoding", "content-length", "date", "server"}
FAULTS: Final = (
    "delay", "reset", "drop", "truncate", "429", "500", "503", "504", "500 after", "504 after",
)  # fmt: skip
"""What may happen to a request; ``drop`` and ``after`` lose the answer to what was done."""
_WATCH_FAULTS: Final = ("cut", "cut", "cut", "reset", "429", "500", "503")
_REASONS: Final = {
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


@dataclass
class Plan:
    """Which requests go wrong, and how: the same for the same seed, in whatever order they come.

    Each request has a chance of its own, made of the seed, what is asked and how often it was.
    """

    seed: int
    rate: float = 0.0
    _asked: Counter[str] = field(default_factory=Counter)

    def next(self, what: str, *, watch: bool) -> tuple[str | None, random.Random]:
        """Return what happens to a request, and its chance for the rest.

        Watches are few, so most of them suffer.
        """
        self._asked[what] += 1
        chance = random.Random(f"{self.seed} {what} {self._asked[what]}")
        if chance.random() >= (min(1.0, 4 * self.rate) if watch else self.rate):
            return None, chance
        return chance.choice(_WATCH_FAULTS if watch else FAULTS), chance


class FaultProxy:
    """Runs in a thread and a loop of its own; ``url`` is where the service is to go."""

    def __init__(self, upstream: str, tls: ssl.SSLContext | None, plan: Plan) -> None:
        self._upstream, self._tls = upstream, tls
        self.plan = plan
        self.requests: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.url = ""
        self._away = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def away(self, gone: bool) -> None:
        """Break every connection and refuse new ones, or be back."""

        async def turn() -> None:
            self._away = gone
            if gone:
                for transport in list(self._transports):
                    transport.abort()

        self._run(turn())

    def total(self) -> int:
        """Return how many requests came."""
        return self.requests.total()

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(30)

    async def _open(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True, limit=0)
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        )
        self._transports: set[asyncio.WriteTransport] = set()
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()
        # Handlers of connections that were broken wait for a peer that never comes back.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        if transport is None or self._away:
            return _reset(request)
        self._transports.add(transport)
        try:
            return await self._answer(request)
        except (aiohttp.ClientError, OSError):
            return _reset(request)
        finally:
            self._transports.discard(transport)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        watch = request.query.get("watch") == "true"
        fault, chance = self.plan.next(f"{request.method} {request.path}", watch=watch)
        self._count(request, fault)
        if fault == "reset":
            return _reset(request)
        if fault in _STATUSES:
            return _refusal(int(fault), chance)
        if fault == "delay":
            await asyncio.sleep(chance.uniform(0.05, 1.5))
        async with self._send(request) as answer:
            if watch and answer.status == 200:
                ends = chance.uniform(0.05, 5.0) if fault == "cut" else None
                return await self._stream(request, answer, ends)
            body = await answer.read()
        if fault == "drop":
            return _reset(request)
        if fault is not None and fault.endswith(" after"):
            return _refusal(int(fault.split()[0]), chance)
        if fault == "truncate" and len(body) > 1:
            return await _truncated(request, answer, body)
        return web.Response(status=answer.status, headers=_kept(answer.headers), body=body)

    def _send(self, request: web.BaseRequest) -> Any:
        return self._session.request(
            request.method,
            URL(self._upstream + request.raw_path, encoded=True),
            headers=_kept(request.headers),
            data=request.content if request.can_read_body else None,
        )

    async def _stream(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, ends: float | None
    ) -> web.StreamResponse:
        """Pass a watch on as it comes; after ``ends`` seconds cut it, inside a line too."""
        stream = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
        await stream.prepare(request)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ends):
                async for chunk in answer.content.iter_any():
                    await stream.write(chunk)
                await stream.write_eof()
                return stream
        return _reset(request)

    def _count(self, request: web.BaseRequest, fault: str | None) -> None:
        match = _STORE.search(request.path)
        subject = match[1] if match else "(all)"
        self.requests[subject] += 1
        if request.method not in ("GET", "HEAD"):
            self.writes[subject] += 1
        if fault is not None:
            self.faults[fault] += 1


_STATUSES: Final = {str(code) for code in _REASONS}
Make = Callable[[str], FaultProxy]


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    """End the connection as if its other end had died."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


def _refusal(code: int, chance: random.Random) -> web.Response:
    """Refuse as an API server does: a Status, or what a proxy before it says."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": _REASONS[code],
        "message": f"injected {code}",
        "code": code,
    }
    headers = {"Retry-After": "1"} if code == 429 or chance.random() < 0.2 else {}
    if chance.random() < 0.3:
        return web.Response(status=code, text="upstream trouble", headers=headers)
    return web.Response(
        status=code, text=json.dumps(body), headers=headers, content_type="application/json"
    )


async def _truncated(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, body: bytes
) -> web.StreamResponse:
    stream = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
    stream.content_length = len(body)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    return _reset(request)


def _kept(headers: Any) -> CIMultiDict[str]:
    return CIMultiDict((k, v) for k, v in headers.items() if k.lower() not in _HOP_BY_HOP)
