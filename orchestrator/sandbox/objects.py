"""What the server itself writes into an object's metadata and status around a write.

Counterpart of ``registry/rest`` and of the strategies' PrepareForCreate and PrepareForUpdate.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from orchestrator.sandbox.decoding import blank
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.values import Json, clone

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_FIXED = (
    "creationTimestamp", "deletionGracePeriodSeconds", "generation", "generateName", "selfLink",
    "resourceVersion",
)  # fmt: skip
_KEPT_LABELS = ("Deployment", "ReplicaSet")


def now(delay: int = 0) -> str:
    """Return the time (some seconds from now) as objects carry it."""
    moment = datetime.now(UTC) + timedelta(seconds=delay)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def generated_name(prefix: str) -> str:
    """Return a name made of the prefix and five random characters."""
    return prefix[:58] + "".join(random.choices(_SUFFIX, k=5))


def prepare_create(resource: Resource, obj: Json) -> None:
    """Give a new object its identity, in place; its status is the server's."""
    meta = obj["metadata"]
    for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"):
        meta.pop(key, None)
    meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
    meta.pop("generation", None)
    if resource.generation:
        meta["generation"] = 1
    if "status" in resource.subresources and resource.kind not in ("Node", "PersistentVolume"):
        obj["status"] = clone(blank(resource)["status"])
    prepare = _CREATE.get(resource.kind)
    if prepare is not None:
        prepare(obj)


def _namespace(obj: Json) -> None:
    obj["status"] = {"phase": "Active"}
    finalizers = obj["spec"].get("finalizers") or []
    obj["spec"]["finalizers"] = [
        *finalizers,
        *(["kubernetes"] if "kubernetes" not in finalizers else []),
    ]


def _pod(obj: Json) -> None:
    obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}


def _claim(obj: Json) -> None:
    obj["status"] = {"phase": "Pending"}


def _job(obj: Json) -> None:
    spec, uid = obj["spec"], obj["metadata"]["uid"]
    if spec.get("manualSelector"):
        return
    labels = spec["template"]["metadata"].setdefault("labels", {})
    labels |= {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": obj["metadata"]["name"],
        "controller-uid": uid,
        "job-name": obj["metadata"]["name"],
    }
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}


_CREATE: dict[str, Callable[[Json], None]] = {
    "Namespace": _namespace,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "Job": _job,
}


def prepare_update(resource: Resource, old: Json, new: Json, subresource: str) -> None:
    """Put back what a write through this path cannot change, and count the generation."""
    meta, was = new["metadata"], old["metadata"]
    for key in _FIXED:
        _keep(meta, was, key)
    meta.setdefault("uid", was["uid"])  # another one is refused by validation
    if "deletionTimestamp" in was:
        meta["deletionTimestamp"] = was["deletionTimestamp"]
    _keep_out_of_reach(resource, old, new, subresource)
    changed = _desired(new) != _desired(old)
    if resource.kind == "Deployment":  # which counts its annotations among what is desired
        changed |= (meta.get("annotations") or {}) != (was.get("annotations") or {})
    if resource.generation and subresource in ("", "scale") and changed:
        meta["generation"] = was.get("generation", 0) + 1


def _keep_out_of_reach(resource: Resource, old: Json, new: Json, subresource: str) -> None:
    """Put back the status, or all but the status."""
    if subresource == "status":
        if "spec" in old:
            new["spec"] = old["spec"]
        if resource.kind in _KEPT_LABELS:
            _keep(new["metadata"], old["metadata"], "labels")
    elif "status" in resource.subresources:
        _keep(new, old, "status")
    if resource.kind == "Namespace" and subresource != "finalize":
        new["spec"] = old["spec"]


def _keep(new: Json, old: Json, key: str) -> None:
    if key in old:
        new[key] = old[key]
    else:
        new.pop(key, None)


def _desired(obj: Json) -> Json:
    """Return what a change of counts as a new generation."""
    return {k: v for k, v in obj.items() if k not in ("metadata", "status", "apiVersion", "kind")}


def qos_class(spec: Json) -> str:
    """Return the quality of service class that a pod's resources give it."""
    entries = [
        container.get("resources", {})
        for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    ]
    if not any(e.get("requests") or e.get("limits") for e in entries):
        return "BestEffort"
    for entry in entries:
        limits, requests = entry.get("limits", {}), entry.get("requests", {})
        for name in ("cpu", "memory"):
            if name not in limits or requests.get(name, limits[name]) != limits[name]:
                return "Burstable"
    return "Guaranteed"
