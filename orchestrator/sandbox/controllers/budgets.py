"""What is used up and what may be disturbed: ResourceQuotas and PodDisruptionBudgets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

from orchestrator.sandbox import resources
from orchestrator.sandbox.controllers.access import Access, controller_uid
from orchestrator.sandbox.controllers.common import (
    deleting,
    finished,
    is_ready,
    name_of,
    selects,
    set_condition,
    space_of,
)
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.needs import pod_requests
from orchestrator.sandbox.quantity import value_of, write
from orchestrator.sandbox.values import Json, clone

_COUNTED: Final = {
    "configmaps": "ConfigMap",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "resourcequotas": "ResourceQuota",
    "secrets": "Secret",
    "services": "Service",
}
_TYPED: Final = {"services.loadbalancers": "LoadBalancer", "services.nodeports": "NodePort"}
_BINARY: Final = ("memory", "storage")


class Quotas:
    """Counts what the ResourceQuotas of a namespace limit."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Quotas, and everything that one may count."""
        kinds = [r.kind for r in resources.RESOURCES if r.namespaced and r.kind != "Event"]
        counted: dict[str, Mapper] = dict.fromkeys(kinds, self._of_space)
        return counted | {"ResourceQuota": itself}

    def _of_space(self, obj: Json) -> Iterable[Key]:
        return [
            (space_of(q), name_of(q)) for q in self._access.items("ResourceQuota", space_of(obj))
        ]

    def reconcile(self, key: Key) -> float | None:
        """Write what is used."""
        quota = self._access.get("ResourceQuota", *key)
        if quota is None or deleting(quota):
            return None
        hard = quota["spec"].get("hard") or {}
        used = {name: self._used(name, space_of(quota)) for name in hard}
        self._access.set_status(quota, {"hard": clone(hard), "used": used})
        return None

    def _used(self, name: str, namespace: str) -> str:
        return write(*self._amount(name, namespace))

    def _amount(self, name: str, namespace: str) -> tuple[Decimal, str]:
        pods = [p for p in self._access.items("Pod", namespace) if not finished(p)]
        if name == "pods":
            return Decimal(len(pods)), "decimal"
        if name == "requests.storage":
            return self._storage(namespace), "binary"
        if name.startswith("count/"):
            return Decimal(self._count(name.removeprefix("count/"), namespace)), "decimal"
        if name in _COUNTED:
            return Decimal(len(self._access.items(_COUNTED[name], namespace))), "decimal"
        if name in _TYPED:
            services = self._access.items("Service", namespace)
            return Decimal(sum(s["spec"].get("type") == _TYPED[name] for s in services)), "decimal"
        kind, _, resource = name.rpartition(".")
        asked = [pod_requests(p, kind or "requests").get(resource, Decimal(0)) for p in pods]
        family = "binary" if any(word in resource for word in _BINARY) else "decimal"
        return sum(asked, Decimal(0)), family

    def _storage(self, namespace: str) -> Decimal:
        claims = self._access.items("PersistentVolumeClaim", namespace)
        asked = (c["spec"]["resources"]["requests"]["storage"] for c in claims)
        return sum((value_of(a) for a in asked), Decimal(0))

    def _count(self, qualified: str, namespace: str) -> int:
        found = (r.kind for r in resources.RESOURCES if r.qualified == qualified)
        return sum(len(self._access.items(kind, namespace)) for kind in found)


class Budgets:
    """Says how many pods of a PodDisruptionBudget may be disturbed now."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Budgets, the pods that they cover and what makes those."""
        kinds = ("Pod", "ReplicaSet", "StatefulSet")
        made: dict[str, Mapper] = dict.fromkeys(kinds, self._of_space)
        return made | {"PodDisruptionBudget": itself}

    def _of_space(self, obj: Json) -> Iterable[Key]:
        found = self._access.items("PodDisruptionBudget", space_of(obj))
        return [(space_of(b), name_of(b)) for b in found]

    def reconcile(self, key: Key) -> float | None:
        """Write the counts."""
        budget = self._access.get("PodDisruptionBudget", *key)
        if budget is None or deleting(budget):
            return None
        spec = budget["spec"]
        pods = [
            p
            for p in self._access.items("Pod", space_of(budget))
            if selects(spec.get("selector"), p) and not finished(p)
        ]
        healthy = sum(is_ready(p) and not deleting(p) for p in pods)
        expected, desired = self._expected(spec, pods)
        allowed = max(0, healthy - desired) if expected else 0
        status = clone(budget.get("status") or {})
        status |= {
            "observedGeneration": budget["metadata"]["generation"],
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "disruptionsAllowed": allowed,
        }
        condition = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
            "observedGeneration": budget["metadata"]["generation"],
        }
        set_condition(status, condition)
        self._access.set_status(budget, status)
        return None

    def _expected(self, spec: Json, pods: list[Json]) -> tuple[int, int]:
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if isinstance(least, int):
            return len(pods), least
        expected = self._scale(pods)
        if most is not None:
            return expected, max(0, expected - _share(most, expected, math.ceil))
        return expected, _share(least if least is not None else 1, expected, math.ceil)

    def _scale(self, pods: list[Json]) -> int:
        """Return how many pods the controllers of these want."""
        makers = {controller_uid(p) for p in pods}
        found = [self._access.by_uid(uid) for uid in makers if uid]
        loose = sum(controller_uid(p) is None for p in pods)
        return loose + sum(int(m["spec"].get("replicas", 1)) for m in found if m is not None)


def _share(value: object, whole: int, rounded: Callable[[float], int]) -> int:
    text = str(value)
    return rounded(whole * int(text[:-1]) / 100) if text.endswith("%") else int(text)
