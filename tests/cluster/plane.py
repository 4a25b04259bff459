"""A real control plane on free loopback ports: etcd, API server, controllers, scheduler, no node.

Every instance has an etcd, keys and a folder of its own and ends exactly what it started. RBAC is
on. Pods are played by a stand-in (`tests.cluster.kubelet`); everything else is Kubernetes itself.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from tests.cluster.authority import Authority, User
from tests.cluster.daemon import Daemon
from tests.cluster.programs import programs

_SERVICES: Final = "10.96.0.0/16"
_PATIENCE: Final = 60.0
_QPS: Final = 300
"""Requests a second of each controller: a namespace's end is about a hundred of them."""


class ControlPlane:
    """One control plane; ``kubeconfig`` is its administrator's."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ports = _free_ports("etcd", "peer", "api", "manager", "scheduler")
        self.authority = Authority(folder / "keys")
        self._admin = self.authority.client("admin", "system:masters")
        self.kubeconfig = self.kubeconfig_of(self._admin, "admin")
        self._programs = programs()
        self.etcd = self._daemon("etcd", self._etcd_flags())
        self.apiserver = self._daemon("kube-apiserver", self._apiserver_flags())
        self.manager = self._daemon("kube-controller-manager", self._manager_flags())
        self.scheduler = self._daemon("kube-scheduler", self._client_flags("scheduler"))
        self._http: httpx.Client | None = None

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self._ports['api']}"

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """Every program, in the order in which they start."""
        return self.etcd, self.apiserver, self.manager, self.scheduler

    def start(self) -> None:
        """Start everything and wait until namespaces and service accounts can be made."""
        self.etcd.start()
        self.await_etcd()
        for daemon in (self.apiserver, self.manager, self.scheduler):
            daemon.start()
        self.await_api()
        self.manager.await_(self._has_accounts, _PATIENCE)

    def stop(self) -> None:
        """End what was started, the clients of the API server first."""
        for daemon in reversed(self.daemons):
            daemon.stop()
        if self._http is not None:
            self._http.close()

    def await_etcd(self) -> None:
        """Wait until etcd answers."""
        self.etcd.await_(self._etcd_answers, _PATIENCE)

    def await_api(self) -> None:
        """Wait until the API server is ready."""
        self.apiserver.await_(lambda: self._answers("/readyz"), _PATIENCE)

    def kubeconfig_of(self, user: User, name: str) -> Path:
        """Write a kubeconfig for a user."""
        return user.kubeconfig(self.url, self.authority.certificate, self._folder / f"{name}.yaml")

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request as the administrator."""
        if self._http is None:
            tls = ssl.create_default_context(cafile=str(self.authority.certificate))
            assert self._admin.certificate is not None
            tls.load_cert_chain(self._admin.certificate, self._admin.key)
            self._http = httpx.Client(base_url=self.url, verify=tls, trust_env=False, timeout=30)
        return self._http.request(method, path, **more)

    def _answers(self, path: str) -> bool:
        try:
            return self.request("GET", path).status_code == 200
        except httpx.TransportError:
            return False

    def _etcd_answers(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self._ports['etcd']}/health"
            return httpx.get(address, trust_env=False, timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def _has_accounts(self) -> bool:
        return self._answers("/api/v1/namespaces/default/serviceaccounts/default")

    def _daemon(self, name: str, flags: list[str]) -> Daemon:
        return Daemon(name, [self._programs[name], *flags], self._folder / f"{name}.log")

    def _etcd_flags(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{self._ports[n]}" for n in ("etcd", "peer"))
        return [
            "--name=test",
            f"--data-dir={self._folder / 'etcd'}",
            # What a test stored need not survive a crash of the machine.
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=test={peer}",
        ]

    def _apiserver_flags(self) -> list[str]:
        keys = self.authority
        certificate, key = keys.serving("apiserver")
        return [
            f"--etcd-servers=http://127.0.0.1:{self._ports['etcd']}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._ports['api']}",
            # No pod reaches it, so no address of it is published.
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            f"--service-cluster-ip-range={_SERVICES}",
            "--authorization-mode=RBAC",
            f"--client-ca-file={keys.certificate}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={keys.account_key}",
            f"--service-account-signing-key-file={keys.account_key}",
            "--profiling=false",
        ]

    def _manager_flags(self) -> list[str]:
        keys = self.authority
        return [
            *self._client_flags("manager"),
            # Nobody sends heartbeats for the stand-in's node.
            "--controllers=*,-node-lifecycle-controller",
            "--use-service-account-credentials",
            f"--root-ca-file={keys.certificate}",
            f"--service-account-private-key-file={keys.account_key}",
            f"--cluster-signing-cert-file={keys.certificate}",
            f"--cluster-signing-key-file={keys.key}",
            f"--flex-volume-plugin-dir={self._folder / 'volume-plugins'}",
        ]

    def _client_flags(self, name: str) -> list[str]:
        """Return what the API server's two clients have in common."""
        (self._folder / "volume-plugins").mkdir(exist_ok=True)
        certificate, key = self.authority.serving(name)
        user = self.authority.client(f"system:kube-{_FULL_NAMES[name]}", "system:masters")
        config = self.kubeconfig_of(user, name)
        return [
            f"--kubeconfig={config}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._ports[name]}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            "--leader-elect=false",
            f"--kube-api-qps={_QPS}",
            f"--kube-api-burst={2 * _QPS}",
            "--profiling=false",
        ]


_FULL_NAMES: Final[Mapping[str, str]] = {"manager": "controller-manager", "scheduler": "scheduler"}


def _free_ports(*names: str) -> dict[str, int]:
    """Return ports on which nobody listens now, all different."""
    listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    for listener in listeners.values():
        listener.close()
    return ports
