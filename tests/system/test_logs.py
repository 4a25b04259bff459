"""Logs through the whole house, on the sandbox (a control plane without nodes has none)."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.system.server import Server, poll, wait_for_phase

Serve = Callable[..., Server]


def test_logs_of_a_store_from_its_start_to_its_end(serve: Serve) -> None:
    server = serve()
    with server.client() as client, server.client() as other:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        wait_for_phase(client, "acme", "Ready")
        text = client.get("/api/v1/stores/acme/logs").text
        for container in ("initialize", "mysql", "prepare", "setup", "wordpress"):
            assert f"/{container}] " in text
        assert "/mysql]" not in client.get("/api/v1/stores/acme/logs?component=wordpress").text
        assert client.get("/api/v1/stores/acme/logs?previous=true").text == ""

        heard: set[str] = set()
        with client.stream("GET", "/api/v1/stores/acme/logs?follow=1", timeout=30) as stream:
            lines = stream.iter_lines()
            poll(lambda: _hear(next(lines), heard) >= {"mysql", "wordpress"}, what="the last lines")
            server.kubectl("delete", "pod", "mysql-0", "-n", "store-acme")
            heard.clear()
            poll(lambda: "initialize" in _hear(next(lines), heard), what="the new pod")
            assert other.delete("/api/v1/stores/acme").status_code == 202
            for line in lines:
                _hear(line, heard)  # until the server ends it


def _hear(line: str, heard: set[str]) -> set[str]:
    if line.startswith("data: "):
        heard.add(json.loads(line.removeprefix("data: "))["container"])
    return heard
