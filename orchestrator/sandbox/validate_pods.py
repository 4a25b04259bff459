"""Rules on pods and pod templates."""

from __future__ import annotations

from orchestrator.sandbox import names
from orchestrator.sandbox.pod_defaults import SOURCES
from orchestrator.sandbox.problems import Problems
from orchestrator.sandbox.validate_containers import (
    container,
    field_path,
    probes,
    seccomp,
)
from orchestrator.sandbox.values import Json

_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")


def pod(problems: Problems, obj: Json) -> None:
    """Check a Pod."""
    pod_spec(problems, "spec", obj["spec"])


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
    for number, toleration in enumerate(spec.get("tolerations") or []):
        operator = toleration.get("operator", "Equal")
        problems.one_of(f"{field}.tolerations[{number}].operator", operator, ("Equal", "Exists"))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        why = "must be between 1 and 2147483647, inclusive"
        problems.invalid(f"{field}.activeDeadlineSeconds", deadline, why)


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
    seen: set[str] = set()
    for number, volume in enumerate(volumes):
        here = f"{field}[{number}]"
        name = volume.get("name", "")
        if not name:
            problems.required(f"{here}.name")
        else:
            problems.by_rule(f"{here}.name", name, names.label)
        if name in seen:
            problems.duplicate(f"{here}.name", name)
        seen.add(name)
        sources = [key for key in SOURCES if key in volume]
        for extra in sources[1:]:
            problems.forbidden(f"{here}.{extra}", "may not specify more than 1 volume type")
        if sources:
            _source(problems, f"{here}.{sources[0]}", sources[0], volume[sources[0]])
    return seen


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
