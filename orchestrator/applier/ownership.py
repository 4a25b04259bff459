"""Field ownership as ``metadata.managedFields`` states it (fieldsV1 of structured-merge-diff).

Pure. A field set is a tree whose keys are ``f:<field>``, ``k:<json key of a list item>``,
``v:<json value of a set>``, ``i:<index>`` and ``.`` (the node itself); an empty node is a whole
value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import orjson

from orchestrator.model.kinds import Json
from orchestrator.model.names import FIELD_MANAGER

_ABSENT: Final = object()


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    try:
        data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # lone surrogates and numbers beyond 64 bits; the bytes are the same else
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        data = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()


def our_fields(live: Json) -> Json | None:
    """Return the field set that our applies own, or None."""
    for entry in live.get("metadata", {}).get("managedFields") or []:
        if (
            entry.get("manager") == FIELD_MANAGER
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
        ):
            fields: Json = entry.get("fieldsV1") or {}
            return fields
    return None


def live_digest(live: Json) -> str:
    """Digest our fields as the server holds them, with the field set; empty when we own none.

    It changes when somebody changes a value of ours, takes it over or removes it, and does not when
    others write fields of their own.
    """
    fields = our_fields(live)
    if fields is None:
        return ""
    return digest([fields, _project(live, fields)])


def _project(value: Any, fields: Json) -> Any:
    if not fields:
        return value
    picked: Json = {}
    for key, below in fields.items():
        child = value if key == "." else _child(value, key)
        if child is not _ABSENT:
            picked[key] = True if key == "." else _project(child, below)
    return picked


def _child(value: Any, key: str) -> Any:
    kind, _, rest = key.partition(":")
    if kind == "f":
        return value.get(rest, _ABSENT) if isinstance(value, dict) else _ABSENT
    if not isinstance(value, list):
        return _ABSENT
    wanted = _item(rest)
    if kind == "k":
        return next((item for item in value if _has_key(item, wanted)), _ABSENT)
    if kind == "i":
        return value[wanted] if wanted < len(value) else _ABSENT
    return wanted if wanted in value else _ABSENT


@lru_cache(maxsize=4096)
def _item(text: str) -> Any:
    """Read a key, value or index; the same few of them come again with every object."""
    return json.loads(text)


def _has_key(item: Any, wanted: Json) -> bool:
    # A key that a manifest leaves to its default (a port's protocol) matches.
    return isinstance(item, dict) and all(item.get(k, v) == v for k, v in wanted.items())


def foreign_changes(sent: Json, live: Json) -> list[tuple[str, str]]:
    """Return (field, manager) of what we send and somebody else holds with another value.

    The newest writer comes first. Field paths read as the API writes them: ``.spec.replicas``.
    """
    entries = [
        e
        for e in live.get("metadata", {}).get("managedFields") or []
        if e.get("manager") != FIELD_MANAGER
    ]
    found: list[tuple[str, str]] = []
    for entry in sorted(entries, key=lambda e: str(e.get("time") or ""), reverse=True):
        for path in _leaves(entry.get("fieldsV1") or {}):
            ours, theirs = _at(sent, path), _at(live, path)
            if ours is not _ABSENT and ours != theirs:
                found.append((_text(path), str(entry.get("manager") or "unknown")))
    return found


def missing(sent: Json, live: Json) -> list[str]:
    """Return the fields of the manifest that the live object lacks."""
    return [path for path in _paths(sent, live, "") if not path.startswith(".metadata.namespace")]


def _paths(sent: Any, live: Any, at: str) -> Iterator[str]:
    if not isinstance(sent, dict) or not isinstance(live, dict):
        return
    for name, value in sent.items():
        if name not in live:
            yield f"{at}.{name}"
        else:
            yield from _paths(value, live[name], f"{at}.{name}")


def _leaves(fields: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, below in fields.items():
        if key != ".":
            if below and set(below) != {"."}:
                yield from _leaves(below, (*path, key))
            else:
                yield (*path, key)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = _child(value, key)
        if value is _ABSENT:
            return _ABSENT
    return value


def _text(path: tuple[str, ...]) -> str:
    parts = []
    for key in path:
        kind, _, rest = key.partition(":")
        if kind == "f":
            parts.append(f".{rest}")
        elif kind == "k":
            inner = ",".join(f"{k}={json.dumps(v)}" for k, v in json.loads(rest).items())
            parts.append(f"[{inner}]")
        else:
            parts.append(f"[{rest}]")
    return "".join(parts)
