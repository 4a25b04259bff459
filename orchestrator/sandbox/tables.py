"""The columns that ``kubectl get`` prints: what the server's printers make of each kind.

Follows ``k8s.io/kubernetes/pkg/printers/internalversion``. A column whose name starts with ``+``
is shown with ``-o wide`` only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.sandbox import selectors
from orchestrator.sandbox.pod_cells import pod_cells
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.times import age, seconds_between, shortly, since
from orchestrator.sandbox.values import Json, dig

NONE = "<none>"
Cells = list[Any]
Printer = Callable[[Json], Cells]


def columns(resource: Resource) -> list[Json]:
    """Return the column definitions of the kind's Table."""
    names, _ = _TABLES.get(resource.kind, _DEFAULT)
    return [_column(name) for name in names.split(", ")]


def _column(text: str) -> Json:
    name, _, kind = text.removeprefix("+").partition(":")
    return {
        "name": name,
        "type": kind or "string",
        "format": "name" if name == "Name" else "",
        "description": name,
        "priority": 1 if text.startswith("+") else 0,
    }


def cells(resource: Resource, obj: Json) -> Cells:
    """Return the cells of the object's row."""
    return _TABLES.get(resource.kind, _DEFAULT)[1](obj)


def _name(obj: Json) -> str:
    found: str = obj["metadata"]["name"]
    return found


def _plain(obj: Json) -> Cells:
    return [_name(obj), age(obj)]


def _made(obj: Json) -> Cells:
    return [_name(obj), obj["metadata"].get("creationTimestamp", "")]


def _workload(spec: Json) -> Cells:
    """Return names and images of the containers."""
    found = dig(spec, "template", "spec", "containers") or []
    return [",".join(c["name"] for c in found), ",".join(c.get("image", "") for c in found)]


def _selector(selector: Json | None) -> str:
    return selectors.text_of(selector) or NONE


def _number(obj: Json, *path: str) -> int:
    return int(dig(obj, *path) or 0)


def _deployment(obj: Json) -> Cells:
    spec, status = obj["spec"], obj.get("status", {})
    ready = f"{_number(status, 'readyReplicas')}/{_number(spec, 'replicas')}"
    counts = [_number(status, "updatedReplicas"), _number(status, "availableReplicas")]
    return [_name(obj), ready, *counts, age(obj), *_workload(spec), _selector(spec.get("selector"))]


def _stateful_set(obj: Json) -> Cells:
    ready = f"{_number(obj, 'status', 'readyReplicas')}/{_number(obj, 'spec', 'replicas')}"
    return [_name(obj), ready, age(obj), *_workload(obj["spec"])]


def _replica_set(obj: Json) -> Cells:
    counts = [
        _number(obj, "spec", "replicas"),
        _number(obj, "status", "replicas"),
        _number(obj, "status", "readyReplicas"),
    ]
    return [_name(obj), *counts, age(obj), *_workload(obj["spec"]),
            _selector(obj["spec"].get("selector"))]  # fmt: skip


def _service(obj: Json) -> Cells:
    spec = obj["spec"]
    kind = spec.get("type", "ClusterIP")
    external = ",".join(spec.get("externalIPs") or [])
    if kind == "LoadBalancer":
        found = dig(obj, "status", "loadBalancer", "ingress") or []
        external = ",".join(i.get("ip") or i.get("hostname", "") for i in found) or "<pending>"
    elif kind == "ExternalName":
        external = spec.get("externalName", "")
    address = spec.get("clusterIP") or NONE
    ports = ",".join(_port(p) for p in spec.get("ports") or []) or NONE
    labels = ",".join(f"{k}={v}" for k, v in sorted((spec.get("selector") or {}).items()))
    return [_name(obj), kind, address, external or NONE, ports, age(obj), labels or NONE]


def _port(port: Json) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node}/{port.get('protocol', 'TCP')}"


