"""Namespaces: what a new one is given, and how one ends.

Follows the namespace controller of kube-controller-manager: everything in an ending namespace is
deleted; conditions say what remains and which finalizers hold it; when nothing is left, the
finalizer ``kubernetes`` goes and with it the namespace.
"""

from __future__ import annotations

from collections import Counter

from orchestrator.sandbox import resources
from orchestrator.sandbox.housekeeping import Agenda, Keeper
from orchestrator.sandbox.objects import now
from orchestrator.sandbox.operation import DeleteOptions, Options
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.resources import RESOURCES, Resource
from orchestrator.sandbox.storage import Event
from orchestrator.sandbox.values import Json, clone

MANAGER = "kube-controller-manager"
INITIAL = ("default", "kube-system", "kube-public", "kube-node-lease")
_NAMESPACE = resources.of("Namespace")
_CONTENT = tuple(r for r in RESOURCES if r.namespaced)
_ROOT_CA = "simulation: the sandbox is served over plain HTTP on loopback\n"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc."
)


def ensure_initial(registry: Registry) -> None:
    """Make the namespaces that every cluster has."""
    for name in INITIAL:
        if registry.storage.get(_NAMESPACE, "", name) is None:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            registry.create(body, manager="kube-apiserver")


class NamespaceKeeper(Keeper):
    """Furnishes new namespaces and empties ending ones."""

    def __init__(self, registry: Registry, agenda: Agenda) -> None:
        self._registry = registry
        self._agenda = agenda

    def start(self) -> None:
        """Look at every namespace."""
        for space in self._registry.storage.items(_NAMESPACE):
            self._ask(space["metadata"]["name"])

    def hear(self, event: Event) -> None:
        """Look at the namespace that an event is in or about."""
        meta = event.object["metadata"]
        if event.resource is _NAMESPACE:
            if event.type != "DELETED":
                self._ask(meta["name"])
        elif "namespace" in meta:
            space = self._registry.storage.get(_NAMESPACE, "", meta["namespace"])
            if space is None:
                return
            furnished = event.resource.kind in ("ServiceAccount", "ConfigMap")
            if "deletionTimestamp" in space["metadata"] or (event.type == "DELETED" and furnished):
                self._ask(meta["namespace"])

    def _ask(self, name: str) -> None:
        self._agenda.add(("namespace", name), lambda: self._keep(name))

    def _keep(self, name: str) -> None:
        space = self._registry.storage.get(_NAMESPACE, "", name)
        if space is None:
            return
        if "deletionTimestamp" in space["metadata"]:
            self._end(space)
        else:
            self._furnish(name)

    def _furnish(self, name: str) -> None:
        registry = self._registry
        account = {"name": "default", "namespace": name}
        notes = {"kubernetes.io/description": _DESCRIPTION}
        bundle = {"name": "kube-root-ca.crt", "namespace": name, "annotations": notes}
        for body in (
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": bundle,
                "data": {"ca.crt": _ROOT_CA},
            },
        ):
            meta: Json = body["metadata"]  # type: ignore[assignment]
            kind = resources.of(str(body["kind"]))
            if registry.storage.get(kind, name, meta["name"]) is None:
                registry.create(body, manager=MANAGER)

    def _end(self, space: Json) -> None:
        name = space["metadata"]["name"]
        remaining = self._empty(name)
        if remaining:
            self._report(space, remaining)
            return
        finalizers = [f for f in space["spec"].get("finalizers") or [] if f != "kubernetes"]
        if finalizers == (space["spec"].get("finalizers") or []):
            return
        new: Json = clone(space)
        new["spec"] = {"finalizers": finalizers} if finalizers else {}
        self._registry.replace(
            _NAMESPACE, None, name, new, Options(MANAGER, subresource="finalize")
        )

    def _empty(self, name: str) -> list[tuple[Resource, Json]]:
        """Delete what can be deleted; returns what is left."""
        storage = self._registry.storage
        left: list[tuple[Resource, Json]] = []
        for resource in _CONTENT:
            for obj in storage.items(resource, name):
                if "deletionTimestamp" not in obj["metadata"]:
                    self._registry.remove(
                        resource,
                        name,
                        obj["metadata"]["name"],
                        DeleteOptions(propagation="Background"),
                    )
            left += [(resource, obj) for obj in storage.items(resource, name)]
        return left

    def _report(self, space: Json, remaining: list[tuple[Resource, Json]]) -> None:
        status = {
            "phase": "Terminating",
            "conditions": _conditions(space["status"].get("conditions") or [], remaining),
        }
        name = space["metadata"]["name"]
        self._registry.update_status(_NAMESPACE, None, name, status, manager=MANAGER)


def _conditions(old: list[Json], remaining: list[tuple[Resource, Json]]) -> list[Json]:
    kinds = Counter(f"{r.plural}.{r.group}" for r, _ in remaining)
    holders = Counter(f for _, o in remaining for f in o["metadata"].get("finalizers") or [])
    content = ", ".join(f"{k} has {n} resource instances" for k, n in sorted(kinds.items()))
    held = ", ".join(f"{f} in {n} resource instances" for f, n in sorted(holders.items()))
    rows = [
        ("NamespaceDeletionDiscoveryFailure", False, "ResourcesDiscovered",
         "All resources successfully discovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", False, "ParsedGroupVersions",
         "All legacy kube types successfully parsed"),
        ("NamespaceDeletionContentFailure", False, "ContentDeleted",
         "All content successfully deleted, may be waiting on finalization"),
        ("NamespaceContentRemaining", True, "SomeResourcesRemain",
         f"Some resources are remaining: {content}"),
        ("NamespaceFinalizersRemaining", bool(held),
         "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
         f"Some content in the namespace has finalizers remaining: {held}"
         if held else "All content-preserving finalizers finished"),
    ]  # fmt: skip
    before = {c["type"]: c for c in old}
    return [_condition(before.get(row[0]), *row) for row in rows]


def _condition(old: Json | None, kind: str, true: bool, reason: str, message: str) -> Json:
    status = "True" if true else "False"
    same = old is not None and old["status"] == status
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": old["lastTransitionTime"] if same and old else now(),
        "reason": reason,
        "message": message,
    }
