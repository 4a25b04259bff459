"""The sandbox as a whole: storage, registry, HTTP server and controllers under one roof."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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


class Sandbox:
    """An embedded Kubernetes API; open it with ``async with``."""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
