"""Live objects of a store, as a cluster shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.model.kinds import KINDS, Json, ObjectRef
from orchestrator.model.names import (
    COMPONENT_LABEL,
    FIELD_MANAGER,
    ID_LABEL,
    MANAGED_BY_LABEL,
    namespace_of,
)
from orchestrator.watcher import StoreView

STORE = "acme"
SPACE = "store-acme"
MYSQL_IMAGE = "docker.io/library/mysql:8.4"
SHOP_IMAGE = "docker.io/library/wordpress:6.9"
PARTS = {"database": ("mysql", MYSQL_IMAGE), "wordpress": ("wordpress", SHOP_IMAGE)}


def live(
    kind: str,
    name: str,
    *,
    store: str = STORE,
    component: str | None = None,
    version: str = "1",
    meta: Json | None = None,
    **parts: Any,
) -> Json:
    """Return an object with our labels in its store's namespace."""
    labels = {MANAGED_BY_LABEL: FIELD_MANAGER, ID_LABEL: store}
    if component is not None:
        labels[COMPONENT_LABEL] = component
    metadata = {"name": name, "uid": f"{kind}-{name}", "resourceVersion": version, "labels": labels}
    if KINDS[kind].namespaced:
        metadata["namespace"] = namespace_of(store)
    return {
        "apiVersion": KINDS[kind].api_version,
        "kind": kind,
        "metadata": {**metadata, **(meta or {})},
        **parts,
    }


def view_of(*objects: Json, events: Iterable[Json] = (), fresh: bool = True) -> StoreView:
    """Return a view of the store; classes among ``objects`` go where they belong."""
    kinds = {kind: [o for o in objects if o["kind"] == kind] for kind in CLASSES}
    return StoreView.of(
        STORE,
        [o for o in objects if o["kind"] not in CLASSES],
        ingress_classes=kinds["IngressClass"],
        storage_classes=kinds["StorageClass"],
        events=events,
        fresh=fresh,
    )


CLASSES = ("IngressClass", "StorageClass")


def ref(kind: str, name: str) -> ObjectRef:
    return ObjectRef(kind, SPACE if KINDS[kind].namespaced else "", name)


def event(obj: Json, reason: str, message: str, at: str = "2026-11-23T12:00:00Z") -> Json:
    """Return a core/v1 event about an object."""
    about = {"kind": obj["kind"], "namespace": SPACE, "name": obj["metadata"]["name"]}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about['name']}.17", "namespace": SPACE, "creationTimestamp": at},
        "involvedObject": about,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
    }


def state_of(name: str, now: Json, last: Json | None = None, **more: Any) -> Json:
    """Return a container's status."""
    return {
        "name": name,
        "image": f"resolved/{name}@sha256:0",
        "ready": False,
        "restartCount": 0,
        "state": now,
        "lastState": last or {},
        **more,
    }


def waiting(reason: str, message: str = "") -> Json:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int, reason: str = "Error", message: str = "", **more: Any) -> Json:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message, **more}}


RUNNING: Json = {"running": {"startedAt": "2026-11-23T12:00:00Z"}}
DONE = ended(0, "Completed")


def condition(kind: str, status: str, reason: str = "", message: str = "") -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def pod(
    component: str = "database",
    *states: Json,
    init: Iterable[Json] = (),
    conditions: Iterable[Json] = (),
    name: str | None = None,
    meta: Json | None = None,
    phase: str = "Pending",
    **status: Any,
) -> Json:
    """Return a pod of a component with containers (and init containers) in those states."""
    workload, image = PARTS[component]
    before = list(init)
    limits = {"resources": {"limits": {"memory": "512Mi"}}}
    return live(
        "Pod",
        name or f"{workload}-0",
        component=component,
        meta=meta,
        spec={
            "containers": [{"name": workload, "image": image, **limits}],
            "initContainers": [{"name": s["name"], "image": image, **limits} for s in before],
        },
        status={
            "phase": phase,
            "conditions": list(conditions),
            "containerStatuses": list(states),
            "initContainerStatuses": before,
            **status,
        },
    )


def ready_pod(component: str, **more: Any) -> Json:
    workload, _ = PARTS[component]
    init = [state_of("prepare", DONE), state_of("setup", DONE)] if workload == "wordpress" else []
    running = state_of(workload, RUNNING, ready=True, started=True)
    ready = [condition("PodScheduled", "True"), condition("Ready", "True")]
    return pod(component, running, init=init, conditions=ready, phase="Running", **more)


def mounting(claim_name: str) -> Json:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}
    return {"spec": {"volumes": [volume]}}


def stateful_set(*, wanted: int = 1, generation: int = 1, **status: Any) -> Json:
    """Return StatefulSet mysql; without more it is well."""
    well = {
        "observedGeneration": 1,
        "replicas": 1,
        "readyReplicas": 1,
        "currentRevision": "mysql-1",
        "updateRevision": "mysql-1",
    }
    return live(
        "StatefulSet",
        "mysql",
        component="database",
        meta={"generation": generation},
        spec={"replicas": wanted, "template": mounting("data-mysql-0")},
        status={**well, **status},
    )


def deployment(
    *, wanted: int = 1, generation: int = 1, conditions: Iterable[Json] = (), **status: Any
) -> Json:
    """Return Deployment wordpress; without more it is well."""
    well = {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "availableReplicas": 1,
        "conditions": list(conditions),
    }
    return live(
        "Deployment",
        "wordpress",
        component="wordpress",
        meta={"generation": generation},
        spec={"replicas": wanted, "template": mounting("wordpress")},
        status={**well, **status},
    )


def claim(
    name: str = "data-mysql-0", phase: str = "Bound", class_name: str | None = "fast"
) -> Json:
    spec = {} if class_name is None else {"storageClassName": class_name}
    status = {"phase": phase, "capacity": {"storage": "4Gi"}} if phase == "Bound" else {}
    return live("PersistentVolumeClaim", name, spec=spec, status={"phase": phase, **status})


def storage_class(name: str = "fast", mode: str = "Immediate", default: bool = False) -> Json:
    notes = {"storageclass.kubernetes.io/is-default-class": "true" if default else "false"}
    return live("StorageClass", name, meta={"annotations": notes}, volumeBindingMode=mode)


def ingress_class(name: str = "nginx", default: bool = False) -> Json:
    notes = {"ingressclass.kubernetes.io/is-default-class": "true" if default else "false"}
    return live("IngressClass", name, meta={"annotations": notes})


def ingress(class_name: str | None = "nginx", addresses: Iterable[Json] = ()) -> Json:
    spec = {} if class_name is None else {"ingressClassName": class_name}
    return live(
        "Ingress",
        "wordpress",
        component="wordpress",
        spec=spec,
        status={"loadBalancer": {"ingress": list(addresses)}},
    )


def endpoints(*ready: bool | None, service: str = "wordpress") -> Json:
    """Return an EndpointSlice with one endpoint for each ``ready``."""
    entries = [{"addresses": ["10.0.0.1"], "conditions": {"ready": state}} for state in ready]
    made = live("EndpointSlice", f"{service}-x", addressType="IPv4", endpoints=entries)
    made["metadata"]["labels"]["kubernetes.io/service-name"] = service
    return made


def store() -> list[Json]:
    """Return everything of a store that is well."""
    return [
        live("Namespace", SPACE, status={"phase": "Active"}),
        stateful_set(),
        deployment(),
        ready_pod("database"),
        ready_pod("wordpress"),
        claim(),
        claim("wordpress"),
        live("Service", "wordpress"),
        endpoints(True),
        ingress(),
        ingress_class(),
        storage_class(),
    ]
