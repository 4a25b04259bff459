from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from orchestrator.cluster import Cluster, ClusterTarget, Timing, connect

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Unwell:
    """An API server that answers by a script: one answer a request, the last one for ever."""

    script: list[Answer] = field(default_factory=list)
    seen: list[web.BaseRequest] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        await request.read()
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await answer(request)

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)


Open = Callable[..., AbstractAsyncContextManager[tuple[Cluster, Unwell]]]


@pytest.fixture
def unwell(tmp_path: Path) -> Open:
    """Serve a script on loopback and connect to it."""

    @asynccontextmanager
    async def run(*script: Answer, request: float = 5.0) -> AsyncIterator[tuple[Cluster, Unwell]]:
        server = Unwell(list(script))
        runner = web.ServerRunner(web.Server(server.handle))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = runner.addresses[0]
        config = kubeconfig(tmp_path, f"http://{address[0]}:{address[1]}")
        timing = Timing(request=request, sleep=server.pause)
        try:
            async with connect(ClusterTarget("kubeconfig", config), timing=timing) as cluster:
                yield cluster, server
        finally:
            await runner.cleanup()
            await asyncio.sleep(0)

    return run


def kubeconfig(directory: Path, server: str) -> Path:
    path = directory / "kubeconfig"
    path.write_text(
        f"""apiVersion: v1
kind: Config
current-context: c
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: u, user: {{token: "s3cret"}}}}]
"""
    )
    return path
