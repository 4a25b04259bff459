"""Times of one run, and what is said of them: ratios within a round, never across rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int = 2) -> str:
        """Return ``median (least … most)``."""
        return f"{self.median:.{digits}f} ({self.least:.{digits}f} … {self.most:.{digits}f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Return how ``ours`` compares to ``theirs``, round by round.

    The machine is faster in one round and slower in the next; inside a round it is nearly the same.
    """
    return Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])
