"""One program that a test runs in the background, and ends by its own process alone."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


class Daemon:
    """A program with its log; it may be killed and started again."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; should this process die, it dies too."""
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=die_with_us,
            )  # fmt: skip

    def stop(self, seconds: float = 10) -> None:
        """End it by SIGTERM, and by SIGKILL when it takes longer."""
        self._end(signal.SIGTERM, seconds)

    def kill(self) -> None:
        """End it by SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL, 10)

    def _end(self, sig: signal.Signals, seconds: float) -> None:
        if self._process is None:
            return
        self._process.send_signal(sig)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def await_(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until it is ready; fails with the end of its log when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                tail = b"\n".join(self.log.read_bytes().splitlines()[-15:]).decode(errors="replace")
                raise RuntimeError(f"{self.name} is not ready within {seconds:g} s:\n{tail}")
            time.sleep(0.05)


def die_with_us() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
