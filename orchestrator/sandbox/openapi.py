"""The OpenAPI v3 documents: what kubectl validates and explains with.

One document a group version, made of the schemas that the sandbox itself decodes by, so that what
kubectl accepts and what the server accepts is the same.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from orchestrator.sandbox.errors import no_such_path
from orchestrator.sandbox.resources import GROUPS, Resource, in_group
from orchestrator.sandbox.schema import definitions
from orchestrator.sandbox.values import Json, dump

_REFERENCE = "#/components/schemas/"
_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


@cache
def index() -> bytes:
    """Return ``/openapi/v3``."""
    paths = {}
    for group in ("", *GROUPS):
        name = _name(group)
        digest = hashlib.sha512(document(name)).hexdigest().upper()
        paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest}"}
    return dump({"paths": paths})


def _name(group: str) -> str:
    return f"apis/{group}/v1" if group else "api/v1"


@cache
def document(name: str) -> bytes:
    """Return the document of ``api/v1`` or ``apis/<group>/v1``; raises 404."""
    group = next((g for g in ("", *GROUPS) if _name(g) == name), None)
    if group is None:
        raise no_such_path()
    paths: Json = {}
    for resource in in_group(group):
        paths |= _paths(resource)
    schemas = _closure([r.definition for r in in_group(group)])
    return dump(
        {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes (Urumi sandbox)", "version": "1.36"},
            "paths": paths,
            "components": {"schemas": schemas},
        }
    )


def _closure(roots: list[str]) -> Json:
    known, found = definitions(), {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = known[name]
            waiting += _references(known[name])
    return dict(sorted(found.items()))


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for item in schema for name in _references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix(_REFERENCE)] if "$ref" in schema else []
    return own + [name for item in schema.values() for name in _references(item)]


def _paths(resource: Resource) -> Json:
    middle = "/namespaces/{namespace}" if resource.namespaced else ""
    base = f"{resource.root}{middle}/{resource.plural}"
    write = [_parameter(n) for n in ("dryRun", "fieldManager", "fieldValidation")]
    item = {
        "get": _operation(resource, "get", []),
        "put": _operation(resource, "put", write, (_JSON,)),
        "patch": _operation(resource, "patch", [*write, _parameter("force")], _PATCHES),
        "delete": _operation(resource, "delete", [_parameter("dryRun")]),
    }
    collection = {
        "get": _operation(resource, "list", []),
        "post": _operation(resource, "post", write, (_JSON,)),
    }
    return {base: collection, f"{base}/{{name}}": item}


_JSON = "application/json"


def _parameter(name: str) -> Json:
    return {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}


def _operation(
    resource: Resource, action: str, parameters: list[Json], bodies: tuple[str, ...] = ()
) -> Json:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    schema = {"$ref": _REFERENCE + resource.definition}
    operation: Json = {
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": {_JSON: {"schema": schema}}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind,
    }
    if bodies:
        operation["requestBody"] = {"content": {b: {"schema": schema} for b in bodies}}
    return operation
