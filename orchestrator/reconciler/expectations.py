"""What our own applies returned, until the watch has caught up with it.

The watch lags a moment behind a write. Without this, the next pass would take the missing news for
drift and send everything again. In memory only: after a restart the watch begins with a fresh list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from orchestrator.model.kinds import Json, ObjectRef

PATIENCE: Final = 10.0
"""Seconds after which the watch is believed over our own memory."""


class Expectations:
    """Remembers per store the objects that the server returned to us."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stores: dict[str, dict[ObjectRef, tuple[float, Json]]] = {}

    def remember(self, store_id: str, live: Mapping[ObjectRef, Json]) -> None:
        """Keep what an apply returned."""
        if live:
            until = self._clock() + PATIENCE
            mine = self._stores.setdefault(store_id, {})
            mine.update({ref: (until, obj) for ref, obj in live.items()})

    def forget(self, store_id: str) -> None:
        """Drop everything about a store."""
        self._stores.pop(store_id, None)

    def pending(self, store_id: str, seen: Mapping[ObjectRef, Json]) -> Mapping[ObjectRef, Json]:
        """Return what the watch has not shown yet, and drop what it has."""
        mine = self._stores.get(store_id)
        if not mine:
            return {}
        now = self._clock()
        for ref in [
            r for r, (until, obj) in mine.items() if now > until or _shown(seen.get(r), obj)
        ]:
            del mine[ref]
        if not mine:
            self.forget(store_id)
        return {ref: obj for ref, (_, obj) in mine.items()}


def _shown(seen: Json | None, expected: Json) -> bool:
    if seen is None:
        return False
    ours, theirs = _version(expected), _version(seen)
    return theirs >= ours if theirs and ours else True


def _version(obj: Json) -> int:
    """Resource versions of built-in kinds are comparable numbers (KEP-5504)."""
    text = str(obj.get("metadata", {}).get("resourceVersion", ""))
    return int(text) if text.isdigit() else 0
