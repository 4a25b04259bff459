"""Rules on ConfigMaps, Secrets, claims, quotas and limit ranges."""

from __future__ import annotations

import base64

from orchestrator.sandbox import names
from orchestrator.sandbox.problems import Problems
from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.values import Json, dig

_SIZE = 1024 * 1024
_STANDARD = frozenset(
    ("cpu", "memory", "ephemeral-storage", "storage", "pods", "services", "secrets", "configmaps",
     "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "requests.cpu",
     "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu",
     "limits.memory", "limits.ephemeral-storage", "services.nodeports",
     "services.loadbalancers")
)  # fmt: skip
_WHOLE = frozenset(
    ("pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas",
     "replicationcontrollers", "services.nodeports", "services.loadbalancers")
)  # fmt: skip
_POD_COUNTS = (
    "pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"
)  # fmt: skip
_SCOPES = {"BestEffort": ("pods",)} | dict.fromkeys(
    ("NotBestEffort", "Terminating", "NotTerminating", "PriorityClass",
     "CrossNamespacePodAffinity"),
    _POD_COUNTS,
)  # fmt: skip
_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def config_map(problems: Problems, obj: Json) -> None:
    """Check a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        problems.by_rule(f"data[{key}]", key, names.config_key)
        if key in binary:
            problems.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode("utf-8", "replace"))
    for key, value in binary.items():
        problems.by_rule(f"binaryData[{key}]", key, names.config_key)
        size += len(base64.b64decode(value))
    if size > _SIZE:
        problems.too_long("[]", _SIZE)


def secret(problems: Problems, obj: Json) -> None:
    """Check a Secret."""
    data = obj.get("data") or {}
    size = 0
    for key, value in data.items():
        problems.by_rule(f"data[{key}]", key, names.config_key)
        size += len(base64.b64decode(value))
    if size > _SIZE:
        problems.too_long("data", _SIZE)
    accounts = ("username", "password")
    if obj.get("type") == "kubernetes.io/basic-auth" and not any(key in data for key in accounts):
        for key in accounts:
            problems.required(f"data[{key}]")
    for key in _SECRET_KEYS.get(obj.get("type", ""), ()):
        if key not in data:
            problems.required(f"data[{key}]")


def persistent_volume_claim(problems: Problems, obj: Json) -> None:
    """Check a PersistentVolumeClaim."""
    claim_spec(problems, "spec", obj["spec"])


def claim_spec(problems: Problems, field: str, spec: Json) -> None:
    """Check the spec of a claim or of a claim template."""
    modes = spec.get("accessModes") or []
    if not modes:
        problems.required(f"{field}.accessModes", "at least 1 access mode is required")
    for mode in modes:
        problems.one_of(f"{field}.accessModes", mode, _MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        problems.forbidden(f"{field}.accessModes", why)
    storage = dig(spec, "resources", "requests", "storage")
    if storage is None:
        problems.required(f"{field}.resources[storage]")
    elif value_of(storage) <= 0:
        problems.invalid(f"{field}.resources[storage]", storage, "must be greater than zero")
    if spec.get("storageClassName"):
        problems.by_rule(f"{field}.storageClassName", spec["storageClassName"], names.subdomain)
    if "volumeMode" in spec:
        problems.one_of(f"{field}.volumeMode", spec["volumeMode"], ("Block", "Filesystem"))


def resource_quota(problems: Problems, obj: Json) -> None:
    """Check a ResourceQuota."""
    for name, amount in (obj["spec"].get("hard") or {}).items():
        field = f"spec.hard[{name}]"
        problems.by_rule(field, name, names.qualified)
        if "/" not in name and name not in _STANDARD:
            if not names.qualified(name):
                why = "must be a standard resource type or fully qualified"
                problems.invalid(field, name, why)
            problems.invalid(field, name, "must be a standard resource for quota")
        value = value_of(amount)
        if value < 0:
            problems.invalid(field, amount, "must be greater than or equal to 0")
        whole = name in _WHOLE or name.startswith("count/")
        if whole and value != value.to_integral_value():
            problems.invalid(field, amount, "must be an integer")
    _scopes(problems, obj["spec"])


def _scopes(problems: Problems, spec: Json) -> None:
    """Check what a quota is limited to against what it counts."""
    scopes = spec.get("scopes") or []
    for scope in scopes:
        allowed = _SCOPES.get(scope)
        if allowed is None:
            problems.invalid("spec.scopes", scopes, "unsupported scope")
        for name in spec.get("hard") or {}:
            if allowed and name in _STANDARD and name not in allowed:
                problems.invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"}):
        if pair <= set(scopes):
            problems.invalid("spec.scopes", scopes, "conflicting scopes")


def limit_range(problems: Problems, obj: Json) -> None:
    """Check a LimitRange."""
    seen: set[str] = set()
    for number, item in enumerate(obj["spec"].get("limits") or []):
        field = f"spec.limits[{number}]"
        kind = item.get("type", "")
        if kind not in ("Container", "Pod", "PersistentVolumeClaim") and "/" not in kind:
            problems.invalid(
                f"{field}.type", kind, "must be a standard limit type or fully qualified"
            )
        if kind in seen:
            problems.duplicate(f"{field}.type", kind)
        seen.add(kind)
        if kind == "Pod":
            for key in ("default", "defaultRequest"):
                if item.get(key):
                    problems.forbidden(
                        f"{field}.{key}", "may not be specified when `type` is 'Pod'"
                    )
        _bounds(problems, field, item)
        for name, ratio in (item.get("maxLimitRequestRatio") or {}).items():
            if value_of(ratio) < 1:
                here = f"{field}.maxLimitRequestRatio[{name}]"
                problems.invalid(here, ratio, f"ratio {ratio} is less than 1")
            low, high = (value_of(dig(item, part, name) or "0") for part in ("min", "max"))
            if high and low and value_of(ratio) > high / low:
                here = f"{field}.maxLimitRequestRatio[{name}]"
                why = f"ratio {ratio} is greater than max/min = {high / low:.6f}"
                problems.invalid(here, ratio, why)


def _bounds(problems: Problems, field: str, item: Json) -> None:
    """Check that min, defaultRequest, default and max rise."""
    parts = ("min", "defaultRequest", "default", "max")
    if item.get("type") == "Pod":
        parts = ("min", "", "", "max")
    for name in sorted({n for part in parts for n in item.get(part) or {}}):
        low, request, limit, high = (dig(item, part, name) for part in parts)
        pairs = (
            ("min", low, high, low, "min value", "max value"),
            ("defaultRequest", low, request, request, "min value", "default request value"),
            ("default", low, limit, low, "min value", "default value"),
            ("defaultRequest", request, high, request, "default request value", "max value"),
            ("default", limit, high, high, "default value", "max value"),
            ("defaultRequest", request, limit, request, "default request value",
             "default limit value"),
        )  # fmt: skip
        for key, one, two, value, first, second in pairs:
            if one is not None and two is not None and value_of(one) > value_of(two):
                why = f"{first} {one} is greater than {second} {two}"
                problems.invalid(f"{field}.{key}[{name}]", value, why)
