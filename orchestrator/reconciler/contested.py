"""Objects that somebody changes back as often as we put them back.

Two managers that fight would do so at full speed: each write wakes the other. After a few rounds we
put the object back ever more rarely, and say so once. In memory only: a restart begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from orchestrator.model.kinds import ObjectRef

PATIENCE: Final = 3
"""Put-backs in a row that come at once and are told one by one."""
LONGEST: Final = 60.0
"""Most seconds between two put-backs of a contested object."""
_FORGET: Final = 4 * LONGEST


class Contested:
    """Counts put-backs by store and object."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stores: dict[str, dict[ObjectRef, tuple[int, float]]] = {}

    def wait(self, store_id: str, ref: ObjectRef) -> float:
        """Return the seconds until the object may be put back again; 0 is now."""
        count, last = self._streak(store_id, ref)
        if count < PATIENCE:
            return 0.0
        pause = min(LONGEST, float(2 ** min(count - PATIENCE, 10)))
        return max(0.0, last + pause - self._clock())

    def put_back(self, store_id: str, ref: ObjectRef) -> int:
        """Note a put-back; return how many there have been in a row."""
        count = self._streak(store_id, ref)[0] + 1
        self._stores.setdefault(store_id, {})[ref] = (count, self._clock())
        return count

    def is_contested(self, store_id: str, ref: ObjectRef) -> bool:
        """Whether the object was put back more often in a row than is told one by one."""
        return self._streak(store_id, ref)[0] > PATIENCE

    def forget(self, store_id: str) -> None:
        """Drop everything about a store."""
        self._stores.pop(store_id, None)

    def _streak(self, store_id: str, ref: ObjectRef) -> tuple[int, float]:
        count, last = self._stores.get(store_id, {}).get(ref, (0, 0.0))
        return (count, last) if self._clock() - last < _FORGET else (0, 0.0)