def _namespace(obj: Json) -> Cells:
    return [_name(obj), dig(obj, "status", "phase") or "Active", age(obj)]


def _node(obj: Json) -> Cells:
    conditions = {c["type"]: c["status"] for c in dig(obj, "status", "conditions") or []}
    status = "Ready" if conditions.get("Ready") == "True" else "NotReady"
    if "Ready" not in conditions:
        status = "Unknown"
    if dig(obj, "spec", "unschedulable"):
        status += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    roles = ",".join(sorted(k.removeprefix(prefix) for k in labels if k.startswith(prefix)))
    info = dig(obj, "status", "nodeInfo") or {}
    addresses = {a["type"]: a["address"] for a in dig(obj, "status", "addresses") or []}
    wide = [
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or "<unknown>",
        info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]
    return [_name(obj), status, roles or NONE, age(obj), info.get("kubeletVersion", ""), *wide]


def _modes(modes: list[str] | None) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX",
             "ReadWriteOncePod": "RWOP"}  # fmt: skip
    return ",".join(short.get(m, m) for m in modes or [])


def _phase(obj: Json) -> str:
    ends = "deletionTimestamp" in obj["metadata"]
    return "Terminating" if ends else str(dig(obj, "status", "phase") or "")


def _claim(obj: Json) -> Cells:
    spec = obj["spec"]
    volume = spec.get("volumeName", "")
    capacity = dig(obj, "status", "capacity", "storage") or "" if volume else ""
    modes = _modes(dig(obj, "status", "accessModes")) if volume else ""
    kind = spec.get("storageClassName", "")
    attributes = spec.get("volumeAttributesClassName", "<unset>")
    return [_name(obj), _phase(obj), volume, capacity, modes, kind, attributes, age(obj),
            spec.get("volumeMode", "<unset>")]  # fmt: skip


def _volume(obj: Json) -> Cells:
    spec = obj["spec"]
    claim = spec.get("claimRef") or {}
    owner = f"{claim['namespace']}/{claim['name']}" if claim else ""
    capacity = dig(spec, "capacity", "storage") or ""
    policy = spec.get("persistentVolumeReclaimPolicy", "")
    return [_name(obj), capacity, _modes(spec.get("accessModes")), policy, _phase(obj), owner,
            spec.get("storageClassName", ""), spec.get("volumeAttributesClassName", "<unset>"),
            dig(obj, "status", "reason") or "", age(obj),
            spec.get("volumeMode", "<unset>")]  # fmt: skip


def _secret(obj: Json) -> Cells:
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or {}), age(obj)]


def _config_map(obj: Json) -> Cells:
    count = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return [_name(obj), count, age(obj)]


def _event(obj: Json) -> Cells:
    series = obj.get("series") or {}
    first = shortly(obj.get("firstTimestamp") or obj.get("eventTime"))
    last = shortly(obj["lastTimestamp"]) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series:
        last, count = shortly(series.get("lastObservedTime")), series.get("count", 1)
    about = obj.get("involvedObject") or {}
    kind = about.get("kind", "").lower()
    target = f"{kind}/{about['name']}" if about.get("name") else kind
    source = obj.get("source") or {}
    parts = [source.get("component") or obj.get("reportingComponent") or "",
             source.get("host") or obj.get("reportingInstance") or ""]  # fmt: skip
    return [last, obj.get("type", ""), obj.get("reason", ""), target, about.get("fieldPath", ""),
            ", ".join(filter(None, parts)), obj.get("message", "").strip(), first, count,
            _name(obj)]  # fmt: skip


def _job(obj: Json) -> Cells:
    spec, status = obj["spec"], obj.get("status", {})
    done = f"{_number(status, 'succeeded')}/{spec.get('completions', 1)}"
    true = {c["type"] for c in status.get("conditions") or [] if c["status"] == "True"}
    words = [("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")]
    state = next((word for kind, word in words if kind in true), "Running")
    if state == "Running" and "deletionTimestamp" in obj["metadata"]:
        state = "Terminating"
    duration = seconds_between(status.get("startTime"), status.get("completionTime"))
    return [_name(obj), state, done, duration, age(obj), *_workload(spec),
            _selector(spec.get("selector"))]  # fmt: skip


