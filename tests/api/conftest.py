from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.api.support import World, running


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The API in a task of its own: fixtures are set up and torn down in different tasks."""
    options = getattr(request, "param", {})
    ready: asyncio.Future[World] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def live() -> None:
        async with running(tmp_path, **options) as made:
            ready.set_result(made)
            await stop.wait()

    task = asyncio.create_task(live())
    task.add_done_callback(lambda _: ready.cancel())
    try:
        made = await ready
    except asyncio.CancelledError:
        task.result()
        raise
    yield made
    stop.set()
    await task


@pytest.fixture
async def admin(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client
