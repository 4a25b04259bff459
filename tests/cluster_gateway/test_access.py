"""Who we are to the API server: kubeconfigs of many kinds, plugins, rotated tokens, proxies."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from orchestrator.cluster import ClusterTarget, connect
from orchestrator.model.errors import ClusterForbidden, ClusterUnreachable, SettingsError
from orchestrator.model.kinds import KINDS, ObjectRef
from tests.cluster_gateway.conftest import Gate, Serve, config_of

REF = ObjectRef("ConfigMap", "store-a", "settings")


def plugin(directory: Path) -> dict[str, Any]:
    """A user whose exec plugin gives token t1, then t2, … each good for a year."""
    script = directory / "plugin.sh"
    script.write_text(
        f"""#!/bin/sh
echo run >> {directory}/runs
echo '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status":
 {{"token": "t'$(wc -l < {directory}/runs)'", "expirationTimestamp": "2099-01-01T00:00:00Z"}}}}'
"""
    )
    script.chmod(0o700)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script)}}


async def test_a_plugins_token_that_is_refused_is_replaced(serve: Serve, tmp_path: Path) -> None:
    gate = Gate("t2")
    async with serve(gate, user=plugin(tmp_path)) as cluster:
        await asyncio.gather(*(cluster.get(REF) for _ in range(8)))
        await cluster.get(REF)
    assert (tmp_path / "runs").read_text().count("run") == 2, "one run for all that were refused"


async def test_a_watch_gets_a_new_token_too(serve: Serve, tmp_path: Path) -> None:
    gate = Gate("t2")
    async with serve(gate, user=plugin(tmp_path)) as cluster:
        events = [e async for e in cluster.watch(KINDS["Pod"], resource_version="1")]
    assert [e.type for e in events] == ["BOOKMARK"]


async def test_a_token_that_stays_wrong_is_not_loaded_again_and_again(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve(Gate("never"), user=plugin(tmp_path)) as cluster:
        for _ in range(5):
            with pytest.raises(ClusterForbidden):
                await cluster.get(REF)
    assert (tmp_path / "runs").read_text().count("run") == 2


async def test_a_plugin_that_fails_later_is_an_outage_and_no_crash(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve(Gate("never"), user=plugin(tmp_path)) as cluster:
        (tmp_path / "plugin.sh").unlink()
        with pytest.raises(ClusterUnreachable, match="credentials cannot be loaded again"):
            await cluster.get(REF)


async def test_a_rotated_kubeconfig_is_read_again(serve: Serve, tmp_path: Path) -> None:
    gate = Gate("old")
    async with serve(gate, user={"token": "old"}) as cluster:
        await cluster.get(REF)
        path = tmp_path / "kubeconfig"
        path.write_text(path.read_text().replace('"old"', '"new"'))
        gate.token = "new"
        await cluster.get(REF)


async def test_another_context_can_be_chosen(serve: Serve, tmp_path: Path) -> None:
    async with serve(Gate("t")) as cluster:
        config = config_of(cluster.server, {"token": "t"})
        config["contexts"].append({"name": "other", "context": {"cluster": "else", "user": "u"}})
        config["clusters"].append({"name": "else", "cluster": {"server": "http://10.1.2.3:1/"}})
        path = tmp_path / "two"
        path.write_text(json.dumps(config))
        async with connect(ClusterTarget("kubeconfig", path, "other")) as other:
            assert other.server == "http://10.1.2.3:1"
        with pytest.raises(SettingsError, match="nowhere"):
            async with connect(ClusterTarget("kubeconfig", path, "nowhere")):
                pass


async def test_a_proxy_is_not_used_to_reach_this_machine(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serve(Gate("t"), user={"token": "t"}) as cluster:
        await cluster.get(REF)


def broken(**changes: Any) -> str:
    config = config_of("https://10.0.0.1", {"token": "s3cret"})
    return json.dumps(config | changes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "{}",
        "just text",
        broken(contexts=None),
        broken(clusters=[{"name": "c", "cluster": {}}]),
        broken(clusters=[{"name": "c", "cluster": {"server": "ftp://10.0.0.1"}}]),
        broken(clusters=[{"name": "c", "cluster": {"server": ["s3cret"]}}]),
        broken(
            users=[{"name": "u", "user": {"token": "s3cret", "auth-provider": {"name": "oidc"}}}]
        ),
        broken(users=[{"name": "u", "user": {"token": "s3cret", "exec": {"args": ["s3cret"]}}}]),
        broken(users=[{"name": "u", "user": {"client-certificate-data": "czNjcmV0Cg=="}}]),
        broken(users=[{"name": "u", "user": {"client-certificate": "/nowhere/s.crt"}}]),
        broken(
            clusters=[
                {
                    "name": "c",
                    "cluster": {"server": "https://10.0.0.1", "certificate-authority-data": "bm8K"},
                }
            ]
        ),
    ],
)
async def test_a_broken_kubeconfig_is_one_line_that_tells_no_secret(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "broken"
    path.write_text(text)
    with pytest.raises(SettingsError, match="broken") as caught:
        async with connect(ClusterTarget("kubeconfig", path)):
            pass
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_outside_a_pod_there_is_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(SettingsError, match="in-cluster account: Service host/port is not set"):
        async with connect(ClusterTarget("in-cluster")):
            pass


async def test_the_account_of_the_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from kubernetes_asyncio.config import incluster_config

    token = tmp_path / "token"
    token.write_text("t")
    authorities = ssl_authorities()
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", authorities)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    async with connect(ClusterTarget("in-cluster")) as cluster:
        assert cluster.server == "https://10.0.0.1:443"


def ssl_authorities() -> str:
    import certifi

    return certifi.where()


def test_importing_the_room_does_not_import_the_library() -> None:
    code = "import sys, orchestrator.cluster, orchestrator.applier; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    loaded = set(done.stdout.split())
    assert "orchestrator.cluster.gateway" in loaded
    assert not loaded & {"kubernetes_asyncio", "aiohttp"}


async def test_no_more_requests_at_a_time_than_allowed(serve: Serve) -> None:
    now = most = 0

    async def slow(request: web.BaseRequest) -> web.Response:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0)
        now -= 1
        return web.json_response({"kind": "ConfigMap"})

    async with serve(slow, connections=3) as cluster:
        await asyncio.gather(*(cluster.get(REF) for _ in range(20)))
    assert 1 < most <= 3
