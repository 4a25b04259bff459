"""The end of the process: quick, in order, whatever is open."""

from __future__ import annotations

import signal
from collections.abc import Callable

import httpx
import pytest

from tests.system.server import Server, wait_for_phase


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_under_three_seconds_with_streams_and_watches_open(
    serve: Callable[..., Server], how: signal.Signals
) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        with httpx.stream(
            "GET",
            server.url + "/api/v1/events/stream",
            headers={"Authorization": f"Bearer {server.token}"},
            timeout=10,
        ) as stream:
            next(stream.iter_raw())
            assert server.process is not None
            server.process.send_signal(how)
            code = server.process.wait(timeout=3)
    server.process = None
    assert code == 0
    assert "Traceback" not in server.log.read_text()
    with server.start().client() as client:
        assert client.get("/api/v1/stores/acme").json()["phase"] == "Ready"