def _cron_job(obj: Json) -> Cells:
    spec, status = obj["spec"], obj.get("status", {})
    last = since(status.get("lastScheduleTime"))
    return [_name(obj), spec.get("schedule", ""), spec.get("timeZone") or NONE,
            str(bool(spec.get("suspend"))), len(status.get("active") or []), last or NONE,
            age(obj), *_workload(spec["jobTemplate"]["spec"]),
            _selector(spec["jobTemplate"]["spec"].get("selector"))]  # fmt: skip


def _ingress(obj: Json) -> Cells:
    spec = obj["spec"]
    hosts = [r.get("host") or "*" for r in spec.get("rules") or []] or ["*"]
    shown = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "")
    found = dig(obj, "status", "loadBalancer", "ingress") or []
    address = ",".join(i.get("ip") or i.get("hostname", "") for i in found)
    ports = "80, 443" if spec.get("tls") else "80"
    return [_name(obj), spec.get("ingressClassName") or NONE, shown, address, ports, age(obj)]


def _default_mark(obj: Json, annotation: str) -> str:
    notes = obj["metadata"].get("annotations") or {}
    return f"{_name(obj)} (default)" if notes.get(annotation) == "true" else _name(obj)


def _ingress_class(obj: Json) -> Cells:
    name = _default_mark(obj, "ingressclass.kubernetes.io/is-default-class")
    found = dig(obj, "spec", "parameters")
    text = NONE
    if found:
        group = f".{found['apiGroup']}" if found.get("apiGroup") else ""
        text = f"{found['kind']}{group}/{found['name']}"
    return [name, dig(obj, "spec", "controller") or "", text, age(obj)]


def _storage_class(obj: Json) -> Cells:
    name = _default_mark(obj, "storageclass.kubernetes.io/is-default-class")
    return [name, obj.get("provisioner", ""), obj.get("reclaimPolicy", "Delete"),
            obj.get("volumeBindingMode", "Immediate"), bool(obj.get("allowVolumeExpansion")),
            age(obj)]  # fmt: skip


def _network_policy(obj: Json) -> Cells:
    return [_name(obj), _selector(dig(obj, "spec", "podSelector")), age(obj)]


def _budget(obj: Json) -> Cells:
    bounds = [str(dig(obj, "spec", k) if dig(obj, "spec", k) is not None else "N/A")
              for k in ("minAvailable", "maxUnavailable")]  # fmt: skip
    return [_name(obj), *bounds, _number(obj, "status", "disruptionsAllowed"), age(obj)]


def _quota(obj: Json) -> Cells:
    hard, used = (dig(obj, "status", k) or {} for k in ("hard", "used"))
    parts = {k: f"{k}: {used.get(k, '0')}/{v}" for k, v in sorted(hard.items())}
    limits = [t for k, t in parts.items() if k.startswith("limits.")]
    requests = [t for k, t in parts.items() if not k.startswith("limits.")]
    return [_name(obj), ", ".join(requests), ", ".join(limits), age(obj)]


def _endpoint_slice(obj: Json) -> Cells:
    ports = ",".join(str(p.get("port", "*")) for p in obj.get("ports") or []) or "<unset>"
    found = [a for e in obj.get("endpoints") or [] for a in e.get("addresses") or []]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    addresses = ",".join(found[:3]) + more if found else "<unset>"
    return [_name(obj), obj.get("addressType", ""), ports, addresses, age(obj)]


def _lease(obj: Json) -> Cells:
    return [_name(obj), dig(obj, "spec", "holderIdentity") or "", age(obj)]


