"""The API in a process of its own, served as the product serves it.

``python -m tests.api.process DIRECTORY`` prints its address and serves until SIGTERM.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from orchestrator.api import Protocol
from orchestrator.telemetry import configure
from tests.api.support import built, listening_socket

ROOT = Path(__file__).parents[2]


async def serve(directory: Path) -> None:
    configure("json", "warning")  # to stderr: nobody reads stdout after the address
    async with built(directory, max_stores_per_user="0") as world:
        with listening_socket() as listener:
            print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
            config = uvicorn.Config(
                world.app,
                http=Protocol,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=2,
                lifespan="on",
            )
            await uvicorn.Server(config).serve(sockets=[listener])


@contextmanager
def started(directory: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the process and return it with its address; kill it if it still runs at the end."""
    command = [sys.executable, "-m", "tests.api.process", str(directory)]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    with process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http"), (directory / "log").read_text()
            yield process, url
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
