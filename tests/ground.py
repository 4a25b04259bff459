"""The ground that the cluster suites stand on: the sandbox, or a real API server.

``--ground=sandbox`` (``make test``): every server under test brings its embedded sandbox.
``--ground=real`` (``make test-cluster``): a control plane that the run starts and ends, with pods
played by a stand-in; or, with ``URUMI_TEST_CLUSTER=1``, the cluster of ``KUBECONFIG``, in
namespaces that the run makes and removes. There the service has the rights that it ships, no more.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.cluster.account import Account
from tests.cluster.daemon import Daemon
from tests.cluster.plane import ControlPlane
from tests.contract.access import authority_of, target_of
from tests.contract.wire import Api, collection

LABEL: Final = "stores.urumi.dev/id"
_GOING: Final = 120.0
PASSED_ON: Final = (
    "URUMI_INGRESS_CLASS", "URUMI_INGRESS_NAMESPACE", "URUMI_STORAGE_CLASS",
    "URUMI_IMAGE_WORDPRESS", "URUMI_IMAGE_MYSQL", "URUMI_USER_NAMESPACES",
)  # fmt: skip
"""Settings of the service that a named cluster asks for; it is started with them."""


def named_cluster() -> Path | None:
    """Return the kubeconfig of the cluster that the environment names for tests, or None."""
    if os.environ.get("URUMI_TEST_CLUSTER") != "1":
        return None
    path = os.environ.get("KUBECONFIG")
    if not path:
        raise pytest.UsageError("URUMI_TEST_CLUSTER=1: set KUBECONFIG to the cluster to test on")
    return Path(path)


def check_named(kind: str) -> None:
    """See that the cluster which the environment names answers. Errors: pytest.UsageError."""
    path = named_cluster() if kind == "real" else None
    if path is None:
        return
    api = Api(target_of(path))
    try:
        api.get("/version")
    except httpx.TransportError as exc:
        raise pytest.UsageError(f"the cluster of {path} does not answer: {exc}") from exc
    finally:
        api.close()


@dataclass(frozen=True)
class Ground:
    """A cluster for the suites; nothing but ``name`` is set on the sandbox.

    ``kubeconfig`` is an administrator's, ``service`` that of the service's own account; ``plane``
    is there when the run started the control plane itself, and may be broken by tests.
    """

    name: str
    kubeconfig: Path | None = None
    service: Path | None = None
    account: Account | None = None
    plane: ControlPlane | None = None
    api: Api | None = None

    @contextlib.contextmanager
    def cleaned(self, prefix: str = "store-") -> Iterator[None]:
        """Remove what comes up meanwhile of namespaces with that prefix, and wait for its end."""
        before = self.store_namespaces(prefix)
        try:
            yield
        finally:
            self._remove(self.store_namespaces(prefix) - before)

    def _remove(self, names: set[str]) -> None:
        """Delete namespaces, what runs in them first and at once: pods in them cost 16 s more."""
        for name in names:
            assert self.api is not None
            for kind in ("Deployment", "StatefulSet", "CronJob", "Job"):
                self.api.delete(collection(kind, name), {"propagationPolicy": "Background"})
            self.api.delete(collection("Pod", name), {"gracePeriodSeconds": 0})
            self.api.delete(f"{collection('Namespace')}/{name}")
        deadline = time.monotonic() + _GOING
        while left := names & self.store_namespaces(""):
            assert time.monotonic() < deadline, f"still there after {_GOING:g} s: {left}"
            time.sleep(0.1)

    def store_namespaces(self, prefix: str = "store-") -> set[str]:
        """Return the names of all namespaces that look like stores."""
        if self.api is None:
            return set()
        items = self.api.get(collection("Namespace")).json()["items"]
        names = {item["metadata"]["name"] for item in items}
        return {name for name in names if name.startswith(prefix)}


SANDBOX: Final = Ground("the embedded sandbox")


@contextlib.contextmanager
def standing(kind: str, folder: Path, *, nodes: bool = True) -> Iterator[Ground]:
    """Have the ground while the block runs; ``nodes`` as for `control_plane`."""
    if kind == "sandbox":
        yield SANDBOX
        return
    named = named_cluster()
    with contextlib.ExitStack() as stack:
        own = control_plane(folder / "plane", nodes=nodes)
        plane = None if named else stack.enter_context(own)
        kubeconfig = named or (plane.kubeconfig if plane else Path())
        yield stack.enter_context(_furnished(kubeconfig, folder, plane))


@contextlib.contextmanager
def _furnished(kubeconfig: Path, folder: Path, plane: ControlPlane | None) -> Iterator[Ground]:
    """Give the service its account on a cluster."""
    api = Api(target_of(kubeconfig))
    account = Account(api)
    try:
        account.install()
        service = account.kubeconfig(
            api.target.url, authority_of(kubeconfig, folder / "ca.crt"), folder / "service.yaml"
        )
        version = api.get("/version").json()["gitVersion"]
        name = f"{'a control plane' if plane else f'the cluster of {kubeconfig}'}, {version}"
        yield Ground(name, kubeconfig, service, account, plane, api)
    finally:
        account.remove()
        api.close()


@contextlib.contextmanager
def control_plane(folder: Path, *, nodes: bool = True) -> Iterator[ControlPlane]:
    """Run a control plane; with ``nodes`` also the stand-in that plays the pods."""
    plane = ControlPlane(folder)
    command = [sys.executable, "-m", "tests.cluster.kubelet", str(plane.kubeconfig)]
    kubelet = Daemon("stand-in kubelet", command, folder / "kubelet.log")
    try:
        plane.start()
        if nodes:
            kubelet.start()
            kubelet.await_(lambda: b"ready" in kubelet.log.read_bytes(), 30)
        yield plane
    finally:
        kubelet.stop()
        plane.stop()
