"""Rules on pods and pod templates."""

from __future__ import annotations

from orchestrator.sandbox import names
from orchestrator.sandbox.pod_defaults import SOURCES
from orchestrator.sandbox.problems import Problems
from orchestrator.sandbox.validate_containers import (
    container,
    field_path,
    host_ports,
    images,
    node_ports,
    probes,
    seccomp,
)
from orchestrator.sandbox.values import Json

_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")


def pod(problems: Problems, obj: Json) -> None:
    """Check a Pod."""
    spec = obj["spec"]
    pod_spec(problems, "spec", spec)
    for key in ("containers", "initContainers"):
        images(problems, f"spec.{key}", spec.get(key) or [])


def pod_spec(problems: Problems, field: str, spec: Json) -> None:
    """Check the spec of a pod or of a template."""
    volumes = _volumes(problems, f"{field}.volumes", spec.get("volumes") or [])
    _containers(problems, field, spec, volumes)
    problems.one_of(f"{field}.restartPolicy", spec.get("restartPolicy"), _RESTART)
    problems.one_of(f"{field}.dnsPolicy", spec.get("dnsPolicy"), _DNS)
    _labels(problems, f"{field}.nodeSelector", spec.get("nodeSelector") or {})
    context = spec.get("securityContext") or {}
    problems.user_id(context, f"{field}.securityContext", "fsGroup", "runAsUser", "runAsGroup")
    seccomp(problems, f"{field}.securityContext", context)
    if spec.get("serviceAccountName"):
        problems.by_rule(f"{field}.serviceAccountName", spec["serviceAccountName"], names.subdomain)
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            problems.by_rule(f"{field}.{key}", spec[key], names.label)
    if spec.get("hostNetwork"):
        node_ports(problems, f"{field}.containers", spec.get("containers") or [])
        if spec.get("hostUsers") is False:
            problems.forbidden(f"{field}.hostNetwork", "when `hostUsers` is false")
    if spec.get("hostUsers", True):
        _unmasked(problems, field, spec)
    for number, toleration in enumerate(spec.get("tolerations") or []):
        _toleration(problems, f"{field}.tolerations[{number}]", toleration)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        why = "must be between 1 and 2147483647, inclusive"
        problems.invalid(f"{field}.activeDeadlineSeconds", deadline, why)


def _unmasked(problems: Problems, field: str, spec: Json) -> None:
    """Check that nobody looks behind the masks of /proc as a user of the node."""
    for key in ("containers", "initContainers"):
        for number, found in enumerate(spec.get(key) or []):
            kind = (found.get("securityContext") or {}).get("procMount")
            if kind == "Unmasked":
                here = f"{field}.{key}[{number}].securityContext.procMount"
                problems.invalid(here, kind, "`hostUsers` must be false to use `Unmasked`")


def _toleration(problems: Problems, field: str, found: Json) -> None:
    key, operator = found.get("key"), found.get("operator") or "Equal"
    if key:
        problems.by_rule(f"{field}.key", key, names.qualified)
    elif operator != "Exists":
        why = (
            "operator must be Exists when `key` is empty, which means "
            '"match all values and all keys"'
        )
        problems.invalid(f"{field}.operator", operator, why)
    if "tolerationSeconds" in found and found.get("effect") != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        problems.invalid(f"{field}.effect", found.get("effect", ""), why)
    if operator == "Exists" and found.get("value"):
        why = "value must be empty when `operator` is 'Exists'"
        problems.invalid(f"{field}.operator", found["value"], why)
    problems.one_of(f"{field}.operator", operator, ("Equal", "Exists"))


def _labels(problems: Problems, field: str, found: Json) -> None:
    for key, value in found.items():
        problems.by_rule(field, key, names.qualified)
        problems.by_rule(field, value, names.label_value)


def _containers(problems: Problems, field: str, spec: Json, volumes: set[str]) -> None:
    mains = spec.get("containers") or []
    if not mains:
        problems.required(f"{field}.containers")
    seen: set[str] = set()
    for number, found in enumerate(mains):
        here = f"{field}.containers[{number}]"
        _name(problems, here, found, seen)
        container(problems, here, found, volumes)
        probes(problems, here, found)
    host_ports(problems, f"{field}.containers", mains)
    host_ports(problems, f"{field}.initContainers", spec.get("initContainers") or [])
    for number, found in enumerate(spec.get("initContainers") or []):
        here = f"{field}.initContainers[{number}]"
        _name(problems, here, found, seen)
        container(problems, here, found, volumes)
        if found.get("restartPolicy") == "Always":
            probes(problems, here, found)
            continue
        for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            if key in found:
                why = "may not be set for init containers without restartPolicy=Always"
                problems.forbidden(f"{here}.{key}", why)


def _name(problems: Problems, field: str, found: Json, seen: set[str]) -> None:
    name = found.get("name", "")
    if not name:
        problems.required(f"{field}.name")
        return
    wrong = names.label(name)
    problems.by_rule(f"{field}.name", name, names.label)
    if not wrong and name in seen:
        problems.duplicate(f"{field}.name", name)
    seen.add(name)


def _volumes(problems: Problems, field: str, volumes: list[Json]) -> set[str]:
    """Check the volumes; returns the names of those that are right and may be mounted."""
    seen: set[str] = set()
    good: set[str] = set()
    for number, volume in enumerate(volumes):
        here = f"{field}[{number}]"
        name, before = volume.get("name", ""), len(problems.found)
        sources = [key for key in SOURCES if key in volume]
        for extra in sources[1:]:
            shown = "downwarAPI" if extra == "downwardAPI" else extra  # as Kubernetes spells it
            problems.forbidden(f"{here}.{shown}", "may not specify more than 1 volume type")
        if sources:
            _source(problems, f"{here}.{sources[0]}", sources[0], volume[sources[0]])
        if not name:
            problems.required(f"{here}.name")
        else:
            problems.by_rule(f"{here}.name", name, names.label)
        if name in seen:
            problems.duplicate(f"{here}.name", name)
        if len(problems.found) == before:
            good.add(name)
        seen.add(name)
    return good


_REQUIRED = {
    "configMap": "name",
    "secret": "secretName",
    "persistentVolumeClaim": "claimName",
    "hostPath": "path",
}


def _source(problems: Problems, field: str, kind: str, source: Json) -> None:
    key = _REQUIRED.get(kind)
    if key is not None and not source.get(key):
        problems.required(f"{field}.{key}")
    mode = source.get("defaultMode")
    if isinstance(mode, int) and not 0 <= mode <= 0o777:
        why = "must be a number between 0 and 0777 (octal), both inclusive"
        problems.invalid(f"{field}.defaultMode", mode, why)
    for number, item in enumerate(source.get("items") or []):
        here = f"{field}.items[{number}]"
        if kind == "downwardAPI":
            if "fieldRef" in item:
                path = item["fieldRef"].get("fieldPath", "")
                field_path(problems, f"{here}.fieldRef.fieldPath", path)
        elif not item.get("key"):
            problems.required(f"{here}.key")
        path = item.get("path", "")
        if not path:
            problems.required(f"{here}.path")
        elif path.startswith("/"):
            problems.invalid(f"{here}.path", path, "must be a relative path")
        elif ".." in path.split("/"):
            problems.invalid(f"{here}.path", path, "must not contain '..'")
