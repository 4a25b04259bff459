"""What the API server fills in when a field is not sent.

Follows ``SetDefaults_*`` in ``k8s.io/kubernetes/pkg/apis``. Defaults belong to nobody: they are
applied to an object that has been decoded, in place, and only where nothing was said.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.sandbox.pod_defaults import pod_defaults, pod_spec_defaults
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.values import Json


def apply_defaults(resource: Resource, obj: Json) -> None:
    """Fill in the defaults of the object's kind."""
    found = _DEFAULTS.get(resource.kind)
    if found is not None:
        found(obj)


def _template(spec: Json) -> None:
    pod_spec_defaults(spec["template"].get("spec") or {})


def _namespace(obj: Json) -> None:
    meta = obj["metadata"]
    if meta.get("name"):
        meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]
    obj["status"].setdefault("phase", "Active")


def _secret(obj: Json) -> None:
    obj.setdefault("type", "Opaque")


def _service(obj: Json) -> None:
    spec = obj["spec"]
    if spec.setdefault("sessionAffinity", "None") == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        found = spec.setdefault("sessionAffinityConfig", {})
        found.setdefault("clientIP", {}).setdefault("timeoutSeconds", 10800)
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _claim(obj: Json) -> None:
    obj["spec"].setdefault("volumeMode", "Filesystem")
    obj["status"].setdefault("phase", "Pending")


def _volume(obj: Json) -> None:
    obj["spec"].setdefault("persistentVolumeReclaimPolicy", "Retain")
    obj["spec"].setdefault("volumeMode", "Filesystem")
    obj["status"].setdefault("phase", "Pending")


def _node(obj: Json) -> None:
    status = obj["status"]
    if "capacity" in status:
        status.setdefault("allocatable", dict(status["capacity"]))


def _limit_range(obj: Json) -> None:
    for item in obj["spec"].get("limits") or ():
        if item.get("type") == "Container":
            default = dict(item.get("max", {})) | item.get("default", {})
            request = item.get("min", {}) | default | item.get("defaultRequest", {})
            item |= {k: v for k, v in (("default", default), ("defaultRequest", request)) if v}


def _deployment(obj: Json) -> None:
    spec = obj["spec"]
    _template(spec)
    spec.setdefault("replicas", 1)
    if spec["strategy"].setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = spec["strategy"].setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _replica_set(obj: Json) -> None:
    obj["spec"].setdefault("replicas", 1)
    if "template" in obj["spec"]:
        _template(obj["spec"])


def _stateful_set(obj: Json) -> None:
    spec = obj["spec"]
    _template(spec)
    for claim in spec.get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        _claim(claim)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec["updateStrategy"]
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)


def _job(obj: Json) -> None:
    spec = obj["spec"]
    _template(spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    labels = spec["template"]["metadata"].get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    policy = "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", policy)
    spec.setdefault("manualSelector", False)


def _cron_job(obj: Json) -> None:
    spec = obj["spec"]
    _template(spec["jobTemplate"]["spec"])
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)


def _network_policy(obj: Json) -> None:
    spec = obj["spec"]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress"] + (["Egress"] if spec.get("egress") else [])
    for rule in (*(spec.get("ingress") or ()), *(spec.get("egress") or ())):
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")


def _ingress_class(obj: Json) -> None:
    if "parameters" in obj["spec"]:
        obj["spec"]["parameters"].setdefault("scope", "Cluster")


def _storage_class(obj: Json) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _endpoint_slice(obj: Json) -> None:
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def _binding(obj: Json) -> None:
    group = "rbac.authorization.k8s.io"
    if not obj["roleRef"].get("apiGroup"):
        obj["roleRef"]["apiGroup"] = group
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", group)


_DEFAULTS: dict[str, Callable[[Json], None]] = {
    "Namespace": _namespace,
    "Secret": _secret,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "Node": _node,
    "LimitRange": _limit_range,
    "Pod": pod_defaults,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "Job": _job,
    "CronJob": _cron_job,
    "NetworkPolicy": _network_policy,
    "IngressClass": _ingress_class,
    "StorageClass": _storage_class,
    "EndpointSlice": _endpoint_slice,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
