"""What a pod needs before it can run: room on the node, claims, Secrets and ConfigMaps.

Each function is pure over the store and returns the words that the real component would use.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.bootstrap import CAPACITY
from orchestrator.sandbox.controllers.common import deleting, space_of
from orchestrator.sandbox.controllers.recorder import NODE
from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.values import Json, dig

_NO_NODE = "0/1 nodes are available: "
_NO_HELP = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SELECTED_NODE = "volume.kubernetes.io/selected-node"


def claim_names(pod: Json) -> list[str]:
    """Return the names of the PersistentVolumeClaims that a pod mounts."""
    volumes = pod["spec"].get("volumes") or ()
    found = (dig(v, "persistentVolumeClaim", "claimName") for v in volumes)
    return [name for name in found if name]


def unschedulable(pod: Json, access: Access) -> str | None:
    """Return why no node takes the pod, in the scheduler's words, or None."""
    lacks = [f"1 Insufficient {name}" for name in _too_large(pod)]
    if lacks:
        return f"{_NO_NODE}{', '.join(lacks)}.{_NO_HELP}"
    node = access.get("Node", "", NODE)
    if node is not None and node.get("spec", {}).get("unschedulable"):
        return f"{_NO_NODE}1 node(s) were unschedulable.{_NO_HELP}"
    if not _node_fits(pod, access):
        words = "1 node(s) didn't match Pod's node affinity/selector"
        return f"{_NO_NODE}{words}.{_NO_HELP}"
    return _claims_missing(pod, access)


def _too_large(pod: Json) -> list[str]:
    return sorted(
        name
        for name, wanted in pod_requests(pod).items()
        if wanted > value_of(CAPACITY.get(name, "0"))
    )


def pod_requests(pod: Json, kind: str = "requests") -> dict[str, Decimal]:
    """Return what a pod asks for: its containers together, or its largest init container."""
    spec = pod["spec"]
    total: dict[str, Decimal] = {}
    for container in spec.get("containers") or ():
        for name, amount in (dig(container, "resources", kind) or {}).items():
            total[name] = total.get(name, Decimal(0)) + value_of(amount)
    for container in spec.get("initContainers") or ():
        for name, amount in (dig(container, "resources", kind) or {}).items():
            total[name] = max(total.get(name, Decimal(0)), value_of(amount))
    return total


def _node_fits(pod: Json, access: Access) -> bool:
    node = access.get("Node", "", NODE)
    labels = (node or {"metadata": {}})["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    return bool(wanted.items() <= labels.items())


def _claims_missing(pod: Json, access: Access) -> str | None:
    for name in claim_names(pod):
        claim = access.get("PersistentVolumeClaim", space_of(pod), name)
        if claim is None:
            return f'{_NO_NODE}persistentvolumeclaim "{name}" not found.{_NO_HELP}'
        if deleting(claim):
            return f'{_NO_NODE}persistentvolumeclaim "{name}" is being deleted.{_NO_HELP}'
        if not _bound(claim) and not waits_for_consumer(claim, access):
            return f"{_NO_NODE}pod has unbound immediate PersistentVolumeClaims.{_NO_HELP}"
    return None


def class_of(claim: Json, access: Access) -> Json | None:
    """Return the claim's StorageClass, or the default one when it names none."""
    name = claim["spec"].get("storageClassName")
    if name is not None:
        return access.get("StorageClass", "", name)
    for found in access.items("StorageClass"):
        if (found["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true":
            return found
    return None


def waits_for_consumer(claim: Json, access: Access) -> bool:
    """Say whether the claim is bound only once a pod that uses it has a node."""
    found = class_of(claim, access)
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def unbound_claims(pod: Json, access: Access) -> list[Json]:
    """Return the claims of a pod that have no volume yet."""
    names = claim_names(pod)
    found = (access.get("PersistentVolumeClaim", space_of(pod), name) for name in names)
    return [claim for claim in found if claim is not None and not _bound(claim)]


def _bound(claim: Json) -> bool:
    return bool(claim.get("status", {}).get("phase") == "Bound")


def unmountable(pod: Json, access: Access) -> str | None:
    """Return why a volume cannot be mounted, in the kubelet's words, or None."""
    for volume in pod["spec"].get("volumes") or ():
        for kind, source in _sources(volume):
            problem = _source_missing(kind, source, space_of(pod), access)
            if problem:
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {problem}'
    return None


def _sources(volume: Json) -> Iterable[tuple[str, Json]]:
    if "secret" in volume:
        yield "Secret", {"name": volume["secret"].get("secretName")} | volume["secret"]
    if "configMap" in volume:
        yield "ConfigMap", volume["configMap"]
    for source in dig(volume, "projected", "sources") or ():
        if "secret" in source:
            yield "Secret", source["secret"]
        if "configMap" in source:
            yield "ConfigMap", source["configMap"]


def _source_missing(kind: str, source: Json, namespace: str, access: Access) -> str | None:
    if source.get("optional"):
        return None
    found = access.get(kind, namespace, source.get("name") or "")
    if found is None:
        return f'{kind.lower()} "{source.get("name")}" not found'
    keys = _keys(found)
    missing = [item["key"] for item in source.get("items") or () if item["key"] not in keys]
    if missing:
        words = "secret key" if kind == "Secret" else "config key"
        return f"references non-existent {words}: {missing[0]}"
    return None


def database_away(pod: Json, access: Access) -> bool:
    """Say whether there is a Service ``mysql`` beside the pod, and nothing that answers behind it.

    The shop's ``setup`` waits for its database; every other container knows nothing of it.
    """
    namespace = space_of(pod)
    if access.get("Service", namespace, "mysql") is None:
        return False
    slices = (
        s
        for s in access.items("EndpointSlice", namespace)
        if (s["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == "mysql"
    )
    return not any(e["conditions"].get("ready") for s in slices for e in s.get("endpoints") or ())


def _keys(obj: Json) -> set[str]:
    return set(obj.get("data") or {}) | set(obj.get("binaryData") or {})


def misconfigured(pod: Json, container: Json, access: Access) -> str | None:
    """Return why a container's environment cannot be made, in the kubelet's words, or None."""
    namespace = space_of(pod)
    for source in container.get("envFrom") or ():
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            if field in source:
                problem = _source_missing(kind, source[field], namespace, access)
                if problem:
                    return problem
    for entry in container.get("env") or ():
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            reference = dig(entry, "valueFrom", field)
            problem = reference and _key_missing(kind, reference, namespace, access)
            if problem:
                return str(problem)
    return None


def _key_missing(kind: str, reference: Json, namespace: str, access: Access) -> str | None:
    problem = _source_missing(kind, reference, namespace, access)
    if problem or reference.get("optional"):
        return problem
    found = access.get(kind, namespace, reference["name"])
    if found is not None and reference["key"] not in _keys(found):
        return f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
    return None
