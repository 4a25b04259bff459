"""Admission: what may change or refuse a write beyond the kind's own rules.

``mutate`` runs before validation and ``check`` after it, as the admission chain of an API server
does; ``check`` returns what has to be done once the write is certain (quotas are charged then).
"""

from __future__ import annotations

import random
from collections.abc import Callable

from orchestrator.sandbox import errors, resources
from orchestrator.sandbox.limits import check_limits, fill_limits
from orchestrator.sandbox.operation import Operation
from orchestrator.sandbox.pod_defaults import containers
from orchestrator.sandbox.podsecurity import check_pod_security
from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.quotas import check_quotas
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.values import Json, dig

Commit = Callable[[], None]
TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
_PRIORITIES = {"": 0, "system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_PROTECTION = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
}


def admit_namespace(storage: Storage, operation: Operation) -> None:
    """Refuse a create in a namespace that is not there (404) or is ending (403)."""
    resource = operation.resource
    if not resource.namespaced:
        return
    space = storage.get(resources.of("Namespace"), "", operation.namespace)
    if space is None:
        raise errors.not_found(resources.of("Namespace"), operation.namespace)
    if "deletionTimestamp" in space["metadata"]:
        why = (
            f"unable to create new content in namespace {operation.namespace} "
            "because it is being terminated"
        )
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {operation.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise errors.forbidden(resource, operation.name, why, [cause])


def mutate(storage: Storage, operation: Operation) -> None:
    """Change a new object as the mutating admission plugins do."""
    if operation.old is not None:
        return
    kind, new = operation.resource.kind, operation.new
    if kind in _PROTECTION:
        finalizers = new["metadata"].setdefault("finalizers", [])
        if _PROTECTION[kind] not in finalizers:
            finalizers.append(_PROTECTION[kind])
    if kind == "Pod":
        fill_limits(storage, operation)
        _service_account(storage, operation)
        _priority(operation)
        _tolerations(new["spec"])
    elif kind == "PersistentVolumeClaim" and "storageClassName" not in new["spec"]:
        name = _default_class(storage, "StorageClass", "storageclass.kubernetes.io")
        if name:
            new["spec"]["storageClassName"] = name
    elif kind == "Ingress" and "ingressClassName" not in new["spec"]:
        annotations = new["metadata"].get("annotations") or {}
        name = _default_class(storage, "IngressClass", "ingressclass.kubernetes.io")
        if name and "kubernetes.io/ingress.class" not in annotations:
            new["spec"]["ingressClassName"] = name


def _default_class(storage: Storage, kind: str, domain: str) -> str:
    """Return the newest class that is marked as the default; empty when there is none."""
    mark = f"{domain}/is-default-class"
    marked = [
        obj["metadata"]
        for obj in storage.items(resources.of(kind))
        if (obj["metadata"].get("annotations") or {}).get(mark) == "true"
    ]
    marked.sort(key=lambda meta: (meta["creationTimestamp"], meta["name"]))
    return str(marked[-1]["name"]) if marked else ""


def _service_account(storage: Storage, operation: Operation) -> None:
    """Give a pod its service account, that account's pull secrets, and a token's volume."""
    spec = operation.new["spec"]
    name = spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = name
    found = storage.get(resources.of("ServiceAccount"), operation.namespace, name)
    if found is None:
        why = (
            f"error looking up service account {operation.namespace}/{name}: "
            f'serviceaccount "{name}" not found'
        )
        raise errors.forbidden(operation.resource, operation.name, why)
    automount = spec.get(
        "automountServiceAccountToken", found.get("automountServiceAccountToken", True)
    )
    if automount:
        _mount_token(spec)
    if not spec.get("imagePullSecrets") and found.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(s) for s in found["imagePullSecrets"]]


def _mount_token(spec: Json) -> None:
    volume = "kube-api-access-" + "".join(random.choices("bcdfghjklmnpqrstvwxz2456789", k=5))
    mounted = False
    for container in containers(spec):
        mounts = container.get("volumeMounts") or []
        if all(mount.get("mountPath") != TOKENS for mount in mounts):
            mount = {"name": volume, "readOnly": True, "mountPath": TOKENS}
            container["volumeMounts"] = [*mounts, mount]
            mounted = True
    if mounted:
        spec["volumes"] = [*(spec.get("volumes") or []), _token_volume(volume)]


def _token_volume(name: str) -> Json:
    authority = {
        "name": "kube-root-ca.crt",
        "items": [{"key": "ca.crt", "path": "ca.crt"}],
    }
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": authority},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}


def _priority(operation: Operation) -> None:
    spec = operation.new["spec"]
    name = spec.get("priorityClassName", "")
    if name not in _PRIORITIES:
        why = f"no PriorityClass with name {name} was found"
        raise errors.forbidden(operation.resource, operation.name, why)
    spec["priority"] = _PRIORITIES[name]
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _tolerations(spec: Json) -> None:
    """Let a pod stay for five minutes on a node that fails."""
    found = spec.get("tolerations") or []
    for key in _TAINTS:
        if not any(_tolerates(toleration, key) for toleration in found):
            found = [*found, {"key": key, "operator": "Exists", "effect": "NoExecute",
                              "tolerationSeconds": 300}]  # fmt: skip
    spec["tolerations"] = found


def _tolerates(toleration: Json, key: str) -> bool:
    same_key = toleration.get("key") in (None, "", key)
    return same_key and toleration.get("effect") in (None, "", "NoExecute")


def _check_growth(storage: Storage, operation: Operation) -> None:
    """Let only bound claims grow, where their class says so (PersistentVolumeClaimResize)."""
    if operation.resource.kind != "PersistentVolumeClaim" or operation.old is None:
        return
    was, now = (
        value_of(dig(o, "spec", "resources", "requests", "storage") or "0")
        for o in (operation.old, operation.new)
    )
    if now <= was:
        return
    if dig(operation.old, "status", "phase") != "Bound":
        why = "Only bound persistent volume claims can be expanded"
        raise errors.forbidden(operation.resource, operation.name, why)
    name = dig(operation.new, "spec", "storageClassName") or ""
    found = storage.get(resources.of("StorageClass"), "", name) if name else None
    if found is None or not found.get("allowVolumeExpansion"):
        why = (
            "only dynamically provisioned pvc can be resized and the storageclass that provisions "
            "the pvc must support resize"
        )
        raise errors.forbidden(operation.resource, operation.name, why)


def check(storage: Storage, operation: Operation) -> Commit:
    """Refuse the write as the validating admission plugins do; raises 403, 422."""
    check_limits(storage, operation)
    check_pod_security(storage, operation)
    _check_growth(storage, operation)
    return check_quotas(storage, operation)