def _revision(obj: Json) -> Cells:
    owners = obj["metadata"].get("ownerReferences") or []
    found = next((o for o in owners if o.get("controller")), None)
    group = found["apiVersion"].partition("/")[0] if found else ""
    owner = f"{found['kind'].lower()}.{group}/{found['name']}" if found else NONE
    return [_name(obj), owner, obj.get("revision", 0), age(obj)]


def _binding(obj: Json) -> Cells:
    role = obj["roleRef"]
    by_kind: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or []:
        prefix = f"{subject.get('namespace', '')}/" if subject["kind"] == "ServiceAccount" else ""
        by_kind.setdefault(subject["kind"], []).append(prefix + subject["name"])
    people = [", ".join(by_kind[kind]) for kind in ("User", "Group", "ServiceAccount")]
    return [_name(obj), f"{role['kind']}/{role['name']}", age(obj), *people]


_WORKLOAD = "+Containers, +Images"
_DEFAULT: tuple[str, Printer] = ("Name, Age", _plain)
_BINDING = "Name, Role, Age, +Users, +Groups, +ServiceAccounts"
_TABLES: dict[str, tuple[str, Printer]] = {
    "Pod": ("Name, Ready, Status, Restarts, Age, +IP, +Node, +Nominated Node, +Readiness Gates",
            pod_cells),
    "Deployment": (f"Name, Ready, Up-to-date, Available, Age, {_WORKLOAD}, +Selector", _deployment),
    "StatefulSet": (f"Name, Ready, Age, {_WORKLOAD}", _stateful_set),
    "ReplicaSet": ("Name, Desired:integer, Current:integer, Ready:integer, Age, "
                   f"{_WORKLOAD}, +Selector", _replica_set),
    "Service": ("Name, Type, Cluster-IP, External-IP, Port(s), Age, +Selector", _service),
    "Namespace": ("Name, Status, Age", _namespace),
    "Node": ("Name, Status, Roles, Age, Version, +Internal-IP, +External-IP, +OS-Image, "
             "+Kernel-Version, +Container-Runtime", _node),
    "PersistentVolumeClaim": ("Name, Status, Volume, Capacity, Access Modes, StorageClass, "
                              "VolumeAttributesClass, Age, +VolumeMode", _claim),
    "PersistentVolume": ("Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, "
                         "StorageClass, VolumeAttributesClass, Reason, Age, +VolumeMode", _volume),
    "Secret": ("Name, Type, Data, Age", _secret),
    "ConfigMap": ("Name, Data, Age", _config_map),
    "Event": ("Last Seen, Type, Reason, Object, +Subobject, +Source, Message, +First Seen, "
              "+Count, +Name", _event),
    "Job": (f"Name, Status, Completions, Duration, Age, {_WORKLOAD}, +Selector", _job),
    "CronJob": ("Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, "
                f"{_WORKLOAD}, +Selector", _cron_job),
    "Ingress": ("Name, Class, Hosts, Address, Ports, Age", _ingress),
    "IngressClass": ("Name, Controller, Parameters, Age", _ingress_class),
    "StorageClass": ("Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, "
                     "Age", _storage_class),
    "NetworkPolicy": ("Name, Pod-Selector, Age", _network_policy),
    "PodDisruptionBudget": ("Name, Min Available, Max Unavailable, Allowed Disruptions:integer, "
                            "Age", _budget),
    "ResourceQuota": ("Name, Request, Limit, Age", _quota),
    "LimitRange": ("Name, Created At:date", _made),
    "Role": ("Name, Created At:date", _made),
    "ClusterRole": ("Name, Created At:date", _made),
    "RoleBinding": (_BINDING, _binding),
    "ClusterRoleBinding": (_BINDING, _binding),
    "EndpointSlice": ("Name, AddressType, Ports, Endpoints, Age", _endpoint_slice),
    "Lease": ("Name, Holder, Age", _lease),
    "ControllerRevision": ("Name, Controller, Revision, Age", _revision),
}  # fmt: skip
