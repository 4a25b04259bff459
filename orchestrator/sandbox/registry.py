"""What a kube-apiserver does with an object, whoever asks: HTTP handlers and controllers alike.

Every method is synchronous and one whole: checks, storage and event happen in one step of the
event loop. Objects that go in are copied, objects that come out may be changed freely. Refusals
are ``ApiError``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from orchestrator.sandbox import errors, resources
from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.subscription import Subscription
from orchestrator.sandbox.values import Json, clone

__all__ = ["ApiError", "Registry", "Subscription"]

Kind = Resource | str


class Registry:
    """The semantic operations on the storage."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def get(self, kind: Kind, namespace: str | None, name: str) -> Json:
        """Return one object; raises 404."""
        found: Json = clone(self._find(resources.of(kind), namespace, name))
        return found

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        selector: Mapping[str, str] | None = None,
    ) -> list[Json]:
        """Return the objects of a kind (everywhere when no namespace is given) with the labels."""
        wanted = (selector or {}).items()
        found = self.storage.items(resources.of(kind), namespace)
        return [clone(o) for o in found if wanted <= o["metadata"].get("labels", {}).items()]

    def create(self, obj: Json, *, manager: str, dry_run: bool = False) -> Json:
        """Create an object; raises 409 AlreadyExists, 422, 403."""
        resource = self._resource(obj)
        new: Json = clone(obj)
        meta = new["metadata"]
        if self.storage.get(resource, meta.get("namespace", ""), meta["name"]) is not None:
            raise errors.already_exists(resource, meta["name"])
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": now}
        if resource.generation:
            meta["generation"] = 1
        return new if dry_run else clone(self.storage.put(resource, new))

    def update(self, obj: Json, *, manager: str, subresource: str | None = None) -> Json:
        """Replace an object (or its status); raises 404, 409 when its resourceVersion is old."""
        resource = self._resource(obj)
        meta = obj["metadata"]
        old = self._find(resource, meta.get("namespace"), meta["name"])
        if meta.get("resourceVersion", "") not in ("", old["metadata"]["resourceVersion"]):
            raise errors.modified(resource, meta["name"])
        new: Json = clone(obj)
        return clone(self.storage.put(resource, new))

    def update_status(
        self, kind: Kind, namespace: str | None, name: str, status: Json, *, manager: str
    ) -> Json:
        """Replace the status of an object; a status that does not change writes nothing."""
        new = self.get(kind, namespace, name)
        new["status"] = clone(status)
        return self.update(new, manager=manager, subresource="status")

    def apply(self, obj: Json, *, manager: str, force: bool = False, dry_run: bool = False) -> Json:
        """Server-side apply; raises 409 with the conflicting fields."""
        raise ApiError(501, "NotImplemented", "apply")

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str | None = None,
        grace: int | None = None,
    ) -> Json:
        """Delete an object, or mark it when something holds it; returns its last state."""
        resource = resources.of(kind)
        old = self._find(resource, namespace, name)
        return clone(self.storage.remove(resource, old))

    def subscribe(self) -> Subscription:
        """Return every write from now on, for controllers."""
        return Subscription(self.storage.listen)

    def _find(self, resource: Resource, namespace: str | None, name: str) -> Json:
        found = self.storage.get(resource, namespace or "", name)
        if found is None:
            raise errors.not_found(resource, name)
        return found

    def _resource(self, obj: Json) -> Resource:
        found = resources.by_type(obj.get("apiVersion"), obj.get("kind"))
        if found is None:
            raise errors.bad_request(f"no matches for kind {obj.get('kind')!r}")
        return found
