"""The kinds that the sandbox serves: one table, read by discovery, routing, schemas and tables.

Invariant: a kind that is not in this table does not exist for any other module.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.sandbox.errors import ApiError, no_such_path

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """A kind of object: its names, its scope and its subresources.

    ``definition`` is the name of its schema in the OpenAPI documents. ``generation``: whether
    ``metadata.generation`` counts changes of the spec.
    """

    group: str
    version: str
    kind: str
    plural: str
    definition: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    generation: bool = False
    verbs: tuple[str, ...] = VERBS

    @property
    def singular(self) -> str:
        """The lower-case name of one object."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """``apiVersion`` as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def spoken(self) -> str:
        """Group, version and kind as Go prints them: ``/v1, Kind=Pod``."""
        return f"{self.group}/{self.version}, Kind={self.kind}"

    @property
    def qualified(self) -> str:
        """``deployments.apps``; ``pods`` in the core group."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """``Deployment.apps``; ``Pod`` in the core group."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def root(self) -> str:
        """The path of the group version: ``/api/v1`` or ``/apis/apps/v1``."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


def _core(kind: str, plural: str, *short: str, **more: object) -> Resource:
    definition = f"io.k8s.api.core.v1.{kind}"
    return Resource("", "v1", kind, plural, definition, short_names=short, **more)  # type: ignore[arg-type]


def _named(
    group: str, package: str, kind: str, plural: str, *short: str, **more: object
) -> Resource:
    definition = f"io.k8s.api.{package}.v1.{kind}"
    return Resource(group, "v1", kind, plural, definition, short_names=short, **more)  # type: ignore[arg-type]


_ALL = ("all",)
_STATUS = ("status",)
_SCALE = ("status", "scale")
_NODELETE = tuple(verb for verb in VERBS if verb != "deletecollection")

RESOURCES: tuple[Resource, ...] = (
    _core(
        "Namespace",
        "namespaces",
        "ns",
        namespaced=False,
        subresources=("status", "finalize"),
        verbs=_NODELETE,
    ),
    _core("Node", "nodes", "no", namespaced=False, subresources=_STATUS),
    _core("PersistentVolume", "persistentvolumes", "pv", namespaced=False, subresources=_STATUS),
    _core("Event", "events", "ev"),
    _core("Secret", "secrets"),
    _core("ConfigMap", "configmaps", "cm"),
    _core("ServiceAccount", "serviceaccounts", "sa"),
    _core("Service", "services", "svc", categories=_ALL, subresources=_STATUS),
    _core("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", subresources=_STATUS),
    _core("Pod", "pods", "po", categories=_ALL, subresources=("status", "log"), generation=True),
    _core("ResourceQuota", "resourcequotas", "quota", subresources=_STATUS),
    _core("LimitRange", "limitranges", "limits"),
    _named(
        "apps",
        "apps",
        "StatefulSet",
        "statefulsets",
        "sts",
        categories=_ALL,
        subresources=_SCALE,
        generation=True,
    ),
    _named(
        "apps",
        "apps",
        "Deployment",
        "deployments",
        "deploy",
        categories=_ALL,
        subresources=_SCALE,
        generation=True,
    ),
    _named(
        "apps",
        "apps",
        "ReplicaSet",
        "replicasets",
        "rs",
        categories=_ALL,
        subresources=_SCALE,
        generation=True,
    ),
    _named("apps", "apps", "ControllerRevision", "controllerrevisions"),
    _named("batch", "batch", "Job", "jobs", categories=_ALL, subresources=_STATUS, generation=True),
    _named(
        "batch",
        "batch",
        "CronJob",
        "cronjobs",
        "cj",
        categories=_ALL,
        subresources=_STATUS,
        generation=True,
    ),
    _named("discovery.k8s.io", "discovery", "EndpointSlice", "endpointslices", generation=True),
    _named(
        "networking.k8s.io",
        "networking",
        "NetworkPolicy",
        "networkpolicies",
        "netpol",
        generation=True,
    ),
    _named(
        "networking.k8s.io",
        "networking",
        "Ingress",
        "ingresses",
        "ing",
        subresources=_STATUS,
        generation=True,
    ),
    _named(
        "networking.k8s.io",
        "networking",
        "IngressClass",
        "ingressclasses",
        namespaced=False,
        generation=True,
    ),
    _named(
        "policy",
        "policy",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "pdb",
        subresources=_STATUS,
        generation=True,
    ),
    _named("storage.k8s.io", "storage", "StorageClass", "storageclasses", "sc", namespaced=False),
    _named("coordination.k8s.io", "coordination", "Lease", "leases"),
    _named("rbac.authorization.k8s.io", "rbac", "Role", "roles"),
    _named("rbac.authorization.k8s.io", "rbac", "RoleBinding", "rolebindings"),
    _named("rbac.authorization.k8s.io", "rbac", "ClusterRole", "clusterroles", namespaced=False),
    _named(
        "rbac.authorization.k8s.io",
        "rbac",
        "ClusterRoleBinding",
        "clusterrolebindings",
        namespaced=False,
    ),
)

_BY_PLURAL = {(r.group, r.version, r.plural): r for r in RESOURCES}
_BY_TYPE = {(r.api_version, r.kind): r for r in RESOURCES}
_BY_KIND = {r.kind: r for r in RESOURCES}
GROUPS: tuple[str, ...] = tuple(sorted({r.group for r in RESOURCES if r.group}))


def by_plural(group: str, version: str, plural: str) -> Resource:
    """Return the resource at a path; raises 404 when it is not served."""
    found = _BY_PLURAL.get((group, version, plural))
    if found is None:
        raise no_such_path()
    return found


def by_type(api_version: object, kind: object) -> Resource | None:
    """Return the resource of an object's apiVersion and kind."""
    return _BY_TYPE.get((str(api_version), str(kind)))


def of(kind: Resource | str) -> Resource:
    """Return the resource of a kind's name; kinds are unique in the sandbox."""
    if isinstance(kind, Resource):
        return kind
    found = _BY_KIND.get(kind)
    if found is None:
        raise ApiError(404, "NotFound", f'no matches for kind "{kind}"')
    return found


def in_group(group: str) -> tuple[Resource, ...]:
    """Return the resources of a group, in the table's order."""
    return tuple(r for r in RESOURCES if r.group == group)
