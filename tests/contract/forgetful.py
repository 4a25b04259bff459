"""An API server that has just begun: it has all objects and none of the past.

On the real ground that is a second kube-apiserver on the same etcd, as an upgrade or a second
replica brings; on the sandbox it is the sandbox started again on its folder.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_server

import httpx

from tests.cluster.daemon import Daemon
from tests.cluster.plane import ControlPlane
from tests.contract.embedded import sandbox
from tests.contract.wire import Api, Space, Target, collection, eventually


@dataclass(frozen=True)
class Forgetful:
    """A namespace at a server, and the same one at a server that begins with ``restart``."""

    before: Space
    restart: Callable[[], Space]


@contextmanager
def of_plane(plane: ControlPlane, space: Space, folder: Path) -> Iterator[Forgetful]:
    """Have a second API server beside that of the control plane."""
    with ExitStack() as stack:

        def restart() -> Space:
            target = stack.enter_context(_second(plane, space.api.target, folder))
            return Space(_client(stack, target), space.name)

        yield Forgetful(space, restart)


@contextmanager
def _second(plane: ControlPlane, target: Target, folder: Path) -> Iterator[Target]:
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [
        f"--secure-port={port}" if part.startswith("--secure-port=") else part
        for part in plane.apiserver.command
    ]
    daemon = Daemon("second kube-apiserver", command, folder / "second.log")
    found = replace(target, url=f"https://127.0.0.1:{port}")
    daemon.start()
    try:
        daemon.await_(lambda: _ready(found), 60)
        yield found
    finally:
        daemon.stop()


def _ready(target: Target) -> bool:
    client = Api(target)
    try:
        return client.get("/readyz", accept="*/*").status_code == 200
    except httpx.TransportError:
        return False
    finally:
        client.close()


@contextmanager
def of_sandbox(folder: Path) -> Iterator[Forgetful]:
    """Have a sandbox that can be started again."""
    with ExitStack() as last, ExitStack() as first:
        api = _client(first, first.enter_context(sandbox(folder)))
        space = Space(api, f"contract-{secrets.token_hex(4)}")
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space.name}}
        api.post(collection("Namespace"), body)
        eventually(lambda: space.exists("ServiceAccount", "default"))

        def restart() -> Space:
            first.close()
            return Space(_client(last, last.enter_context(sandbox(folder))), space.name)

        yield Forgetful(space, restart)


def _client(stack: ExitStack, target: Target) -> Api:
    client = Api(target)
    stack.callback(client.close)
    return client
