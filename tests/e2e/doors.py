"""Which doors are open: TCP connections tried from inside pods.

One probe for open and closed alike. A name that does not resolve is neither: doors are addresses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from tests.contract.wire import Json
from tests.e2e.shop import Shop
from tests.system.server import poll

SECONDS: Final = 2
"""How long a door is knocked at. A door that is closed by policy does not answer at all."""
_KNOCK: Final = (
    f"$s = @fsockopen($argv[1], (int) $argv[2], $code, $why, {SECONDS}); "
    'echo $s ? "open" : ($code ? "closed" : "error"), ": $why";'
)

Run = Callable[..., str]
"""Runs a command in a pod that has PHP, and returns what it printed."""


@dataclass(frozen=True, order=True)
class Door:
    """An address to knock at."""

    what: str
    host: str
    port: int


def closed(run: Run, doors: list[Door]) -> Mapping[str, bool]:
    """Knock at all doors from one pod; return which of them are closed."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(lambda door: _knock(run, door), doors))
    return {door.what: answer for door, answer in zip(doors, answers, strict=True)}


def _knock(run: Run, door: Door) -> bool:
    said = run("php", "-r", _KNOCK, _bracketed(door.host), str(door.port))
    assert said.startswith(("open", "closed")), f"{door}: {said!r}"
    return said.startswith("closed")


def of_pod(shop: Shop, component: str, port: int) -> Door:
    """Return the door of a store's pod."""
    ip = shop.pod(component)["status"]["podIP"]
    return Door(f"{shop.id}'s {component} pod", ip, port)


def of_service(shop: Shop, name: str, port: int) -> Door:
    """Return the door of a store's Service."""
    ip = shop.get("service", name)["spec"]["clusterIP"]
    return Door(f"{shop.id}'s Service {name}", ip, port)


def of_api_server(shop: Shop) -> list[Door]:
    """Return the doors of the API server: by its Service, and itself."""
    kubectl = shop.server.kubectl
    service = json.loads(kubectl("get", "service", "kubernetes", "-n", "default", "-o", "json"))
    doors = [Door("the API server's Service", service["spec"]["clusterIP"], 443)]
    chosen = ("-l", "kubernetes.io/service-name=kubernetes", "-n", "default", "-o", "json")
    for found in json.loads(kubectl("get", "endpointslices", *chosen))["items"]:
        port, address = found["ports"][0]["port"], found["endpoints"][0]["addresses"][0]
        doors.append(Door("the API server itself", address, port))
    return doors


def asked_of_kubelet(run: Run, shop: Shop) -> str:
    """Return what the kubelet of the store's node says to whoever asks for its pods: a status.

    Empty when it does not answer.
    """
    name = shop.pod("wordpress")["spec"]["nodeName"]
    node = json.loads(shop.server.kubectl("get", "node", name, "-o", "json"))
    addresses = {a["type"]: a["address"] for a in node["status"]["addresses"]}
    ask = (
        f'$ssl = ["verify_peer" => false, "verify_peer_name" => false]; '
        f'$http = ["timeout" => {SECONDS}, "ignore_errors" => true]; '
        '$all = stream_context_create(["ssl" => $ssl, "http" => $http]); '
        '@file_get_contents("https://$argv[1]:10250/pods", false, $all); '
        'echo explode(" ", $http_response_header[0] ?? "- ")[1];'
    )
    return run("php", "-r", ask, _bracketed(addresses["InternalIP"]))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Outside:
    """Pods that no policy of ours holds: two in a namespace of their own, one at the ingress'."""

    def __init__(self, shop: Shop, namespace: str, ingress_namespace: str) -> None:
        self._kubectl = shop.server.kubectl
        self._image = shop.pod("wordpress")["spec"]["containers"][0]["image"]
        self.namespace = namespace
        self._places = {"listening": namespace, "other": namespace, "ingress": ingress_namespace}

    def set_up(self) -> None:
        """Make them and wait until they listen."""
        self._kubectl("create", "namespace", self.namespace)
        account = ("get", "serviceaccount", "default", "-n", self.namespace)
        poll(lambda: "NotFound" not in self._kubectl(*account, check=False), what="the account")
        for name, namespace in self._places.items():
            self._kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(self._pod(name)))
        for name, namespace in self._places.items():
            self._kubectl(
                *("wait", "--for=condition=Ready", f"pod/{self._name(name)}"),
                *("-n", namespace, "--timeout=50s"),
            )

    def remove(self) -> None:
        """Take them away."""
        kill = ("--ignore-not-found", "--grace-period=0", "--force", "--wait=false")
        for name, namespace in self._places.items():
            self._kubectl("delete", "pod", self._name(name), "-n", namespace, *kill)
        self._kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")

    def run(self, name: str) -> Run:
        """Return what runs commands in one of the pods."""
        base = ("exec", self._name(name), "-n", self._places[name], "--")
        return lambda *command: self._kubectl(*base, *command)

    def door(self, name: str) -> Door:
        """Return the door of one of the pods."""
        path = "jsonpath={.status.podIP}"
        where = ("get", "pod", self._name(name), "-n", self._places[name], "-o", path)
        return Door(f"a pod elsewhere ({name})", self._kubectl(*where), 8080)

    def _name(self, name: str) -> str:
        return f"{self.namespace}-{name}"

    def _pod(self, name: str) -> Json:
        container: dict[str, Any] = {
            "name": "php",
            "image": self._image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["php", "-S", "0.0.0.0:8080", "-t", "/tmp"],
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self._name(name)},
            "spec": {
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 33,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [container],
            },
        }
