"""A cluster that is not there: the service starts, accepts, says what it waits for, and goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.system.server import ROOT, Server, free_port, poll, wait_for_phase

Serve = Callable[..., Server]


def kubeconfig_for(port: int, path: Path) -> Path:
    path.write_text(
        f"""apiVersion: v1
kind: Config
current-context: there
contexts: [{{name: there, context: {{cluster: there, user: me}}}}]
clusters: [{{name: there, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: me, user: {{}}}}]
"""
    )
    return path


def test_creates_wait_for_an_unreachable_cluster_and_go_on_when_it_is_back(
    serve: Serve, tmp_path: Path
) -> None:
    port = free_port()
    config = kubeconfig_for(port, tmp_path / "kubeconfig")
    server = serve("service", URUMI_CLUSTER="auto", URUMI_KUBECONFIG=str(config))
    with server.client() as client:
        ready = httpx.get(server.url + "/readyz")
        assert ready.status_code == 503
        checks = ready.json()["checks"]
        assert checks["database"]["ok"] is True and checks["cluster"]["ok"] is False
        assert client.post("/api/v1/stores", json={"id": "acme", "name": "A"}).status_code == 202
        waiting = poll(
            lambda: (
                s
                if "cluster" in (s := client.get("/api/v1/stores/acme").json())["message"]
                else None
            ),
            what="the wait being explained",
        )
        assert waiting["phase"] == "Pending"
        assert str(port) not in str(waiting), "where the cluster is, is for the operator"
        command = [sys.executable, str(Path(__file__).with_name("sandbox_on.py"))]
        cluster = subprocess.Popen([*command, str(port), str(tmp_path / "sandbox")], cwd=ROOT)
        try:
            wait_for_phase(client, "acme", "Ready", seconds=60)
            poll(lambda: httpx.get(server.url + "/readyz").status_code == 200, what="readiness")
        finally:
            cluster.terminate()
            cluster.wait(timeout=10)
        poll(
            lambda: client.get("/readyz").status_code == 503, seconds=90, what="the loss being seen"
        )
        assert client.get("/api/v1/stores/acme").json()["phase"] == "Ready"


def test_a_context_that_points_elsewhere_is_never_used_by_accident(tmp_path: Path) -> None:
    config = kubeconfig_for(1, tmp_path / "kubeconfig")
    config.write_text(config.read_text().replace("127.0.0.1", "cluster.example.com"))
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "serve"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "KUBECONFIG": str(config),
            "URUMI_DATA_DIR": str(tmp_path / "data"),
            "URUMI_PORT": str(free_port()),
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "cluster.example.com" in done.stderr and "URUMI_CLUSTER=kubeconfig" in done.stderr


def test_a_second_process_on_the_same_data_dir_is_refused(serve: Serve) -> None:
    server = serve()
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "serve"],
        cwd=ROOT,
        env={**server.environ, "URUMI_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "URUMI_DATA_DIR" in done.stderr and "another urumi" in done.stderr


def test_a_second_process_on_the_same_database_is_refused(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    elsewhere = {"URUMI_PORT": str(free_port()), "URUMI_DATA_DIR": str(tmp_path / "other")}
    elsewhere["URUMI_DATABASE_URL"] = f"sqlite:///{server.data_dir / 'urumi.db'}"
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "serve"],
        cwd=ROOT,
        env=server.environ | elsewhere,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "URUMI_DATABASE_URL" in done.stderr and "another urumi" in done.stderr
