from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ground import Ground
from tests.system.server import Server


@pytest.fixture
def serve(ground: Ground, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers; whatever still runs at the end is stopped, and what they made is removed."""
    started: list[Server] = []

    def start(name: str = "data", **environ: str) -> Server:
        server = Server(tmp_path / name, ground, **environ)
        started.append(server)
        return server.start()

    with ground.cleaned():
        yield start
        for server in started:
            if server.process is not None:
                server.stop()
