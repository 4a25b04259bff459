"""Serves an embedded sandbox on a given port until SIGTERM: a cluster that can go and come back."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from orchestrator.sandbox import Sandbox, SandboxOptions


async def main(port: int, directory: Path) -> None:
    """Run until SIGTERM."""
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    async with Sandbox(SandboxOptions(directory, speed=0, port=port)):
        await done.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
