"""What a kube-apiserver does with an object, whoever asks: HTTP handlers and controllers alike.

Every method is synchronous and one whole: checks, storage and event happen in one step of the
event loop. Objects that go in are copied. Refusals are ``ApiError``.

Controllers use ``get``, ``list``, ``create``, ``update``, ``update_status``, ``apply``, ``delete``
and ``subscribe``; what those return may be changed freely. The methods below them serve the HTTP
handlers and return stored objects, which nobody may change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.sandbox import errors, managedfields, resources, typed
from orchestrator.sandbox.decoding import DecodingError, decode, unreadable
from orchestrator.sandbox.defaults import apply_defaults
from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.managedfields import Writer, sorted_fields
from orchestrator.sandbox.operation import DeleteOptions, Options
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.schema import type_of
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.subscription import Subscription
from orchestrator.sandbox.values import Json, clone, dump
from orchestrator.sandbox.writes import Deleted, Writes, check_options

__all__ = ["ApiError", "Registry", "Subscription"]

Kind = Resource | str
_CREATED_BY_UPDATE = frozenset(
    ("Service", "LimitRange", "Event", "Lease", "Role", "RoleBinding", "ClusterRole",
     "ClusterRoleBinding")
)  # fmt: skip
"""Kinds that an update makes when they are not there (``AllowCreateOnUpdate``)."""
_NEED_A_VERSION = frozenset(("PodDisruptionBudget", "Lease"))
"""Kinds that no update changes without a resourceVersion (``AllowUnconditionalUpdate``)."""


class Registry:
    """The semantic operations on the storage."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._writes = Writes(storage)

    def get(self, kind: Kind, namespace: str | None, name: str) -> Json:
        """Return one object; raises 404."""
        found: Json = clone(self.find(resources.of(kind), namespace, name))
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
        made = self.add(self._resource(obj), obj, Options(manager, dry_run))
        found: Json = clone(made)
        return found

    def update(self, obj: Json, *, manager: str, subresource: str | None = None) -> Json:
        """Replace an object (or its status); raises 404, 409 when its resourceVersion is old."""
        options = Options(manager, subresource=subresource or "")
        meta = obj["metadata"]
        resource = self._resource(obj)
        made, _ = self.replace(resource, meta.get("namespace"), meta["name"], obj, options)
        found: Json = clone(made)
        return found

    def update_status(
        self, kind: Kind, namespace: str | None, name: str, status: Json, *, manager: str
    ) -> Json:
        """Replace the status of an object; a status that does not change writes nothing."""
        old = self.find(resources.of(kind), namespace, name)
        new = old | {"status": status}
        return self.update(new, manager=manager, subresource="status")

    def apply(self, obj: Json, *, manager: str, force: bool = False, dry_run: bool = False) -> Json:
        """Server-side apply; raises 409 with the conflicting fields."""
        options = Options(manager, dry_run, force=force)
        meta = obj["metadata"]
        resource = self._resource(obj)
        made, _ = self.lay_over(resource, meta.get("namespace"), meta["name"], obj, options)
        found: Json = clone(made)
        return found

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
        """Delete an object, or mark it when something holds it; returns its last state.

        ``propagation``: Foreground, Background or Orphan. ``grace`` 0 ends a pod at once.
        """
        options = DeleteOptions(uid, resource_version, propagation, grace)
        found: Json = clone(self.remove(resources.of(kind), namespace, name, options).object)
        return found

    def subscribe(self) -> Subscription:
        """Return every write from now on, for controllers."""
        return Subscription(self.storage.listen)

    def find(self, resource: Resource, namespace: str | None, name: str) -> Json:
        """Return the stored object; raises 404."""
        found = self.storage.get(resource, namespace or "", name)
        if found is None:
            raise errors.not_found(resource, name)
        return found

    def add(self, resource: Resource, body: Json, options: Options) -> Json:
        """Create from a body."""
        return self._add(resource, self._read(resource, body, options), options)

    def _add(self, resource: Resource, new: Json, options: Options) -> Json:
        for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            new["metadata"].pop(key, None)
        new = managedfields.updated(resource, None, new, _writer(options))
        return self._writes.create(resource, new, options)

    def replace(
        self, resource: Resource, namespace: str | None, name: str, body: Json, options: Options
    ) -> tuple[Json, bool]:
        """Update to a body, and say whether it was created; raises 409 when it is out of date."""
        new = self._read(resource, body, options)
        old = self.storage.get(resource, namespace or "", name)
        if old is None:
            if resource.kind not in _CREATED_BY_UPDATE or options.subresource:
                raise errors.not_found(resource, name)
            return self._add(resource, new, options), True
        if not new["metadata"].get("resourceVersion") and resource.kind in _NEED_A_VERSION:
            raise errors.no_version(resource, name)
        sent = new["metadata"].get("uid", old["metadata"]["uid"])
        if sent != old["metadata"]["uid"]:
            raise errors.conflict(
                resource,
                name,
                f"Precondition failed: UID in precondition: {sent}, "
                f"UID in object meta: {old['metadata']['uid']}",
            )
        return self._update(resource, old, new, options), False

    def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        change: Callable[[Json], Json],
        options: Options,
    ) -> Json:
        """Update to what a patch makes of the stored object."""
        old = self.find(resource, namespace, name)
        changed = change(old)
        try:
            new = self._read(resource, changed, options)
        except ApiError as error:
            why = error.message.partition(f"handled as a {resource.kind}: ")[2]
            secret = resource.kind == "Secret"  # its values belong in no error
            text = "" if secret else dump(sorted_fields(changed)).decode()
            raise errors.invalid_patch(text, why) from error
        _check_place(new, namespace, name)
        return self._update(resource, old, new, options)

    def _update(self, resource: Resource, old: Json, new: Json, options: Options) -> Json:
        version = new["metadata"].get("resourceVersion", "")
        if version not in ("", old["metadata"]["resourceVersion"]):
            raise errors.modified(resource, old["metadata"]["name"])
        new = managedfields.updated(resource, old, new, _writer(options))
        return self._writes.update(resource, old, new, options)

    def lay_over(
        self, resource: Resource, namespace: str | None, name: str, body: Json, options: Options
    ) -> tuple[Json, bool]:
        """Server-side apply a body; returns the object and whether it was created."""
        old = self.storage.get(resource, namespace or "", name)
        config = _configuration(resource, namespace, body)
        if old is None and options.subresource:
            raise errors.not_found(resource, name)
        new = managedfields.applied(resource, old, config, _writer(options), force=options.force)
        new = self._stored_form(resource, new, body)
        if old is None:
            if config["metadata"].get("uid"):
                raise _uid_of_nothing(resource, name, config["metadata"]["uid"])
            new["metadata"].pop("resourceVersion", None)
            return self._writes.create(resource, new, options), True
        return self._writes.update(resource, old, new, options), False

    def _stored_form(self, resource: Resource, new: Json, body: Json) -> Json:
        try:
            found, _ = decode(resource, new)
        except DecodingError as error:
            base64 = "error decoding from json: " if "illegal base64" in str(error) else ""
            raise errors.ApiError(
                500,
                "",
                f"failed to convert new object ({_place(body)}; {resource.spoken}) to proper "
                f"version: unable to convert unstructured object to {resource.spoken}: "
                f"{base64}{error}",
            ) from error
        apply_defaults(resource, found)
        return found

    def remove(
        self, resource: Resource, namespace: str | None, name: str, options: DeleteOptions
    ) -> Deleted:
        """Delete an object."""
        check_options(options)
        return self._writes.delete(resource, self.find(resource, namespace, name), options)

    def _read(self, resource: Resource, body: Json, options: Options) -> Json:
        try:
            found, unknown = decode(resource, body)
        except DecodingError as error:
            raise unreadable(resource, error) from error
        words = [f'unknown field "{path}"' for path in unknown]
        if words and options.validation == "Strict":
            raise unreadable(resource, f"strict decoding error: {', '.join(words)}")
        if options.validation == "Warn":
            options.warnings.extend(words)
        found["apiVersion"], found["kind"] = resource.api_version, resource.kind
        apply_defaults(resource, found)
        return found

    def _resource(self, obj: Json) -> Resource:
        found = resources.by_type(obj.get("apiVersion"), obj.get("kind"))
        if found is None:
            raise errors.bad_request(f"no matches for kind {obj.get('kind')!r}")
        return found


