"""The way of every write: admission, preparation, validation, storage.

Counterpart of ``registry/generic/registry.Store``. What comes in has been decoded, has its
defaults and its managedFields; what is stored is exactly what is returned.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.sandbox import admission, errors, managedfields, objects
from orchestrator.sandbox.addresses import allocate, keep_allocated
from orchestrator.sandbox.advice import advice
from orchestrator.sandbox.errors import FieldError
from orchestrator.sandbox.operation import DeleteOptions, Operation, Options
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.validate_network import addresses
from orchestrator.sandbox.validation import validate_create, validate_update
from orchestrator.sandbox.values import Json, clone

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True)
class Deleted:
    """What a delete did: the object's last state, and whether it is gone."""

    object: Json
    gone: bool


class Writes:
    """Writes to a storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def create(self, resource: Resource, new: Json, options: Options) -> Json:
        """Store a new object; the argument is consumed."""
        storage = self._storage
        operation = Operation(resource, new, None, options)
        admission.admit_namespace(storage, operation)
        admission.mutate(storage, operation)
        if new["metadata"].get("resourceVersion"):
            raise errors.internal("resourceVersion should not be set on objects to be created")
        if not new["metadata"].get("name") and new["metadata"].get("generateName"):
            new["metadata"]["name"] = objects.generated_name(new["metadata"]["generateName"])
        objects.prepare_create(resource, new)
        if resource.kind == "Service":
            self._check_addresses(resource, new)
            allocate(storage, new)
        wrong = validate_create(resource, new)
        if wrong:
            raise errors.invalid(resource, operation.name, wrong)
        options.warnings.extend(advice(new))
        commit = admission.check(storage, operation)
        there = storage.get(resource, operation.namespace, operation.name)
        if there is not None:
            ending = "deletionTimestamp" in there["metadata"]
            raise errors.already_exists(resource, operation.name, ending=ending)
        if options.dry_run:
            return new
        commit()
        return storage.put(resource, new)

    def update(self, resource: Resource, old: Json, new: Json, options: Options) -> Json:
        """Store a changed object; the new one is consumed. Nothing is written if nothing changed.

        The result is the object as it was last when the update ended its deletion.
        """
        storage, name = self._storage, old["metadata"]["name"]
        self._check_versions(resource, old, new)
        objects.prepare_update(resource, old, new, options.subresource)
        if resource.kind == "Service":
            keep_allocated(old, new)
            self._check_addresses(resource, new)
            allocate(storage, new)
        operation = Operation(resource, new, old, options)
        admission.mutate(storage, operation)
        wrong = validate_update(resource, old, new, options.subresource)
        if wrong:
            raise errors.invalid(resource, name, wrong)
        meta, was = new["metadata"], old["metadata"]
        same_generation = resource.generation and meta.get("generation") == was.get("generation")
        if not options.subresource and not (same_generation and resource.kind != "Pod"):
            options.warnings.extend(advice(new))
        commit = admission.check(storage, operation)
        if managedfields.same_but_for_times(old, new):
            return old
        if options.dry_run:
            return new
        commit()
        return self._put_or_end(resource, new)

    def _check_addresses(self, resource: Resource, new: Json) -> None:
        """Refuse addresses that are none before any are given out, and before all else."""
        if wrong := addresses(new["spec"]):
            raise errors.invalid(resource, new["metadata"].get("name", ""), wrong)

    def _check_versions(self, resource: Resource, old: Json, new: Json) -> None:
        meta, was = new["metadata"], old["metadata"]
        if meta.get("resourceVersion", "") not in ("", was["resourceVersion"]):
            raise errors.modified(resource, was["name"])

    def _put_or_end(self, resource: Resource, new: Json) -> Json:
        """Store the object, or remove it when this was the last that held its deletion up."""
        if self._ended(new):
            return self._storage.remove(resource, new)
        return self._storage.put(resource, new)

    def _ended(self, obj: Json) -> bool:
        meta = obj["metadata"]
        if not meta.get("deletionTimestamp") or meta.get("finalizers"):
            return False
        if obj["kind"] == "Namespace":
            return not obj["spec"].get("finalizers")
        return not meta.get("deletionGracePeriodSeconds")

    def delete(self, resource: Resource, old: Json, options: DeleteOptions) -> Deleted:
        """Delete an object, or mark it when a finalizer or a grace period holds it."""
        if resource.kind == "Namespace":
            return self._delete_namespace(resource, old, options)
        _check_preconditions(resource, old, options)
        new: Json = clone(old)
        meta = new["metadata"]
        grace = _grace(resource, old, options)
        finalizers = _finalizers(resource, meta.get("finalizers") or [], options)
        if finalizers:
            meta["finalizers"] = finalizers
        else:
            meta.pop("finalizers", None)
        if not finalizers and not grace:
            if "deletionTimestamp" in meta:
                meta["deletionGracePeriodSeconds"] = 0
            gone = new if options.dry_run else self._storage.remove(resource, new)
            return Deleted(gone, True)
        self._mark(new, grace)
        if new == old or options.dry_run:
            return Deleted(new, False)
        return Deleted(self._storage.put(resource, new), False)

    def _mark(self, new: Json, grace: int) -> None:
        meta = new["metadata"]
        if "deletionTimestamp" not in meta:
            meta["deletionTimestamp"] = objects.now(grace)
            meta["deletionGracePeriodSeconds"] = grace
            if "generation" in meta:
                meta["generation"] += 1
        elif grace < meta.get("deletionGracePeriodSeconds", 0):
            meta["deletionTimestamp"] = objects.now(grace)
            meta["deletionGracePeriodSeconds"] = grace

    def _delete_namespace(self, resource: Resource, old: Json, options: DeleteOptions) -> Deleted:
        name = old["metadata"]["name"]
        if name in ("default", "kube-system", "kube-public"):
            raise errors.forbidden(resource, name, "this namespace may not be deleted")
        _check_namespace_preconditions(resource, old, options)
        if "deletionTimestamp" in old["metadata"]:
            return Deleted(old, False)
        new: Json = clone(old)
        new["metadata"]["deletionTimestamp"] = objects.now()
        finalizers = _finalizers(resource, new["metadata"].get("finalizers") or [], options)
        if finalizers:
            new["metadata"]["finalizers"] = finalizers
        new["status"]["phase"] = "Terminating"
        if options.dry_run:
            return Deleted(new, False)
        stored = self._put_or_end(resource, new)
        return Deleted(stored, False)


def check_options(options: DeleteOptions) -> None:
    """Refuse a policy that nobody knows: 422."""
    if options.propagation not in (None, *POLICIES):
        names = ", ".join(f'"{policy}"' for policy in POLICIES)
        message = f'Unsupported value: "{options.propagation}": supported values: {names}, "nil"'
        cause = FieldError("propagationPolicy", message, "FieldValueNotSupported")
        details = {
            "group": "meta.k8s.io",
            "kind": "DeleteOptions",
            "causes": [cause.cause()],
        }
        text = f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: {message}'
        raise errors.ApiError(422, "Invalid", text, details)


def _check_preconditions(resource: Resource, old: Json, options: DeleteOptions) -> None:
    meta, version = old["metadata"], options.resource_version
    if options.uid is not None and options.uid != meta["uid"]:
        raise _failed_precondition(
            resource,
            meta["name"],
            f"the UID in the precondition ({options.uid}) does not match the UID in record "
            f"({meta['uid']}). The object might have been deleted and then recreated",
        )
    if version is not None and version != meta["resourceVersion"]:
        raise _failed_precondition(
            resource,
            meta["name"],
            f"the ResourceVersion in the precondition ({version}) does not match the "
            f"ResourceVersion in record ({meta['resourceVersion']}). The object might have been "
            "modified",
        )


def _failed_precondition(resource: Resource, name: str, why: str) -> errors.ApiError:
    """409 that names the kind where other conflicts name the resource."""
    message = f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": {why}'
    details: Json = {"name": name}
    if resource.group:
        details["group"] = resource.group
    return errors.ApiError(409, "Conflict", message, details | {"kind": resource.kind})


def _check_namespace_preconditions(resource: Resource, old: Json, options: DeleteOptions) -> None:
    meta = old["metadata"]
    for label, wanted, found in (
        ("UID", options.uid, meta["uid"]),
        ("ResourceVersion", options.resource_version, meta["resourceVersion"]),
    ):
        if wanted is not None and wanted != found:
            raise errors.conflict(
                resource,
                meta["name"],
                f"Precondition failed: {label} in precondition: {wanted}, "
                f"{label} in object meta: {found}",
            )


def _grace(resource: Resource, old: Json, options: DeleteOptions) -> int:
    """Return the seconds that the object stays; only running pods get any."""
    if resource.kind != "Pod":
        return 0
    spec, meta = old["spec"], old["metadata"]
    if not spec.get("nodeName") or old["status"].get("phase") in ("Succeeded", "Failed"):
        return 0
    default = meta.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds", 30))
    wanted = int(default if options.grace is None else max(options.grace, 0))
    if "deletionGracePeriodSeconds" in meta:
        return min(wanted, int(meta["deletionGracePeriodSeconds"]))
    return wanted


def _finalizers(resource: Resource, old: list[str], options: DeleteOptions) -> list[str]:
    """Return the finalizers with the one that the propagation policy asks for."""
    policy = options.propagation
    if policy is None and ORPHAN not in old and FOREGROUND not in old and resource.kind == "Job":
        policy = "Orphan"
    if policy is None:
        return old
    kept = [f for f in old if f not in (ORPHAN, FOREGROUND)]
    if policy == "Orphan" and resource.kind != "Event":
        kept.append(ORPHAN)
    if policy == "Foreground" and resource.kind != "Event":
        kept.append(FOREGROUND)
    return kept
