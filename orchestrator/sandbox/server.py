"""The sandbox as a whole: storage, registry, HTTP server and controllers under one roof.

It lives in one event loop. All of its state is under its directory, so it can be killed at any
moment and started again; two processes cannot share a directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import uvicorn
import yaml

from orchestrator.sandbox.controllers import run_controllers
from orchestrator.sandbox.garbage import GarbageKeeper
from orchestrator.sandbox.housekeeping import Agenda, keep_house
from orchestrator.sandbox.http import App
from orchestrator.sandbox.namespaces import NamespaceKeeper, ensure_initial
from orchestrator.sandbox.quotas import QuotaKeeper
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.watch import Watches

CONTEXT = "urumi-sandbox"
_LOCK_TIMEOUT = 10.0
_START_TIMEOUT = 10.0


class SandboxError(Exception):
    """The sandbox cannot start."""


@dataclass(frozen=True)
class SandboxOptions:
    """Where the sandbox keeps its state, how quickly pods come up, and where it listens.

    ``speed`` is a factor on simulated start-up times: 0 is at once. ``port`` 0 takes the one that
    was used before, or a free one.
    """

    directory: Path
    speed: float = 1.0
    port: int = 0
    host: str = "127.0.0.1"


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to whoever owns the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Sandbox:
    """An embedded Kubernetes API; open it with ``async with``.

    ``url`` and ``kubeconfig`` are there once it is open.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._watches = Watches()
        self._stack = contextlib.AsyncExitStack()
        self._server: _Server | None = None
        self._running: asyncio.Task[None] | None = None
        self.url = ""
        self.kubeconfig = options.directory / "kubeconfig"

    async def __aenter__(self) -> Sandbox:
        """Load the state, listen, and write the kubeconfig."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _open(self) -> None:
        options = self._options
        directory = options.directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._lock(directory)
        storage = Storage(directory / "state.db")
        self._stack.callback(storage.close)
        registry = Registry(storage)
        ensure_initial(registry)
        listener = _listen(options, directory / "port")
        self._stack.callback(listener.close)
        port = listener.getsockname()[1]
        _write(directory / "port", f"{port}\n")
        host = f"[{options.host}]" if ":" in options.host else options.host
        self.url = f"http://{host}:{port}"
        _write(self.kubeconfig, _kubeconfig(self.url))
        self._server = _Server(
            uvicorn.Config(
                App(registry, self._watches),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
                limit_concurrency=None,
            )
        )
        self._running = asyncio.create_task(self._run(registry, listener), name="sandbox")
        await self._started()

    async def _lock(self, directory: Path) -> None:
        """Take the directory for this process; one that was just killed may still let go of it."""
        lock = self._stack.enter_context(_opened(directory / "lock"))
        for _ in range(int(_LOCK_TIMEOUT / 0.1)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                await asyncio.sleep(0.1)
        raise SandboxError(f"{directory} is in use by another process")

    async def _run(self, registry: Registry, listener: socket.socket) -> None:
        assert self._server is not None
        agenda = Agenda()
        keepers = (
            NamespaceKeeper(registry, agenda),
            GarbageKeeper(registry, agenda),
            QuotaKeeper(registry.storage, agenda),
        )
        async with asyncio.TaskGroup() as tasks:
            workers = [
                tasks.create_task(keep_house(registry.storage, keepers, agenda)),
                tasks.create_task(run_controllers(registry, speed=self._options.speed)),
            ]
            await self._server.serve(sockets=[listener])
            for worker in workers:
                worker.cancel()

    async def _started(self) -> None:
        assert self._server is not None and self._running is not None
        async with asyncio.timeout(_START_TIMEOUT):
            while not self._server.started:
                if self._running.done():
                    await self._running
                    raise SandboxError("the sandbox's server stopped at its start")
                await asyncio.sleep(0.005)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all watches, stop the server and the controllers, close the files."""
        self._watches.close()
        if self._server is not None:
            self._server.should_exit = True
        try:
            if self._running is not None:
                await self._running
        finally:
            await self._stack.aclose()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    with path.open("w") as file:
        yield file


def _listen(options: SandboxOptions, remembered: Path) -> socket.socket:
    """Return a listening socket: on the port asked for, the one used before, or a free one."""
    if options.port:
        return _bound(options.host, options.port)
    text = remembered.read_text().strip() if remembered.exists() else ""
    if text.isdigit() and 0 < int(text) < 65536:
        with contextlib.suppress(OSError):
            return _bound(options.host, int(text))
    return _bound(options.host, 0)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio sees to it only for sockets that it made itself; without, answers wait 40 ms.
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found


def _kubeconfig(url: str) -> str:
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": {"server": url}}],
        "users": [{"name": CONTEXT, "user": {}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }
    note = "# The sandbox of Urumi Stores: a simulation of a cluster. Nothing runs in it.\n"
    return note + yaml.safe_dump(body, sort_keys=False)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.chmod(0o600)
    os.replace(new, path)
