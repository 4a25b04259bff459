from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from orchestrator.cluster import Cluster, ClusterTarget, Timing, connect
from orchestrator.model.kinds import Json

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Serve = Callable[..., AbstractAsyncContextManager[Cluster]]
Open = Callable[..., AbstractAsyncContextManager[tuple[Cluster, "Unwell"]]]


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


@dataclass
class Gate:
    """Lets one token pass."""

    token: str

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        if request.headers.get("Authorization") == f"Bearer {self.token}":
            return web.json_response({"kind": "ConfigMap"} if "watch" not in request.query else {})
        status = {"kind": "Status", "code": 401, "reason": "Unauthorized", "message": "no"}
        return web.json_response(status, status=401)


async def _never_wait(_: float) -> None:
    return None


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serve a handler on loopback and connect to it as a user of a kubeconfig."""

    @asynccontextmanager
    async def run(
        handler: Answer,
        *,
        user: Json | None = None,
        timing: Timing | None = None,
        connections: int = 32,
    ) -> AsyncIterator[Cluster]:
        runner = web.ServerRunner(web.Server(handler))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = runner.addresses[0]
        path = tmp_path / "kubeconfig"
        config = config_of(f"http://{address[0]}:{address[1]}", user or {"token": "s3cret"})
        path.write_text(json.dumps(config))
        target = ClusterTarget("kubeconfig", path)
        timing = timing or Timing(sleep=_never_wait)
        try:
            async with connect(target, timing=timing, connections=connections) as cluster:
                yield cluster
        finally:
            await runner.cleanup()
            await asyncio.sleep(0)

    return run


@pytest.fixture
def unwell(serve: Serve) -> Open:
    """Serve a script of answers."""

    @asynccontextmanager
    async def run(*script: Answer, request: float = 5.0) -> AsyncIterator[tuple[Cluster, Unwell]]:
        server = Unwell(list(script))
        timing = Timing(request=request, sleep=server.pause)
        async with serve(server.handle, timing=timing) as cluster:
            yield cluster, server

    return run


def config_of(server: str, user: Json) -> dict[str, Any]:
    """Return a kubeconfig."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
    }
