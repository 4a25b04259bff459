"""What makes an object invalid (422): its metadata here, the rest kind by kind.

Follows ``k8s.io/kubernetes/pkg/apis/*/validation``: the same fields, reasons and words for what
clients commonly get wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.sandbox import names
from orchestrator.sandbox.errors import FieldError
from orchestrator.sandbox.problems import Problems, Rule
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.validate_core import (
    config_map,
    limit_range,
    persistent_volume_claim,
    resource_quota,
    secret,
)
from orchestrator.sandbox.validate_network import ingress, network_policy, service
from orchestrator.sandbox.validate_pods import pod
from orchestrator.sandbox.validate_updates import changes
from orchestrator.sandbox.validate_workloads import (
    claim_templates,
    cron_job,
    deployment,
    disruption_budget,
    job,
    replica_set,
    stateful_set,
)
from orchestrator.sandbox.values import Json

_NAMES: dict[str, Rule] = {
    "Namespace": names.label,
    "Service": names.label,
    "StatefulSet": names.label,
    "Role": names.path_segment,
    "RoleBinding": names.path_segment,
    "ClusterRole": names.path_segment,
    "ClusterRoleBinding": names.path_segment,
}
_KINDS: dict[str, Callable[[Problems, Json], None]] = {
    "ConfigMap": config_map,
    "Secret": secret,
    "PersistentVolumeClaim": persistent_volume_claim,
    "ResourceQuota": resource_quota,
    "LimitRange": limit_range,
    "Pod": pod,
    "Deployment": deployment,
    "StatefulSet": stateful_set,
    "ReplicaSet": replica_set,
    "Job": job,
    "CronJob": cron_job,
    "PodDisruptionBudget": disruption_budget,
    "Service": service,
    "Ingress": ingress,
    "NetworkPolicy": network_policy,
}
_STANDARD_FINALIZERS = frozenset(("kubernetes", "orphan", "foregroundDeletion"))
_NO_OWNERS = (("v1", "Event"), ("events.k8s.io/v1", "Event"))
_ANNOTATIONS = 256 * 1024


def validate_create(resource: Resource, obj: Json) -> list[FieldError]:
    """Return what is wrong with a new object."""
    problems = Problems()
    meta = obj["metadata"]
    rule = _NAMES.get(resource.kind, names.subdomain)
    if meta.get("generateName"):
        prefix = meta["generateName"]
        masked = prefix[:-1] + "a" if prefix.endswith("-") else prefix
        if rule(masked):
            for why in rule(masked):
                problems.invalid("metadata.generateName", prefix, why)
    if not meta.get("name"):
        problems.required("metadata.name", "name or generateName is required")
    else:
        problems.by_rule("metadata.name", meta["name"], rule)
        if resource.kind == "CronJob" and len(meta["name"]) > 52:
            problems.invalid("metadata.name", meta["name"], "must be no more than 52 characters")
    if resource.kind == "PodDisruptionBudget":
        _kind(problems, resource, obj)
        if not problems.found:  # its metadata is looked at when nothing else is wrong
            _metadata(problems, resource.kind, meta)
        return problems.found
    _metadata(problems, resource.kind, meta)
    _kind(problems, resource, obj)
    if resource.kind == "StatefulSet":
        claim_templates(problems, obj)
    return problems.found


def validate_update(resource: Resource, old: Json, new: Json, subresource: str) -> list[FieldError]:
    """Return what is wrong with a changed object."""
    problems = Problems()
    before, after = old["metadata"], new["metadata"]
    for key in ("name", "namespace", "uid", "deletionTimestamp"):
        if before.get(key) != after.get(key):
            problems.invalid(f"metadata.{key}", after.get(key, ""), "field is immutable")
    if "deletionTimestamp" in before:
        added = set(after.get("finalizers") or []) - set(before.get("finalizers") or [])
        if added:
            problems.forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, found new "
                f"finalizers []string{{{', '.join(f'{f!r}' for f in sorted(added))}}}".replace(
                    "'", '"'
                ),
            )
    if _changed(before, after):
        _metadata(problems, resource.kind, after)
    if subresource == "status":
        if resource.kind == "Namespace":
            _phase(problems, new)
        return problems.found
    if {k: v for k, v in old.items() if k not in ("metadata", "status")} != {
        k: v for k, v in new.items() if k not in ("metadata", "status")
    }:
        if resource.group:
            _kind(problems, resource, new)
            changes(problems, resource, old, new)
        else:
            changes(problems, resource, old, new)
            _kind(problems, resource, new)
    return problems.found


def _phase(problems: Problems, namespace: Json) -> None:
    """Check that only what is being deleted is on its way out."""
    phase = (namespace.get("status") or {}).get("phase")
    ending = "deletionTimestamp" in namespace["metadata"]
    if not ending and phase != "Active":
        why = "may only be 'Active' if `deletionTimestamp` is empty"
        problems.invalid("status.Phase", phase, why)
    elif ending and phase != "Terminating":
        why = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        problems.invalid("status.Phase", phase, why)


def _changed(before: Json, after: Json) -> bool:
    keys = ("labels", "annotations", "finalizers", "ownerReferences")
    return any(before.get(key) != after.get(key) for key in keys)


def _kind(problems: Problems, resource: Resource, obj: Json) -> None:
    found = _KINDS.get(resource.kind)
    if found is not None:
        found(problems, obj)


def labels(problems: Problems, field: str, found: Json) -> None:
    """Check labels."""
    for key, value in found.items():
        problems.by_rule(field, key, names.qualified)
        problems.by_rule(field, value, names.label_value)


def _metadata(problems: Problems, kind: str, meta: Json) -> None:
    labels(problems, "metadata.labels", meta.get("labels") or {})
    notes = meta.get("annotations") or {}
    for key in notes:
        for why in names.qualified(key.lower()):
            problems.invalid("metadata.annotations", key, why)
    if sum(len(k.encode()) + len(v.encode()) for k, v in notes.items()) > _ANNOTATIONS:
        problems.too_long("metadata.annotations", _ANNOTATIONS)
    for number, finalizer in enumerate(meta.get("finalizers") or []):
        wrong = names.qualified(finalizer)
        for why in wrong:
            problems.invalid("metadata.finalizers", finalizer, why)
        plain = "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS
        if plain and (not wrong or not finalizer) and kind != "PodDisruptionBudget":
            problems.invalid(
                f"metadata.finalizers[{number}]",
                finalizer,
                "name is neither a standard finalizer name nor is it fully qualified",
            )
    _owners(problems, meta.get("ownerReferences") or [])


def _owners(problems: Problems, owners: list[Json]) -> None:
    field = "metadata.ownerReferences"
    for owner in owners:
        if not owner.get("apiVersion"):
            problems.invalid(f"{field}.apiVersion", "", "version must not be empty")
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                problems.invalid(f"{field}.{key}", "", "must not be empty")
        if (owner.get("apiVersion"), owner.get("kind")) in _NO_OWNERS:
            version = owner["apiVersion"]
            what = f"{version if '/' in version else f'/{version}'}, Kind={owner['kind']}"
            problems.invalid(field, owner, f"{what} is disallowed from being an owner")
    controllers = [o for o in owners if o.get("controller")]
    if len(controllers) > 1:
        one, two = (f"{o['kind']}/{o['name']}" for o in controllers[:2])
        problems.invalid(
            field,
            owners,
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{one} and {two}",
        )
