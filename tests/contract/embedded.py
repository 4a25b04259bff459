"""An embedded sandbox for tests that block: it runs in a loop and a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contract.wire import Target


@contextmanager
def sandbox(directory: Path) -> Iterator[Target]:
    """Have a sandbox at speed 0 while the block runs."""
    from orchestrator.sandbox import Sandbox, SandboxOptions

    started: threading.Event = threading.Event()
    state: dict[str, Any] = {}

    async def serve() -> None:
        stop = asyncio.Event()
        state["stop"] = (asyncio.get_running_loop(), stop)
        async with Sandbox(SandboxOptions(directory=directory, speed=0)) as sandbox:
            state["target"] = Target(sandbox.url, sandbox.kubeconfig, simulated=True)
            started.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # handed to the thread that waits for the start
            state["error"] = error
            started.set()
            raise

    thread = threading.Thread(target=run, name="sandbox", daemon=True)
    thread.start()
    assert started.wait(30), "the sandbox did not start within 30 s"
    if "error" in state:
        raise RuntimeError("the sandbox did not start") from state["error"]
    yield state["target"]
    loop, stop = state["stop"]
    loop.call_soon_threadsafe(stop.set)
    thread.join(15)
    assert not thread.is_alive(), "the sandbox did not stop within 15 s"