def _writer(options: Options) -> Writer:
    return Writer(options.manager, options.subresource)


def _place(config: Json) -> str:
    meta = config.get("metadata", {})
    return f"{meta.get('namespace', '')}/{meta.get('name', '')}"


def _configuration(resource: Resource, namespace: str | None, body: Json) -> Json:
    """Return the applied configuration, checked against its type."""
    meta = body.get("metadata") or {}
    if meta.get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    wrong = typed.problems(type_of(resource.definition), body)
    if wrong:
        text = wrong[0] if len(wrong) == 1 else "errors:\n  " + "\n  ".join(wrong)
        raise ApiError(
            500,
            "",
            f"failed to create typed patch object ({_place(body)}; {resource.spoken}): {text}",
        )
    if namespace:
        meta = meta | {"namespace": namespace}
    return body | {"metadata": meta}


def _check_place(new: Json, namespace: str | None, name: str) -> None:
    """Refuse a patch that would move an object."""
    meta = new["metadata"]
    if not meta.get("name"):
        raise errors.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if meta["name"] != name:
        raise errors.bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        )
    if meta.get("namespace", "") != (namespace or ""):
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _uid_of_nothing(resource: Resource, name: str, uid: str) -> ApiError:
    return errors.conflict(
        resource,
        name,
        f"uid mismatch: the provided object specified uid {uid}, and no existing object was found",
    )
