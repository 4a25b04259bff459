"""What a URL path and a method of the API server mean."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.sandbox import resources
from orchestrator.sandbox.errors import bad_request, no_such_path
from orchestrator.sandbox.resources import Resource

_INSIDE = frozenset(("exec", "attach", "portforward", "proxy", "ephemeralcontainers"))
_NOTHING_RUNS = (
    "this cluster is the sandbox of Urumi Stores, a simulation: no container runs, "
    "so there is nothing to go into"
)


@dataclass(frozen=True)
class Target:
    """A collection (no name), an object or a subresource of one."""

    resource: Resource
    namespace: str | None
    name: str
    subresource: str


def target(path: str) -> Target:
    """Return what the path names; raises 404.

    Paths are ``/api/v1/…`` and ``/apis/<group>/<version>/…``, then ``[namespaces/<ns>/]<plural>``,
    ``/<name>`` and ``/<subresource>``. A namespace itself is an object of ``namespaces``.
    """
    parts = path.strip("/").split("/")
    group, version, rest = _group(parts)
    namespace: str | None = None
    if len(rest) >= 3 and rest[0] == "namespaces" and not _of_namespace(group, rest):
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 3 or not all(rest):
        raise no_such_path()
    resource = resources.by_plural(group, version, rest[0])
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if resource.namespaced is (namespace is None) and (name or namespace is not None):
        raise no_such_path()
    if subresource and subresource not in resource.subresources:
        if resource.kind == "Pod" and subresource in _INSIDE:
            raise bad_request(_NOTHING_RUNS)
        raise no_such_path()
    return Target(resource, namespace, name, subresource)


def _group(parts: list[str]) -> tuple[str, str, list[str]]:
    if parts[:1] == ["api"] and len(parts) > 2:
        return "", parts[1], parts[2:]
    if parts[:1] == ["apis"] and len(parts) > 3:
        return parts[1], parts[2], parts[3:]
    raise no_such_path()


def _of_namespace(group: str, rest: list[str]) -> bool:
    return not group and len(rest) == 3 and rest[2] in resources.of("Namespace").subresources
