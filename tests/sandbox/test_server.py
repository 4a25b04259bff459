"""The sandbox as a process: ports, kubeconfig, restarts, guards, a quick end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from orchestrator.sandbox import Sandbox, SandboxOptions, server

MAPS = "/api/v1/namespaces/default/configmaps"


def configmap(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def client(sandbox: Sandbox) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=sandbox.url, trust_env=False, timeout=10)


async def test_the_kubeconfig_names_the_server(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions(tmp_path, speed=0)) as sandbox:
        config = yaml.safe_load(sandbox.kubeconfig.read_text())
        assert config["current-context"] == "urumi-sandbox"
        assert config["clusters"][0]["cluster"] == {"server": sandbox.url}
        assert sandbox.kubeconfig == tmp_path / "kubeconfig"
        assert sandbox.url.startswith("http://127.0.0.1:")


async def test_port_and_state_are_kept(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions(tmp_path, speed=0)) as first, client(first) as http:
        url = first.url
        made = (await http.post(MAPS, json=configmap("kept"))).json()
    async with Sandbox(SandboxOptions(tmp_path, speed=0)) as second, client(second) as http:
        assert second.url == url
        assert (await http.get(f"{MAPS}/kept")).json() == made
        old = {"watch": "1", "resourceVersion": "1", "timeoutSeconds": "1"}
        (event,) = (await http.get(MAPS, params=old)).text.splitlines()
        assert json.loads(event)["object"]["code"] == 410
        newer = (await http.post(MAPS, json=configmap("newer"))).json()
        versions = [int(o["metadata"]["resourceVersion"]) for o in (made, newer)]
        assert versions[1] > versions[0]


async def test_a_port_that_is_taken_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "port").write_text(f"{port}\n")
        async with Sandbox(SandboxOptions(tmp_path, speed=0)) as sandbox, client(sandbox) as http:
            assert not sandbox.url.endswith(f":{port}")
            assert (await http.get("/readyz")).text == "ok"
        with pytest.raises(OSError, match="in use"):
            async with Sandbox(SandboxOptions(tmp_path, speed=0, port=port)):
                raise AssertionError("the port was asked for by name")


async def test_a_directory_belongs_to_one_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_LOCK_TIMEOUT", 0.2)
    async with Sandbox(SandboxOptions(tmp_path, speed=0)):
        with pytest.raises(server.SandboxError, match="in use by another process"):
            async with Sandbox(SandboxOptions(tmp_path, speed=0)):
                raise AssertionError("two sandboxes share a directory")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:1234"}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:80"}, 200),
        ({"host": "evil.example.com"}, 403),
        ({"host": "127.0.0.1.evil.example.com:80"}, 403),
        ({"host": "localtest.me"}, 403),
        ({"origin": "http://evil.example.com"}, 403),
    ],
)
async def test_only_loopback_and_no_web_page(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with Sandbox(SandboxOptions(tmp_path, speed=0)) as sandbox, client(sandbox) as http:
        answer = await http.get("/version", headers=headers)
        assert answer.status_code == status
        if status == 403:
            assert answer.json()["reason"] == "Forbidden"


async def test_it_ends_at_once_with_watches_open(tmp_path: Path) -> None:
    sandbox = Sandbox(SandboxOptions(tmp_path, speed=0))
    await sandbox.__aenter__()
    async with client(sandbox) as http:
        opened = asyncio.Event()

        async def watch() -> str:
            async with http.stream("GET", MAPS, params={"watch": "1"}) as answer:
                opened.set()
                return (await answer.aread()).decode()

        watches = [asyncio.create_task(watch()) for _ in range(3)]
        await opened.wait()
        start = time.monotonic()
        await sandbox.__aexit__(None, None, None)
        assert time.monotonic() - start < 1
        async with asyncio.timeout(2):
            for text in await asyncio.gather(*watches):
                assert "kube-root-ca.crt" in text, "the stream ended, it was not cut off"


async def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    """The process is killed by -9 between two writes; what was answered is there afterwards."""
    script = (
        "import asyncio, sys, pathlib\n"
        "from orchestrator.sandbox import Sandbox, SandboxOptions\n"
        "async def main():\n"
        "    async with Sandbox(SandboxOptions(pathlib.Path(sys.argv[1]), speed=0)) as sandbox:\n"
        "        print(sandbox.url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        for number in range(20):
            answer = await http.post(MAPS, json=configmap(f"c{number:02}"))
            assert answer.status_code == 201
        last = int(answer.json()["metadata"]["resourceVersion"])
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    async with Sandbox(SandboxOptions(tmp_path, speed=0)) as sandbox, client(sandbox) as http:
        assert sandbox.url == url
        found = (await http.get(MAPS)).json()
        names = [o["metadata"]["name"] for o in found["items"] if o["metadata"]["name"][0] == "c"]
        assert names == [f"c{n:02}" for n in range(20)]
        assert int(found["metadata"]["resourceVersion"]) >= last


async def test_a_body_that_is_too_large(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions(tmp_path, speed=0)) as sandbox, client(sandbox) as http:
        answer = await http.post(MAPS, content=b"x" * (3 * 1024 * 1024 + 1))
        assert answer.status_code == 413
        assert answer.json()["reason"] == "RequestEntityTooLarge"


async def test_a_time_before_all_times_is_refused(tmp_path: Path) -> None:
    said = {
        "metadata": {"name": "odd", "namespace": "default"},
        "involvedObject": {"namespace": "default"},
        "lastTimestamp": "0001-01-01T00:00:00+23:59",
    }
    async with Sandbox(SandboxOptions(tmp_path, speed=0)) as sandbox, client(sandbox) as http:
        answer = await http.post("/api/v1/namespaces/default/events", json=said)
    assert answer.status_code == 400 and "parsing time" in answer.json()["message"]
