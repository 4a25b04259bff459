"""The kinds of Kubernetes object that the service speaks of, and how one is addressed.

Identities are written ``Kind/namespace/name`` (``Kind/name`` for cluster-scoped ones) everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]


@dataclass(frozen=True)
class ResourceKind:
    """One resource of the API: where its objects live and what they are called."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the URL path of the collection, or of one object."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        parts = [root + self.api_version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name is not None:
            parts.append(name)
        return "/".join(parts)


KINDS: Final[dict[str, ResourceKind]] = {
    k.kind: k
    for k in (
        ResourceKind("v1", "Namespace", "namespaces", namespaced=False),
        ResourceKind("v1", "Node", "nodes", namespaced=False),
        ResourceKind("v1", "Event", "events"),
        ResourceKind("v1", "ServiceAccount", "serviceaccounts"),
        ResourceKind("v1", "Secret", "secrets"),
        ResourceKind("v1", "ConfigMap", "configmaps"),
        ResourceKind("v1", "ResourceQuota", "resourcequotas"),
        ResourceKind("v1", "LimitRange", "limitranges"),
        ResourceKind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
        ResourceKind("v1", "Pod", "pods"),
        ResourceKind("v1", "Service", "services"),
        ResourceKind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
        ResourceKind("apps/v1", "StatefulSet", "statefulsets"),
        ResourceKind("apps/v1", "Deployment", "deployments"),
        ResourceKind("batch/v1", "CronJob", "cronjobs"),
        ResourceKind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
        ResourceKind("networking.k8s.io/v1", "Ingress", "ingresses"),
        ResourceKind("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False),
        ResourceKind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
        ResourceKind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False),
    )
}


@dataclass(frozen=True, order=True)
class ObjectRef:
    """The identity of one object of a known kind. ``namespace`` is empty when cluster-scoped."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Json) -> ObjectRef:
        """Return the identity of a manifest or live object."""
        meta = obj["metadata"]
        return cls(obj["kind"], meta.get("namespace") or "", meta["name"])

    @property
    def resource(self) -> ResourceKind:
        """The resource that this object belongs to."""
        return KINDS[self.kind]

    @property
    def path(self) -> str:
        """The object's URL path."""
        return self.resource.path(self.namespace or None, self.name)

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)
