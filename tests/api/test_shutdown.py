"""The end: streams are open, and the process is gone in under three seconds, cleanly."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.api.process import started
from tests.api.support import ADMIN


def test_open_streams_do_not_hold_the_exit(tmp_path: Path) -> None:
    with started(tmp_path) as (process, url), ExitStack() as stack:
        client = stack.enter_context(
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=20)
        )
        streams = []
        for _ in range(5):
            response = stack.enter_context(client.stream("GET", "/api/v1/events/stream"))
            lines = response.iter_lines()
            assert next(lines).startswith(":")
            streams.append(lines)
        begun = time.monotonic()
        process.terminate()
        for lines in streams:
            assert [line for line in lines if line and not line.startswith(":")] == []
        code = process.wait(10)
        assert time.monotonic() - begun < 3
        assert code in (0, -signal.SIGTERM)
    assert "Traceback" not in (tmp_path / "log").read_text()
