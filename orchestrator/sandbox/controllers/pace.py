"""How long simulated things take.

Times are seconds at speed 1; the speed is a factor on them, 0 is at once. Where a step began is
kept in memory only: after a restart the step that was under way takes its time again.
"""

from __future__ import annotations

import time
from typing import Final

SCHEDULE: Final = 0.2
PULL: Final = 0.8
INIT: Final = 1.0
START: Final = 1.5
START_DATABASE: Final = 3.0
COMPLETE: Final = 1.0
CRASH: Final = 0.5
STOP: Final = 0.5
BIND: Final = 0.1


class Pace:
    """The clock of the steps of each object."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._due: dict[str, dict[str, float]] = {}

    def remaining(self, uid: str, step: str, seconds: float) -> float:
        """Return the seconds until the step of the object is over; it begins when first asked."""
        return self._remaining(uid, step, seconds * self._speed)

    def back_off(self, uid: str, step: str, seconds: float) -> float:
        """Like ``remaining``, for what would spin if it took no time: never quicker than 3 s."""
        factor = self._speed or 1.0
        return self._remaining(uid, step, max(3.0, seconds * factor))

    def _remaining(self, uid: str, step: str, seconds: float) -> float:
        if seconds <= 0:
            return 0.0
        now = time.monotonic()
        due = self._due.setdefault(uid, {}).setdefault(step, now + seconds)
        return max(0.0, due - now)

    def forget(self, uid: str) -> None:
        """Forget an object."""
        self._due.pop(uid, None)
