"""A controller may be killed between any two of its writes; the next run goes on from there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from orchestrator.sandbox.controllers import run_controllers
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.storage import Storage
from tests.sandbox.test_controllers import (
    SPACE,
    claim,
    complete,
    deployment,
    eventually,
    make,
    maybe,
    ready,
    running,
    workload,
)

Json = dict[str, Any]


class Killed(BaseException):
    """What no controller survives: the process is gone."""


async def run_until_killed(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, writes: int, done: Callable[[], bool]
) -> bool:
    """Run the controllers until so many writes are in the journal; say whether that came first."""
    left = writes

    def counted(call: Callable[[Storage, Resource, Json], Json]) -> Callable[..., Json]:
        def write(storage: Storage, resource: Resource, obj: Json) -> Json:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return call(storage, resource, obj)

        return write

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "put", counted(Storage.put))
        patched.setattr(Storage, "remove", counted(Storage.remove))
        task = asyncio.create_task(_ends(run_controllers(registry, speed=0)))
        while not task.done() and not done():
            await asyncio.sleep(0.002)
        task.cancel()
        with suppress(asyncio.CancelledError):
            return await task
    return False


async def _ends(run: Any) -> bool:
    """Killed as a result: a task passes such an error on to the event loop."""
    try:
        await run
    except Killed:
        return True
    return False


def furnish(registry: Registry) -> None:
    source = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    make(registry, claim("data", "standard"))
    for body in (deployment(), workload("StatefulSet", "base", serviceName="base")):
        body["spec"]["template"]["spec"]["volumes"] = [source]
        make(registry, body)


def all_ready(registry: Registry) -> bool:
    pods = registry.list("Pod", SPACE)
    return len(pods) == 2 and all(map(ready, pods))


async def test_killed_before_each_write_of_bringing_pods_up(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for writes in range(0, 1000):
        furnish(registry)
        killed = await run_until_killed(registry, monkeypatch, writes, lambda: all_ready(registry))
        async with running(registry):
            await eventually(lambda: all_ready(registry))
            await complete(registry)
            assert registry.get("PersistentVolumeClaim", SPACE, "data")["status"]["phase"] == (
                "Bound"
            )
            _clear(registry)
            await eventually(lambda: maybe(registry, "PersistentVolumeClaim", "data") is None)
            await eventually(lambda: not registry.list("PersistentVolume"))
        if not killed:
            assert writes > 20, "nothing was killed"
            return
    raise AssertionError("it never came to an end")


def _clear(registry: Registry) -> None:
    for kind in ("Deployment", "StatefulSet", "ReplicaSet", "Pod", "PersistentVolumeClaim"):
        for obj in registry.list(kind, SPACE):
            registry.delete(kind, SPACE, obj["metadata"]["name"], grace=0)
