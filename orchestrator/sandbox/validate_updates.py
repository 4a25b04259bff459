"""What may not change once an object exists."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.sandbox.problems import Problems
from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.values import Json, clone, dig

_IMMUTABLE = "field is immutable"
_SET_FIELDS = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
               "persistentVolumeClaimRetentionPolicy", "minReadySeconds")  # fmt: skip
_POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)
_CLAIM_RULE = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
    "bound claims"
)


def changes(problems: Problems, resource: Resource, old: Json, new: Json) -> None:
    """Note every change that the kind does not allow."""
    found = _CHANGES.get(resource.kind)
    if found is not None:
        found(problems, old, new)


def _selector(problems: Problems, old: Json, new: Json) -> None:
    if old["spec"].get("selector") != new["spec"].get("selector"):
        problems.invalid("spec.selector", new["spec"].get("selector"), _IMMUTABLE)


def _stateful_set(problems: Problems, old: Json, new: Json) -> None:
    before, after = (
        {k: v for k, v in o["spec"].items() if k not in _SET_FIELDS} for o in (old, new)
    )
    if before != after:
        names = ", ".join(f"'{name}'" for name in _SET_FIELDS[:-1])
        problems.forbidden(
            "spec",
            f"updates to statefulset spec for fields other than {names} and "
            f"'{_SET_FIELDS[-1]}' are forbidden",
        )


def _quota(problems: Problems, old: Json, new: Json) -> None:
    before, after = (o["spec"].get("scopes") or [] for o in (old, new))
    if sorted(before) != sorted(after):
        problems.invalid("spec.scopes", after, _IMMUTABLE)


def _frozen_data(problems: Problems, old: Json, new: Json) -> None:
    if not old.get("immutable"):
        return
    rule = "field is immutable when `immutable` is set"
    if not new.get("immutable"):
        problems.forbidden("immutable", rule)
    for key in ("data", "binaryData"):
        if (old.get(key) or {}) != (new.get(key) or {}):
            problems.forbidden(key, rule)


def _secret(problems: Problems, old: Json, new: Json) -> None:
    if old.get("type") != new.get("type"):
        problems.invalid("type", new.get("type"), _IMMUTABLE)
    _frozen_data(problems, old, new)


def _service(problems: Problems, old: Json, new: Json) -> None:
    before, after = old["spec"], new["spec"]
    if "ExternalName" in (before.get("type"), after.get("type")):
        return
    if before.get("clusterIP") and before["clusterIP"] != after.get("clusterIP"):
        problems.invalid("spec.clusterIPs[0]", after.get("clusterIPs"), "may not change once set")


def _claim(problems: Problems, old: Json, new: Json) -> None:
    before, after = clone(old["spec"]), clone(new["spec"])
    bound = dig(old, "status", "phase") == "Bound"
    if before.get("volumeName") is None:
        after.pop("volumeName", None)  # the binder sets it once
    if before.get("storageClassName") is None:
        after.pop("storageClassName", None)
    for spec in (before, after):
        spec.pop("volumeAttributesClassName", None)
    was, now = (dig(s, "resources", "requests", "storage") for s in (before, after))
    if bound and was and now:
        before["resources"]["requests"]["storage"] = now
    if before != after:
        problems.forbidden("spec", _CLAIM_RULE)
    now = now or "0"
    if was and value_of(now) < value_of(was):
        capacity = dig(old, "status", "capacity", "storage") or "0"
        if value_of(now) <= value_of(capacity):
            field = "spec.resources.requests.storage"
            problems.forbidden(field, "field can not be less than status.capacity")
    if before.get("volumeMode") != after.get("volumeMode"):
        problems.invalid("volumeMode", after.get("volumeMode"), _IMMUTABLE)


def _job(problems: Problems, old: Json, new: Json) -> None:
    before, after = old["spec"], new["spec"]
    if before.get("completions") != after.get("completions"):
        problems.invalid("spec.completions", after.get("completions"), _IMMUTABLE)
    _selector(problems, old, new)
    suspended = before.get("suspend") and "startTime" not in (old.get("status") or {})
    was, now = (_fixed_template(spec["template"], suspended) for spec in (before, after))
    if was != now:
        problems.invalid("spec.template.spec", after["template"].get("spec"), _IMMUTABLE)


def _fixed_template(template: Json, suspended: bool) -> Json:
    """Return what of a Job's template may not change; a suspended Job may still be placed."""
    if not suspended:
        return template
    placing = ("nodeSelector", "affinity", "tolerations", "schedulingGates")
    return {k: v for k, v in (template.get("spec") or {}).items() if k not in placing}


def _pod(problems: Problems, old: Json, new: Json) -> None:
    if _fixed(old["spec"], old["spec"]) != _fixed(new["spec"], old["spec"]):
        problems.forbidden("spec", _POD_RULE)


def _fixed(spec: Json, old: Json) -> Json:
    """Return what of a pod's spec may not change."""
    found: Json = clone(spec)
    for key in ("containers", "initContainers"):
        for container in found.get(key) or ():
            container.pop("image", None)
    for key in ("activeDeadlineSeconds", "ephemeralContainers"):
        found.pop(key, None)
    if not old.get("nodeName"):
        found.pop("nodeName", None)  # the scheduler sets it once
    before = old.get("tolerations") or []
    after = found.pop("tolerations", None) or []
    found["kept tolerations"] = [t for t in before if t in after]
    return found


def _role(problems: Problems, old: Json, new: Json) -> None:
    if old["roleRef"] != new["roleRef"]:
        problems.invalid("roleRef", new["roleRef"], "cannot change roleRef")


def _storage_class(problems: Problems, old: Json, new: Json) -> None:
    for key in ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"):
        if old.get(key) != new.get(key):
            problems.forbidden(key, "updates to " + key + " are forbidden.")


_CHANGES: dict[str, Callable[[Problems, Json, Json], None]] = {
    "Deployment": _selector,
    "ReplicaSet": _selector,
    "StatefulSet": _stateful_set,
    "ConfigMap": _frozen_data,
    "ResourceQuota": _quota,
    "Secret": _secret,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "Job": _job,
    "Pod": _pod,
    "RoleBinding": _role,
    "ClusterRoleBinding": _role,
    "StorageClass": _storage_class,
}
