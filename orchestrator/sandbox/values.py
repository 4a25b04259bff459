"""JSON values as the sandbox holds them: plain dictionaries that nobody changes once stored.

Invariant: an object that storage has handed out is shared by every reader, so whoever wants to
change one takes a ``clone`` first.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def clone(value: Any) -> Any:
    """Return a deep copy of a JSON value; many times quicker than ``copy.deepcopy``."""
    if type(value) is dict:
        return {key: clone(item) for key, item in value.items()}
    if type(value) is list:
        return [clone(item) for item in value]
    return value


def dump(value: object) -> bytes:
    """Return the compact JSON text of a value; lone surrogates become U+FFFD."""
    return _COMPACT.encode(value).encode("utf-8", "replace")


def dig(value: Any, *path: str) -> Any:
    """Return what lies at the path of keys, or None where the path ends early."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def go_value(value: Any) -> str:
    """Return a value as Go's ``%v`` prints it, which some messages do."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{go_value(v)}" for k, v in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_value(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
