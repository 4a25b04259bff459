"""What the simulated cluster starts with: a node, classes of storage and of ingress."""

from __future__ import annotations

from typing import Final

from orchestrator.sandbox.controllers.access import KUBELET, Access
from orchestrator.sandbox.controllers.common import now
from orchestrator.sandbox.controllers.recorder import NODE
from orchestrator.sandbox.registry import ApiError
from orchestrator.sandbox.values import Json

ADDRESS: Final = "10.0.0.1"
VERSION: Final = "v1.36.3"
CAPACITY: Final = {
    "cpu": "8",
    "ephemeral-storage": "100Gi",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    "memory": "32Gi",
    "pods": "110",
}
_SIMULATION: Final = {
    "stores.urumi.dev/simulation": "This node is a simulation: its pods run nothing at all."
}


def bootstrap(access: Access) -> None:
    """Make what is missing of it."""
    for body in (*_classes(), _namespace("traefik")):
        try:
            access.ensure(body)
        except ApiError as error:
            if error.code != 409:
                raise
    access.ensure(_node(), KUBELET)
    node = access.get("Node", "", NODE)
    if node is not None and not node.get("status", {}).get("nodeInfo"):
        access.set_status(node, _node()["status"], KUBELET)


def _namespace(name: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _classes() -> list[Json]:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": default | _SIMULATION},
        "provisioner": "stores.urumi.dev/simulation",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    chosen = {"ingressclass.kubernetes.io/is-default-class": "true"}
    return [
        storage,
        _ingress_class("traefik", "traefik.io/ingress-controller", chosen | _SIMULATION),
        _ingress_class("nginx", "k8s.io/ingress-nginx", _SIMULATION),
    ]


def _ingress_class(name: str, controller: str, annotations: dict[str, str]) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"controller": controller},
    }


def _node() -> Json:
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": NODE,
        "kubernetes.io/os": "linux",
        "stores.urumi.dev/simulation": "true",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NODE, "labels": labels, "annotations": _SIMULATION},
        "spec": {"podCIDR": "10.244.0.0/16", "podCIDRs": ["10.244.0.0/16"]},
        "status": {
            "capacity": CAPACITY,
            "allocatable": CAPACITY,
            "addresses": [
                {"type": "InternalIP", "address": ADDRESS},
                {"type": "Hostname", "address": NODE},
            ],
            "conditions": _conditions(),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _info(),
        },
    }


def _conditions() -> list[Json]:
    time = now()
    said = (
        ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID"),
        ("Ready", "True", "KubeletReady"),
    )
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": "simulated node",
            "lastHeartbeatTime": time,
            "lastTransitionTime": time,
        }
        for kind, status, reason in said
    ]


def _info() -> dict[str, str]:
    return {
        "architecture": "amd64",
        "bootID": "",
        "containerRuntimeVersion": "simulation://1",
        "kernelVersion": "simulation",
        "kubeProxyVersion": "",
        "kubeletVersion": f"{VERSION}+sandbox",
        "machineID": "",
        "operatingSystem": "linux",
        "osImage": "Urumi Stores sandbox (simulation)",
        "systemUUID": "",
    }
