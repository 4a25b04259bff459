"""LimitRange admission: what a container gets when it does not say, and what it may ask for.

Follows the admission plugin LimitRanger.
"""

from __future__ import annotations

from orchestrator.sandbox import errors, resources
from orchestrator.sandbox.amounts import Amounts, pod_amounts
from orchestrator.sandbox.operation import Operation
from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.values import Json, dig

_ANNOTATION = "kubernetes.io/limit-ranger"


def _items(storage: Storage, operation: Operation) -> list[Json]:
    found = storage.items(resources.of("LimitRange"), operation.namespace)
    return [item for obj in found for item in obj["spec"].get("limits") or ()]


def fill_limits(storage: Storage, operation: Operation) -> None:
    """Give the containers of a new pod the defaults of its namespace, in place."""
    if operation.resource.kind != "Pod" or operation.old is not None:
        return
    default: Amounts = {}
    request: Amounts = {}
    for item in _items(storage, operation):
        if item.get("type") == "Container":
            default |= item.get("default") or {}
            request |= item.get("defaultRequest") or {}
    if not default and not request:
        return
    notes = []
    spec = operation.new["spec"]
    for word, key in (("container", "containers"), ("init container", "initContainers")):
        for container in spec.get(key) or ():
            notes += _fill(container, word, default, request)
    if notes:
        annotations = operation.new["metadata"].setdefault("annotations", {})
        annotations[_ANNOTATION] = "LimitRanger plugin set: " + "; ".join(notes)


def _fill(container: Json, word: str, default: Amounts, request: Amounts) -> list[str]:
    found = container.setdefault("resources", {})
    notes = []
    for part, singular, amounts in (("requests", "request", request), ("limits", "limit", default)):
        missing = {k: v for k, v in amounts.items() if k not in (found.get(part) or {})}
        if missing:
            found[part] = (found.get(part) or {}) | missing
            names = ", ".join(sorted(missing))
            notes.append(f"{names} {singular} for {word} {container['name']}")
    return notes


def check_limits(storage: Storage, operation: Operation) -> None:
    """Refuse a pod or claim that asks for too little or too much; raises 403."""
    kind = operation.resource.kind
    if kind not in ("Pod", "PersistentVolumeClaim") or operation.options.subresource:
        return
    if kind == "Pod" and operation.old is not None:
        return
    wrong = [
        text for item in _items(storage, operation) for text in _wrong(item, kind, operation.new)
    ]
    if wrong:
        text = wrong[0] if len(wrong) == 1 else "[" + ", ".join(dict.fromkeys(wrong)) + "]"
        raise errors.forbidden(operation.resource, operation.name, text)


def _wrong(item: Json, kind: str, obj: Json) -> list[str]:
    spec, scope = obj["spec"], item.get("type", "")
    if kind == "PersistentVolumeClaim":
        if scope != kind:
            return []
        requests = dig(spec, "resources", "requests") or {}
        return _bounds(item, scope, requests, None)
    if scope == "Pod":
        amounts = (pod_amounts(spec, part) for part in ("requests", "limits"))
        return _bounds(item, scope, *amounts)
    found: list[str] = []
    if scope == "Container":
        for key in ("containers", "initContainers"):
            for container in spec.get(key) or ():
                has = container.get("resources") or {}
                found += _bounds(item, scope, has.get("requests") or {}, has.get("limits") or {})
    return found


def _bounds(item: Json, scope: str, requests: Amounts, asked: Amounts | None) -> list[str]:
    """Return what is out of bounds; ``asked`` are the limits, None where there cannot be any."""
    found = []
    limits = asked or {}
    for name, bound in (item.get("min") or {}).items():
        found.append(_too_low(scope, name, bound, requests.get(name), limits.get(name)))
    for name, bound in (item.get("max") or {}).items():
        if asked is None:
            found.append(_too_large(scope, name, bound, requests.get(name, "0")))
        else:
            found.append(_too_high(scope, name, bound, requests.get(name), limits.get(name)))
    for name, bound in (item.get("maxLimitRequestRatio") or {}).items():
        found.append(_ratio(scope, name, bound, requests.get(name), limits.get(name)))
    return [text for text in found if text]


def _too_low(scope: str, name: str, bound: str, request: str | None, limit: str | None) -> str:
    start = f"minimum {name} usage per {scope} is {bound}"
    if request is None:
        return f"{start}.  No request is specified"
    if value_of(request) < value_of(bound):
        return f"{start}, but request is {request}"
    if limit is not None and value_of(limit) < value_of(bound):
        return f"{start}, but limit is {limit}"
    return ""


def _too_high(scope: str, name: str, bound: str, request: str | None, limit: str | None) -> str:
    start = f"maximum {name} usage per {scope} is {bound}"
    if limit is None:
        return f"{start}.  No limit is specified"
    if value_of(limit) > value_of(bound):
        return f"{start}, but limit is {limit}"
    if request is not None and value_of(request) > value_of(bound):
        return f"{start}, but request is {request}"
    return ""


def _too_large(scope: str, name: str, bound: str, request: str) -> str:
    if value_of(request) <= value_of(bound):
        return ""
    return f"maximum {name} usage per {scope} is {bound}, but request is {request}"


def _ratio(scope: str, name: str, bound: str, request: str | None, limit: str | None) -> str:
    start = f"{name} max limit to request ratio per {scope} is {bound}"
    if request is None or not value_of(request):
        return f"{start}, but no request is specified or request is 0"
    if limit is None or not value_of(limit):
        return f"{start}, but no limit is specified or limit is 0"
    ratio = value_of(limit) / value_of(request)
    return f"{start}, but provided ratio is {ratio:.6f}" if ratio > value_of(bound) else ""
