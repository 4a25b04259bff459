"""What the stand-in needs of the API: requests, and a list-watch that outlives the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from tests.contract.access import target_of

Json = dict[str, Any]
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


class Client:
    """A client of the API server that a kubeconfig names."""

    def __init__(self, kubeconfig: Path) -> None:
        target = target_of(kubeconfig)
        self._url, self._headers = target.url, target.headers
        self._tls: ssl.SSLContext | bool = target.tls if target.tls is not None else True

    async def __aenter__(self) -> Client:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=64)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=self._headers
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(
        self, method: str, path: str, body: Json | None = None, kind: str = "application/json"
    ) -> tuple[int, Json]:
        """Send a request and return status and body; a server that is away is asked again."""
        data = json.dumps(body) if body is not None else None
        while True:
            try:
                async with self._session.request(
                    method, self._url + path, data=data, headers={"content-type": kind}
                ) as answer:
                    content = json.loads(await answer.read())
                    if answer.status < 500 and answer.status != 429:
                        return answer.status, content
            except _FAILURES:
                pass
            await asyncio.sleep(0.25)

    async def follow(self, path: str, selector: str = "") -> AsyncIterator[tuple[str, Json]]:
        """Yield ADDED, MODIFIED and DELETED for ever: a new list whenever a watch ends."""
        query = {"fieldSelector": selector} if selector else {}
        while True:
            with contextlib.suppress(*_FAILURES, KeyError):
                async with self._session.get(self._url + path, params=query) as answer:
                    listed = json.loads(await answer.read())
                for item in listed["items"]:
                    yield "ADDED", item
                version = {
                    "watch": "true",
                    "resourceVersion": listed["metadata"]["resourceVersion"],
                }
                async with self._session.get(self._url + path, params=query | version) as stream:
                    async for line in _lines(stream):
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        yield event["type"], event["object"]
            await asyncio.sleep(0.25)


async def _lines(stream: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield lines of any length."""
    rest = b""
    async for chunk in stream.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
