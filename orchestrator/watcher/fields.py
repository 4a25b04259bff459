"""Reading live objects without trusting their shape.

Why: health is judged on whatever a cluster sends, at every change, for every store; one odd object
must never stop the judging. Invariant: no function here raises on anything that JSON can hold, and
every text that leaves is bounded, of one line, and free of control characters and surrogates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from orchestrator.model.kinds import Json

LONGEST: Final = 500
_DROPPED: Final = frozenset(("Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn"))


def mapping(value: Any) -> Json:
    """Return ``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Json]:
    """Return the objects in ``value`` if it is a list, else nothing."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """Return the strings in ``value`` if it is a list, else nothing."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return ``value`` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def number(value: Any, default: int = 0) -> int:
    """Return ``value`` if it is an integer, else ``default``."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def dig(obj: Any, *path: str) -> Any:
    """Return what lies at ``path``, or None."""
    for key in path:
        obj = mapping(obj).get(key)
    return obj


def meta(obj: Json) -> Json:
    """Return the object's metadata."""
    return mapping(obj.get("metadata"))


def labels(obj: Json) -> Json:
    """Return the object's labels."""
    return mapping(meta(obj).get("labels"))


def spec(obj: Json) -> Json:
    """Return the object's spec."""
    return mapping(obj.get("spec"))


def status(obj: Json) -> Json:
    """Return the object's status."""
    return mapping(obj.get("status"))


def name_of(obj: Json) -> str:
    """Return the object's name, or an empty string."""
    return text(meta(obj).get("name"))


def identity(obj: Json) -> str:
    """Return ``Kind/namespace/name`` as far as it is known."""
    parts = (text(obj.get("kind")), text(meta(obj).get("namespace")), name_of(obj))
    return clean("/".join(part for part in parts if part), 200)


def conditions(obj: Json) -> Iterator[Json]:
    """Yield the object's conditions."""
    return iter(mappings(status(obj).get("conditions")))


def condition(obj: Json, kind: str) -> Json:
    """Return the object's condition of that type, or an empty object."""
    return next((c for c in conditions(obj) if c.get("type") == kind), {})


def observed(obj: Json) -> bool:
    """Tell whether the status speaks of the present spec (metadata.generation was observed)."""
    return number(status(obj).get("observedGeneration")) >= number(meta(obj).get("generation"))


def clean(value: Any, longest: int = LONGEST) -> str:
    """Return ``value`` as one bounded line that is safe to store and to show."""
    raw = text(value)[: 4 * longest]
    line = "".join(" " if unicodedata.category(c) in _DROPPED else c for c in raw)
    line = " ".join(line.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
