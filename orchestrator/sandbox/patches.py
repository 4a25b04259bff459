"""The three patches besides server-side apply: JSON merge, JSON and strategic merge.

Each takes the object and the patch and returns a new object; neither argument is changed.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.errors import ApiError, bad_request, internal
from orchestrator.sandbox.schema import Field, Shape, Type
from orchestrator.sandbox.values import clone, go_value

_GONE: Any = object()


def merge_patch(value: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    out = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            out.pop(key, None)
        else:
            out[key] = merge_patch(out.get(key), change)
    return out


def unprocessable() -> ApiError:
    """422 for a JSON patch that is well-formed but cannot be applied."""
    message = "the server rejected our request due to an error in our request"
    return ApiError(422, "Invalid", message, {})


def json_patch(value: Any, steps: Any) -> Any:
    """Apply a JSON patch (RFC 6902), all of it or nothing."""
    if not isinstance(steps, list) or not all(isinstance(s, dict) for s in steps):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type "
            "[]handlers.jsonPatchOp"
        )
    out = clone(value)
    for step in steps:
        out = _step(out, step)
    return out


def _step(value: Any, step: dict[str, Any]) -> Any:
    operation, path = step.get("op"), _pointer(step.get("path"))
    if operation in ("add", "replace", "test") and "value" not in step:
        raise unprocessable()
    if operation == "test":
        if _look(value, path) != step["value"]:
            raise unprocessable()
        return value
    if operation in ("move", "copy"):
        source = _pointer(step.get("from"))
        found = clone(_look(value, source))
        value = _put(value, source, _GONE) if operation == "move" else value
        return _put(value, path, found)
    if operation == "remove":
        return _put(value, path, _GONE)
    if operation == "replace":
        return _put(value, path, clone(step["value"]), replace=True)
    if operation == "add":
        return _put(value, path, clone(step["value"]))
    raise unprocessable()


def _pointer(text: object) -> list[str]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise unprocessable()
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _look(value: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise unprocessable()
    return value


def _put(root: Any, path: list[str], item: Any, *, replace: bool = False) -> Any:
    """Set, insert or (with ``_GONE``) remove what is at the path, in place."""
    if not path:
        return None if item is _GONE else item
    parent, last = _look(root, path[:-1]), path[-1]
    if isinstance(parent, dict):
        if item is not _GONE:
            parent[last] = item
        elif last in parent:
            del parent[last]
        else:
            raise unprocessable()
        return root
    if not isinstance(parent, list) or not (last == "-" or last.isdigit()):
        raise unprocessable()
    at = len(parent) if last == "-" else int(last)
    if at > len(parent) or (at == len(parent) and (replace or item is _GONE)):
        raise unprocessable()
    if item is _GONE:
        del parent[at]
    elif replace:
        parent[at] = item
    else:
        parent.insert(at, item)
    return root


def strategic_patch(kind: Type, value: Any, patch: Any) -> Any:
    """Apply a strategic merge patch: lists merge by the key that their type names."""
    if not isinstance(patch, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}"
        )
    return _merge(kind, value, patch)


def _merge(kind: Type | None, value: Any, patch: dict[str, Any]) -> Any:
    directive = patch.get("$patch")
    if directive == "replace":
        return {k: clone(v) for k, v in patch.items() if k != "$patch"}
    if directive == "delete":
        return {}
    out = dict(value) if isinstance(value, dict) else {}
    if "$retainKeys" in patch:
        out = {k: v for k, v in out.items() if k in patch["$retainKeys"]}
    for key, change in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            out[name] = [item for item in out.get(name) or () if item not in change]
        elif not key.startswith("$"):
            _merge_field(kind, out, key, change)
    for key, order in patch.items():
        if key.startswith("$setElementOrder/"):
            name = key.partition("/")[2]
            known = kind.fields.get(name) if kind else None
            if isinstance(out.get(name), list):
                out[name] = _ordered(out[name], order, known.merge_key if known else "")
    return out


def _merge_field(kind: Type | None, out: dict[str, Any], key: str, change: Any) -> None:
    known = kind.fields.get(key) if kind else None
    if change is None:
        out.pop(key, None)
    elif isinstance(change, list) and known is not None and "merge" in known.strategy:
        if key in out:
            out[key] = _merge_list(known, out[key], change)
        else:
            out[key] = [clone(c) for c in change if not _is_directive(c)]
    elif isinstance(change, dict) and not (known is not None and "replace" in known.strategy):
        inner = known.type if known else (kind.element if kind else None)
        plain = inner is None or inner.shape in (Shape.STRUCT, Shape.MAP, Shape.ANY)
        out[key] = _merge(inner, out.get(key), change) if plain else clone(change)
    else:
        out[key] = clone(change)


def _is_directive(item: Any) -> bool:
    return isinstance(item, dict) and "$patch" in item


def _merge_list(known: Field, old: list[Any], change: list[Any]) -> list[Any]:
    if not known.merge_key:
        return _in_order([*old, *(item for item in change if item not in old)], change, old, "")
    if any(isinstance(c, dict) and c.get("$patch") == "replace" for c in change):
        return [clone(c) for c in change if c.get("$patch") != "replace"]
    out = list(old)
    for item in change:
        _merge_entry(known, out, item)
    sent = [item for item in change if not _is_directive(item)]
    return _in_order(out, sent, old, known.merge_key)


def _known_by(item: Any, key: str) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item


def _in_order(merged: list[Any], sent: list[Any], old: list[Any], key: str) -> list[Any]:
    """Return the merged entries: those that were sent before the others, unless these led them.

    Counterpart of ``mergeSortedSlice`` in ``k8s.io/apimachinery/pkg/util/strategicpatch``.
    """
    order = [_known_by(item, key) for item in sent]
    places = [_known_by(item, key) for item in old]
    patched = sorted(
        (m for m in merged if _known_by(m, key) in order),
        key=lambda m: order.index(_known_by(m, key)),
    )
    others = [m for m in merged if _known_by(m, key) not in order]
    out: list[Any] = []
    while patched and others:
        ours, theirs = (_known_by(part[0], key) for part in (patched, others))
        led = ours in places and places.index(theirs) < places.index(ours)
        out.append((others if led else patched).pop(0))
    return out + patched + others


def _merge_entry(known: Field, out: list[Any], item: Any) -> None:
    key = known.merge_key
    if not isinstance(item, dict) or key not in item:
        raise internal(f"map: {go_value(item)} does not contain declared merge key: {key}")
    at = next((n for n, o in enumerate(out) if o.get(key) == item[key]), None)
    if item.get("$patch") == "delete":
        if at is not None:
            del out[at]
    elif at is None:
        out.append(_merge(known.type.element, {}, item))
    else:
        out[at] = _merge(known.type.element, out[at], item)


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Return the items in the order that the patch asks for; others stay behind their neighbour."""
    ranks = {_known_by(item, key): rank for rank, item in enumerate(order)}
    listed = iter(
        sorted(
            (i for i in items if _known_by(i, key) in ranks),
            key=lambda i: ranks[_known_by(i, key)],
        )
    )
    return [next(listed) if _known_by(item, key) in ranks else item for item in items]
