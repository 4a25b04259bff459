"""Quotas: what a namespace uses, and writes that would use too much.

Follows the admission plugin ResourceQuota and its controller. Use is always counted from what is
stored, so it cannot drift; ``status.used`` is written in the same step as the object it is for.
Scopes of quotas are not simulated: a quota counts everything that its names cover.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.sandbox import errors, resources
from orchestrator.sandbox.amounts import Amounts, plus, pod_amounts
from orchestrator.sandbox.housekeeping import Agenda, Keeper
from orchestrator.sandbox.operation import Operation
from orchestrator.sandbox.quantity import subtract, value_of
from orchestrator.sandbox.resources import RESOURCES, Resource
from orchestrator.sandbox.storage import Event, Storage
from orchestrator.sandbox.values import Json, dig

_QUOTA = resources.of("ResourceQuota")
_NAMED = frozenset(
    ("pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas")
)
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_ASKED_FOR = frozenset(
    ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
)
_BY_CLASS = ".storageclass.storage.k8s.io/"


def usage(resource: Resource, obj: Json) -> Amounts:
    """Return what one object counts for, under every name that a quota may use."""
    suffix = f".{resource.group}" if resource.group else ""
    found: Amounts = {f"count/{resource.plural}{suffix}": "1"}
    if resource.kind == "Pod":
        return found | _pod(obj)
    if resource.plural in _NAMED and not resource.group:
        found[resource.plural] = "1"
    if resource.kind == "PersistentVolumeClaim":
        found |= _claim(obj)
    if resource.kind == "Service":
        kind, ports = obj["spec"].get("type"), obj["spec"].get("ports") or ()
        if kind == "LoadBalancer":
            found["services.loadbalancers"] = "1"
        if kind in ("LoadBalancer", "NodePort"):
            found["services.nodeports"] = str(len(ports))
    return found


def _pod(obj: Json) -> Amounts:
    if dig(obj, "status", "phase") in ("Succeeded", "Failed"):
        return {}
    found: Amounts = {"pods": "1"}
    requests, limits = (pod_amounts(obj["spec"], part) for part in ("requests", "limits"))
    for name in _COMPUTE:
        if name in requests:
            found[name] = found[f"requests.{name}"] = requests[name]
        if name in limits:
            found[f"limits.{name}"] = limits[name]
    return found


def _claim(obj: Json) -> Amounts:
    size = dig(obj, "spec", "resources", "requests", "storage") or "0"
    found = {"requests.storage": size}
    name = obj["spec"].get("storageClassName")
    if name:
        found |= {
            f"{name}{_BY_CLASS}requests.storage": size,
            f"{name}{_BY_CLASS}persistentvolumeclaims": "1",
        }
    return found


def _used(storage: Storage, quota: Json) -> Amounts:
    """Return what the quota's namespace uses of everything that it limits."""
    hard = quota["spec"].get("hard") or {}
    total: Amounts = {}
    for resource in RESOURCES:
        if resource.namespaced and any(_covers(resource, name) for name in hard):
            for obj in storage.items(resource, quota["metadata"]["namespace"]):
                total = plus(total, usage(resource, obj))
    return {name: total.get(name, "0") for name in hard}


def _covers(resource: Resource, name: str) -> bool:
    suffix = f".{resource.group}" if resource.group else ""
    if name == f"count/{resource.plural}{suffix}":
        return True
    if resource.kind == "Pod":
        return name == "pods" or name.split(".")[-1] in _COMPUTE
    if resource.kind == "PersistentVolumeClaim":
        return name in ("persistentvolumeclaims", "requests.storage") or _BY_CLASS in name
    if resource.kind == "Service":
        return name.partition(".")[0] == "services"
    return not resource.group and name == resource.plural and name in _NAMED


def _store(storage: Storage, quota: Json, used: Amounts) -> None:
    status = {"hard": quota["spec"].get("hard") or {}, "used": used}
    current = storage.get(_QUOTA, quota["metadata"]["namespace"], quota["metadata"]["name"])
    if current is not None and current.get("status") != status:
        storage.put(_QUOTA, current | {"status": status})


def check_quotas(storage: Storage, operation: Operation) -> Callable[[], None]:
    """Refuse what exceeds a quota (403); returns how to charge it once it is stored."""
    resource = operation.resource
    if not resource.namespaced or operation.options.subresource == "status":
        return lambda: None
    quotas = storage.items(_QUOTA, operation.namespace)
    charges: list[tuple[Json, Amounts]] = []
    for quota in quotas:
        names = {n for n in quota["spec"].get("hard") or {} if _covers(resource, n)}
        if not names:
            continue
        if resource.kind == "Pod" and operation.old is None:
            _ask(operation, quota, names)
        delta = {n: v for n, v in _delta(operation).items() if n in names}
        if delta:
            charges.append((quota, _charged(storage, operation, quota, delta)))

    def charge() -> None:
        for quota, used in charges:
            _store(storage, quota, used)

    return charge


def _ask(operation: Operation, quota: Json, names: set[str]) -> None:
    """Refuse a pod whose containers do not say what the quota counts."""
    missing: dict[str, list[str]] = {}
    spec = operation.new["spec"]
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        has = container.get("resources") or {}
        requests, limits = has.get("requests") or {}, has.get("limits") or {}
        said = {*requests, *(f"requests.{n}" for n in requests), *(f"limits.{n}" for n in limits)}
        for name in (names & _ASKED_FOR) - said:
            missing.setdefault(name, []).append(container["name"])
    if missing:
        parts = "; ".join(f"{n} for: {','.join(sorted(c))}" for n, c in sorted(missing.items()))
        why = f"failed quota: {quota['metadata']['name']}: must specify {parts}"
        raise errors.forbidden(operation.resource, operation.name, why)


def _delta(operation: Operation) -> Amounts:
    new = usage(operation.resource, operation.new)
    old = usage(operation.resource, operation.old) if operation.old is not None else {}
    change = {n: subtract(v, old[n]) if n in old else v for n, v in new.items()}
    return {n: v for n, v in change.items() if value_of(v) > 0}


def _charged(storage: Storage, operation: Operation, quota: Json, delta: Amounts) -> Amounts:
    """Return the use after the write; raises 403 when that is too much."""
    used, hard = _used(storage, quota), quota["spec"]["hard"]
    after = plus(used, delta)
    over = sorted(n for n in delta if value_of(after[n]) > value_of(hard[n]))
    if over:
        lists = (",".join(f"{n}={amounts[n]}" for n in over) for amounts in (delta, used, hard))
        requested, use, limited = lists
        why = (
            f"exceeded quota: {quota['metadata']['name']}, requested: {requested}, "
            f"used: {use}, limited: {limited}"
        )
        raise errors.forbidden(operation.resource, operation.name, why)
    return after


class QuotaKeeper(Keeper):
    """Keeps ``status.used`` true after deletions and changes."""

    def __init__(self, storage: Storage, agenda: Agenda) -> None:
        self._storage = storage
        self._agenda = agenda

    def start(self) -> None:
        """Count every quota."""
        for quota in self._storage.items(_QUOTA):
            self._ask(quota["metadata"]["namespace"])

    def hear(self, event: Event) -> None:
        """Count again where something came, went or changed."""
        namespace = event.object["metadata"].get("namespace")
        if namespace and self._storage.count(_QUOTA, namespace):
            self._ask(namespace)

    def _ask(self, namespace: str) -> None:
        self._agenda.add(("quota", namespace), lambda: self._count(namespace))

    def _count(self, namespace: str) -> None:
        for quota in self._storage.items(_QUOTA, namespace):
            _store(self._storage, quota, _used(self._storage, quota))
