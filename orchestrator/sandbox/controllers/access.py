"""Objects as the controllers read and write them.

Reads are shared with storage: never change what they return. Writes go through the registry, the
way every client's do, and are left out when they would change nothing.
"""

from __future__ import annotations

from typing import Final

from orchestrator.sandbox import resources
from orchestrator.sandbox.registry import ApiError, Registry
from orchestrator.sandbox.values import Json, clone

MANAGER: Final = "kube-controller-manager"
SCHEDULER: Final = "kube-scheduler"
KUBELET: Final = "kubelet"


class Access:
    """The controllers' way to the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return an object, or None."""
        return self._registry.storage.get(resources.of(kind), namespace, name)

    def items(self, kind: str, namespace: str | None = None) -> list[Json]:
        """Return the objects of a kind, in one namespace or everywhere."""
        return self._registry.storage.items(resources.of(kind), namespace)

    def by_uid(self, uid: str) -> Json | None:
        """Return the object with the uid, or None."""
        return self._registry.storage.by_uid(uid)

    def owned(self, kind: str, owner: Json) -> list[Json]:
        """Return the objects of a kind whose controller the owner is."""
        meta = owner["metadata"]
        found = self.items(kind, meta.get("namespace", ""))
        return [obj for obj in found if controller_uid(obj) == meta["uid"]]

    def create(self, obj: Json, manager: str = MANAGER) -> Json:
        """Create an object."""
        return self._registry.create(obj, manager=manager)

    def ensure(self, obj: Json, manager: str = MANAGER) -> None:
        """Create an object unless it is there."""
        meta = obj["metadata"]
        if self.get(obj["kind"], meta.get("namespace", ""), meta["name"]) is None:
            self.create(obj, manager)

    def update(self, obj: Json, manager: str = MANAGER, subresource: str | None = None) -> Json:
        """Replace an object; raises 409 when somebody else wrote meanwhile."""
        return self._registry.update(obj, manager=manager, subresource=subresource)

    def annotate(
        self,
        obj: Json,
        annotations: dict[str, str],
        manager: str = MANAGER,
        subresource: str | None = None,
    ) -> Json:
        """Set annotations, unless they are set so already."""
        have = obj["metadata"].get("annotations") or {}
        if annotations.items() <= have.items():
            return obj
        changed: Json = clone(obj)
        changed["metadata"]["annotations"] = have | annotations
        return self.update(changed, manager, subresource)

    def set_status(self, obj: Json, status: Json, manager: str = MANAGER) -> None:
        """Write the status if it differs."""
        if obj.get("status", {}) != status:
            meta = obj["metadata"]
            self._registry.update_status(
                obj["kind"], meta.get("namespace", ""), meta["name"], status, manager=manager
            )

    def add_finalizer(self, obj: Json, finalizer: str) -> None:
        """Add a finalizer to an object."""
        changed: Json = clone(obj)
        changed["metadata"].setdefault("finalizers", []).append(finalizer)
        self.update(changed)

    def drop_finalizer(self, obj: Json, finalizer: str) -> None:
        """Remove a finalizer from an object."""
        changed: Json = clone(obj)
        changed["metadata"]["finalizers"].remove(finalizer)
        self.update(changed)

    def delete(
        self, obj: Json, *, grace: int | None = None, propagation: str | None = "Background"
    ) -> None:
        """Delete this very object; what is gone already is fine."""
        meta = obj["metadata"]
        place = (obj["kind"], meta.get("namespace", ""), meta["name"])
        try:
            self._registry.delete(*place, uid=meta["uid"], propagation=propagation, grace=grace)
        except ApiError as error:
            if error.code not in (404, 409):
                raise


def controller_uid(obj: Json) -> str | None:
    """Return the uid of the object's controller, or None."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            uid: str = owner["uid"]
            return uid
    return None
