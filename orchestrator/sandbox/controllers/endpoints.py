"""Services and Ingresses: where they lead."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Final

from orchestrator.sandbox.controllers.access import MANAGER, Access
from orchestrator.sandbox.controllers.common import (
    deleting,
    finished,
    is_ready,
    name_of,
    now,
    owner_reference,
    space_of,
)
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.values import Json, clone

_MANAGED: Final = "endpointslice.kubernetes.io/managed-by"
_SERVICE: Final = "kubernetes.io/service-name"
_CONTROLLER: Final = "endpointslice-controller.k8s.io"
_HEADLESS: Final = "service.kubernetes.io/headless"
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_DEFAULT: Final = "ingressclass.kubernetes.io/is-default-class"
_INGRESS_ADDRESS: Final = "127.0.0.1"


class EndpointSlices:
    """Keeps one EndpointSlice a Service: the pods that it selects."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Services, pods that they select, and slices that somebody touched."""
        return {"Service": itself, "Pod": self._selecting, "EndpointSlice": self._of_slice}

    def _selecting(self, pod: Json) -> Iterable[Key]:
        labels = (pod["metadata"].get("labels") or {}).items()
        for service in self._access.items("Service", space_of(pod)):
            selector = service["spec"].get("selector")
            if selector and selector.items() <= labels:
                yield space_of(service), name_of(service)

    def _of_slice(self, found: Json) -> Iterable[Key]:
        labels = found["metadata"].get("labels") or {}
        if labels.get(_MANAGED) == _CONTROLLER and labels.get(_SERVICE):
            yield space_of(found), labels[_SERVICE]

    def reconcile(self, key: Key) -> float | None:
        """Bring the slice up to date."""
        service = self._access.get("Service", *key)
        selector = (service or {}).get("spec", {}).get("selector")
        if service is None or deleting(service) or not selector:
            return None
        pods = [
            pod
            for pod in self._access.items("Pod", space_of(service))
            if selector.items() <= (pod["metadata"].get("labels") or {}).items()
            and pod.get("status", {}).get("podIP")
            and not finished(pod)
        ]
        wanted = _slice(service, pods)
        slices = self._access.owned("EndpointSlice", service)
        if not slices:
            suffix = "".join(secrets.choice(_LETTERS) for _ in range(5))
            wanted["metadata"]["name"] = f"{name_of(service)}-{suffix}"
            wanted["metadata"]["generateName"] = f"{name_of(service)}-"
            self._access.create(wanted)
        elif not _same(slices[0], wanted):
            changed = clone(slices[0])
            changed |= {"endpoints": wanted["endpoints"], "ports": wanted["ports"]}
            changed["metadata"]["labels"] = wanted["metadata"]["labels"]
            changed["metadata"]["annotations"] = wanted["metadata"]["annotations"]
            self._access.update(changed)
        return None


def _same(found: Json, wanted: Json) -> bool:
    labels = found["metadata"].get("labels") or {}
    parts = ("endpoints", "ports")
    same = all((found.get(part) or []) == wanted[part] for part in parts)
    return bool(same and labels == wanted["metadata"]["labels"])


def _slice(service: Json, pods: list[Json]) -> Json:
    labels = dict(service["metadata"].get("labels") or {})
    labels |= {_MANAGED: _CONTROLLER, _SERVICE: name_of(service)}
    if service["spec"].get("clusterIP") == "None":
        labels[_HEADLESS] = ""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": space_of(service),
            "labels": labels,
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": now()},
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": [_endpoint(service, pod) for pod in pods],
        "ports": _ports(service, pods),
    }


def _endpoint(service: Json, pod: Json) -> Json:
    ready = is_ready(pod)
    leaving = deleting(pod)
    shown = service["spec"].get("publishNotReadyAddresses", False)
    target = {"kind": "Pod", "namespace": space_of(pod), "name": name_of(pod)}
    endpoint: Json = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": shown or (ready and not leaving),
            "serving": ready,
            "terminating": leaving,
        },
        "targetRef": target | {"uid": pod["metadata"]["uid"]},
        "nodeName": pod["spec"].get("nodeName", ""),
    }
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == name_of(service):
        endpoint["hostname"] = pod["spec"]["hostname"]
    return endpoint


def _ports(service: Json, pods: list[Json]) -> list[Json]:
    if not pods:
        return []
    found = []
    for port in service["spec"].get("ports") or ():
        number = _number(port, pods)
        if number is None:
            continue
        entry = {"name": port.get("name", ""), "port": number, "protocol": port["protocol"]}
        if port.get("appProtocol"):
            entry["appProtocol"] = port["appProtocol"]
        found.append(entry)
    return found


def _number(port: Json, pods: list[Json]) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for pod in pods:
        for container in pod["spec"]["containers"]:
            for offered in container.get("ports") or ():
                if offered.get("name") == target:
                    number: int = offered["containerPort"]
                    return number
    return None


class Ingresses:
    """Publishes an address for each Ingress whose class there is."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Ingresses, and the classes that they may wait for."""
        return {"Ingress": itself, "IngressClass": self._everything}

    def _everything(self, _: Json) -> Iterable[Key]:
        return [(space_of(i), name_of(i)) for i in self._access.items("Ingress")]

    def reconcile(self, key: Key) -> float | None:
        """Write the address; an Ingress that no controller serves is left as it is."""
        ingress = self._access.get("Ingress", *key)
        if ingress is None or deleting(ingress):
            return None
        name = ingress["spec"].get("ingressClassName")
        served = self._access.get("IngressClass", "", name) is not None if name else self._default()
        if served:
            addresses = {"ingress": [{"ip": _INGRESS_ADDRESS}]}
            self._access.set_status(ingress, {"loadBalancer": addresses}, f"{name or MANAGER}")
        return None

    def _default(self) -> bool:
        return any(
            (c["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
            for c in self._access.items("IngressClass")
        )
