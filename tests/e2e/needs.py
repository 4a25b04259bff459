"""What ``make test-e2e`` needs of a cluster, looked at before any test: nothing is skipped.

``python -m tests.e2e.needs`` says in a few lines what is missing and what to do, and exits 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.contract.access import target_of
from tests.contract.wire import Api, collection, condition
from tests.ground import PASSED_ON

Json = dict[str, Any]
ADVICE: Final = """\
make test-e2e: {problem}

It runs real pods on a cluster of yours, in namespaces that it makes and removes:
  kind:  kind create cluster
         helm install traefik traefik --repo https://traefik.github.io/charts \\
           --namespace traefik --create-namespace --wait
         kubectl --namespace traefik port-forward service/traefik 8088:80 &
         export KUBECONFIG=~/.kube/config URUMI_TEST_INGRESS=127.0.0.1:8088
  k3s:   curl -sfL https://get.k3s.io | sh -
         export KUBECONFIG=/etc/rancher/k3s/k3s.yaml URUMI_INGRESS_NAMESPACE=kube-system
then:    URUMI_TEST_CLUSTER=1 make test-e2e
URUMI_TEST_INGRESS is host:port of the ingress controller (default: what the Ingress publishes, port
80). An administrator's kubeconfig, a default StorageClass and a network plugin that enforces
NetworkPolicy are needed; {settings} are passed on.
"""


class Missing(Exception):
    """Something that the suite cannot do without; the text says what."""


def ingress_class(environ: Mapping[str, str]) -> str:
    """Return the ingress class that the stores ask for."""
    return environ.get("URUMI_INGRESS_CLASS") or "traefik"


def ingress_namespace(environ: Mapping[str, str]) -> str:
    """Return the namespace of the ingress controller."""
    return environ.get("URUMI_INGRESS_NAMESPACE") or "traefik"


def ingress_address(environ: Mapping[str, str]) -> tuple[str, int] | None:
    """Return where the environment says that the ingress controller listens. Errors: Missing."""
    text = environ.get("URUMI_TEST_INGRESS")
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, "80"
    if not host or not port.isdigit():
        raise Missing(f"URUMI_TEST_INGRESS={text}: it is host:port, such as 127.0.0.1:8088")
    return host.strip("[]"), int(port)


def check(environ: Mapping[str, str]) -> None:
    """Raise Missing for the first thing that is not there."""
    if environ.get("URUMI_TEST_CLUSTER") != "1" or not environ.get("KUBECONFIG"):
        raise Missing("no cluster is named (KUBECONFIG and URUMI_TEST_CLUSTER=1)")
    path = Path(environ["KUBECONFIG"])
    if not path.is_file():
        raise Missing(f"KUBECONFIG={path}: there is no such file (the path of one is needed)")
    ingress_address(environ)
    try:
        api = Api(target_of(path))
    except pytest.UsageError as exc:
        raise Missing(str(exc)) from exc
    try:
        _check_cluster(api, environ)
    except httpx.TransportError as exc:
        raise Missing(f"the cluster of {path} does not answer: {exc}") from exc
    finally:
        api.close()


def _check_cluster(api: Api, environ: Mapping[str, str]) -> None:
    _find(api, "Node", lambda n: condition(n, "Ready")["status"] == "True", "no Ready node")
    wanted = ingress_class(environ)
    _find(api, "IngressClass", _named(wanted), f"no ingress class {wanted} (URUMI_INGRESS_CLASS)")
    place = ingress_namespace(environ)
    _find(api, "Namespace", _named(place), f"no namespace {place} (URUMI_INGRESS_NAMESPACE)")
    storage = environ.get("URUMI_STORAGE_CLASS")
    which = _named(storage) if storage else _is_default
    lacks = f"no storage class {storage}" if storage else "no default storage class"
    _find(api, "StorageClass", which, f"{lacks} (URUMI_STORAGE_CLASS)")


def _find(api: Api, kind: str, fits: Callable[[Json], bool], lacks: str) -> None:
    answer = api.get(collection(kind))
    if answer.status_code != 200:
        raise Missing(f"the cluster does not show its {kind} objects: {answer.status_code}")
    if not any(fits(item) for item in answer.json()["items"]):
        raise Missing(f"the cluster has {lacks}")


def _named(name: str) -> Callable[[Json], bool]:
    return lambda obj: obj["metadata"]["name"] == name


def _is_default(storage_class: Json) -> bool:
    notes = storage_class["metadata"].get("annotations") or {}
    return notes.get("storageclass.kubernetes.io/is-default-class") == "true"


def main() -> int:
    """Say what is missing; return the exit code."""
    try:
        check(os.environ)
    except Missing as missing:
        print(ADVICE.format(problem=missing, settings=", ".join(PASSED_ON)), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
