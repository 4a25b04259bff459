"""Warnings: what an API server takes, and says is probably not meant so.

Follows ``GetWarningsFor*`` in ``k8s.io/kubernetes/pkg/api``: what a manifest of a shop may come
upon, not all of it.
"""

from __future__ import annotations

from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.values import Json

_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def advice(obj: Json) -> list[str]:
    """Return the warnings about an object."""
    return _owners(obj["metadata"].get("ownerReferences") or []) + _of_kind(obj)


def _owners(owners: list[Json]) -> list[str]:
    uids = [owner.get("uid", "") for owner in owners]
    twice = sorted({uid for uid in uids if uids.count(uid) > 1})
    if not twice:
        return []
    return [
        ".metadata.ownerReferences contains duplicate entries; API server dedups owner references "
        "in 1.20+, and may reject such requests as early as 1.24; please fix your requests; "
        f"duplicate UID(s) observed: {', '.join(twice)}"
    ]


def _of_kind(obj: Json) -> list[str]:
    kind = obj["kind"]
    if kind == "Pod":
        return _pod("spec", obj["spec"])
    if kind == "Service":
        return _service(obj["spec"])
    if kind in _TEMPLATES:
        found = obj
        for part in _TEMPLATES[kind]:
            found = found[part]
        return _pod(".".join((*_TEMPLATES[kind], "spec")), found.get("spec") or {})
    return []


def _service(spec: Json) -> list[str]:
    if spec.get("externalName") and spec.get("type") != "ExternalName":
        return ['spec.externalName is ignored when spec.type is not "ExternalName"']
    if spec.get("clusterIP") == "None" and spec.get("sessionAffinity") not in (None, "None"):
        return ["spec.SessionAffinity is ignored for headless services"]
    return []


def _pod(field: str, spec: Json) -> list[str]:
    found: list[str] = []
    for number, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            found.append(f'{field}.imagePullSecrets[{number}].name: invalid empty name ""')
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        found.append(
            f"{field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid "
            "and will be treated as 1"
        )
    for key in ("containers", "initContainers"):
        for number, container in enumerate(spec.get(key) or ()):
            found += _container(f"{field}.{key}[{number}]", container)
    return found


def _container(field: str, container: Json) -> list[str]:
    found: list[str] = []
    for part in ("limits", "requests"):
        amounts = container.get("resources", {}).get(part) or {}
        for name in ("memory", "ephemeral-storage"):
            amount = amounts.get(name, "0")
            if value_of(amount) % 1:
                found.append(
                    f'{field}.resources.{part}[{name}]: fractional byte value "{amount}" is '
                    "invalid, must be an integer"
                )
    return found + _hidden(field, container.get("env") or [])


def _hidden(field: str, env: list[Json]) -> list[str]:
    """Return a warning for every variable that another one of its name follows."""
    seen: dict[str, int] = {}
    found = []
    for number, entry in enumerate(env):
        name = entry.get("name", "")
        if name in seen:
            found.append(
                f'{field}.env[{number}]: hides previous definition of "{name}", which may be '
                "dropped when using apply"
            )
        seen[name] = number
    return found
