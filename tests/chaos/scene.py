"""A cluster that can be broken, a bad network before it, and a service that lives with both."""

from __future__ import annotations

import contextlib
import os
import random
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.proxy import FaultProxy, Plan
from tests.cluster.authority import User
from tests.cluster.daemon import Daemon
from tests.contract.access import target_of
from tests.contract.wire import Api, collection
from tests.ground import LABEL, Ground
from tests.system.server import Server, free_port, poll

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]


def seeded(what: str) -> int:
    """Return the seed of this test, and print how to have the same one again."""
    seed = int(os.environ.get("URUMI_TEST_SEED") or random.randrange(2**32))
    print(f"» {what}: seed {seed} (URUMI_TEST_SEED repeats it)")
    return seed


@dataclass(frozen=True)
class Cluster:
    """What the proxy leads to. ``apiserver`` may be killed where the run started it itself."""

    api: Api
    tls: ssl.SSLContext | None
    token: str | None
    apiserver: Daemon | None
    await_api: Callable[[], None]


@contextlib.contextmanager
def cluster_on(ground: Ground, folder: Path) -> Iterator[Cluster]:
    """Return the ground's API server; on the sandbox, one in a process of its own."""
    if ground.service is not None and ground.api is not None and ground.account is not None:
        plane = ground.plane
        wait = plane.await_api if plane else (lambda: None)
        yield Cluster(
            ground.api,
            target_of(ground.service).tls,  # the authority alone: no certificate of a person's
            ground.account.token(),
            plane.apiserver if plane else None,
            wait,
        )
        return
    folder.mkdir()
    program = ROOT / "tests" / "system" / "sandbox_on.py"
    command = [sys.executable, str(program), str(free_port()), str(folder)]
    daemon = Daemon("sandbox", command, folder / "log")
    kubeconfig = folder / "kubeconfig"
    daemon.start()
    try:
        daemon.await_(kubeconfig.exists, 30)
        api = Api(target_of(kubeconfig))
        wait = lambda: daemon.await_(lambda: _answers(api), 30)  # noqa: E731
        wait()
        yield Cluster(api, None, None, daemon, wait)
        api.close()
    finally:
        daemon.stop()


def _answers(api: Api) -> bool:
    try:
        return api.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Scene:
    """A service behind a proxy, and what its user was promised."""

    cluster: Cluster
    proxy: FaultProxy
    server: Server
    kubeconfig: Path
    living: set[str] = field(default_factory=set)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request to the service."""
        with self.server.client() as client:
            return client.request(method, f"/api/v1/{path}", **more)

    def create(self, *ids: str, **fields: Any) -> None:
        """Create stores."""
        for store_id in ids:
            answer = self.call("POST", "stores", json={"id": store_id, "name": store_id, **fields})
            assert answer.status_code == 202, answer.text
            self.living.add(store_id)

    def stores(self) -> dict[str, Json]:
        """Return every store by its id."""
        with self.server.client() as client:
            items = client.get("/api/v1/stores?limit=200").json()["items"]
        return {item["id"]: item for item in items}

    def await_ready(self, *, generation: int = 1, seconds: float = 240) -> dict[str, Json]:
        """Wait until all that live are Ready in their generation; nothing may fail meanwhile."""

        def look() -> dict[str, Json] | None:
            seen = self.stores()
            failed = {i: s["message"] for i, s in seen.items() if s["phase"] == "Failed"}
            assert not failed, failed
            done = [
                i
                for i, s in seen.items()
                if s["phase"] == "Ready" and s["observedGeneration"] >= generation
            ]
            return seen if self.living == set(done) else None

        try:
            return poll(look, seconds=seconds, what="everything being Ready")
        except AssertionError as error:
            late = {i: s["message"] for i, s in self.stores().items() if s["phase"] != "Ready"}
            raise AssertionError(f"{error}: {late}; its pods: {self.pods(set(late))}") from error

    def pods(self, store_ids: set[str]) -> Json:
        """Return the specs and states of pods as the API server has them, whatever we believe."""
        items = self.cluster.api.get(collection("Pod"), labelSelector=LABEL).json()["items"]
        return {
            pod["metadata"]["name"]: {
                "version": pod["metadata"]["resourceVersion"],
                "node": pod["spec"].get("nodeName"),
                "status": pod.get("status"),
            }
            for pod in items
            if pod["metadata"]["labels"][LABEL] in store_ids
        }

    def namespaces(self) -> dict[str, str]:
        """Return the uids of the stores' namespaces by the stores' ids."""
        answer = self.cluster.api.get(collection("Namespace"), labelSelector=LABEL)
        return {
            item["metadata"]["labels"][LABEL]: item["metadata"]["uid"]
            for item in answer.json()["items"]
            if item["metadata"]["name"].startswith("store-")
        }

    def objects(self, kind: str) -> list[str]:
        """Return the store ids that the objects of a kind belong to, one entry an object."""
        answer = self.cluster.api.get(collection(kind), labelSelector=LABEL)
        return sorted(item["metadata"]["labels"][LABEL] for item in answer.json()["items"])

    def delete_all(self, seconds: float = 240) -> None:
        """Delete every store and wait until nothing of any is left."""
        for store_id in sorted(self.living):
            assert self.call("DELETE", f"stores/{store_id}").status_code in (202, 404)
        gone, self.living = self.living, set()
        poll(lambda: not self.stores(), seconds=seconds, what="the stores being gone")
        assert not gone & self.namespaces().keys(), "a namespace was left over"


@contextlib.contextmanager
def scene_on(
    cluster: Cluster, serve: Callable[..., Server], folder: Path, plan: Plan, **environ: str
) -> Iterator[Scene]:
    """Start proxy and service."""
    with FaultProxy(cluster.api.target.url, cluster.tls, plan) as proxy:
        user = User("service", token=cluster.token)
        kubeconfig = user.kubeconfig(proxy.url, None, folder / "through-the-proxy.yaml")
        settings = {"URUMI_CLUSTER": "auto", "URUMI_KUBECONFIG": str(kubeconfig)}
        settings["URUMI_MAX_STORES_PER_USER"] = "0"
        server = serve("service", **settings | environ)
        yield Scene(cluster, proxy, server, kubeconfig)
        if server.process is not None:
            server.stop()
