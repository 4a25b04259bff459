"""The rounds: every contestant has a turn in each, in an order that rotates.

Nothing but a contestant's own work is timed. Between two turns the stores of the first are removed
and the controllers come to rest, so nobody pays for what another one left.
"""

from __future__ import annotations

import contextlib
import secrets
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from tests.bench.counts import Counts
from tests.ground import Ground


@dataclass(frozen=True)
class Plan:
    """How much of everything. ``single`` stores alone, and ``burst`` at once, in each turn."""

    rounds_alone: int = 5
    single: int = 3
    rounds_burst: int = 3
    burst: int = 30


class Contestant(Protocol):
    """Whoever brings stores into the cluster; times are seconds."""

    name: str

    def begin(self) -> None:
        """Get ready; not timed."""

    def end(self) -> None:
        """Leave."""

    def install(self, store_ids: Sequence[str]) -> float:
        """Bring up stores that are not there."""

    def again(self, store_ids: Sequence[str]) -> float:
        """Look at stores again that are unchanged."""


@dataclass
class Times:
    """One contestant's seconds, a number a round; ``writes`` are those of unchanged stores."""

    alone: list[float] = field(default_factory=list)
    burst: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    per_store: list[float] = field(default_factory=list)


class Rounds:
    """Runs them all."""

    def __init__(self, ground: Ground, contestants: Sequence[Contestant], plan: Plan) -> None:
        assert ground.api is not None
        self._ground = ground
        self._contestants = contestants
        self._plan = plan
        self._counts = Counts(ground.api)
        self.times: Final = {c.name: Times() for c in contestants}

    def run(self) -> None:
        """Run all rounds, those alone first."""
        for number in range(self._plan.rounds_alone):
            for contestant in self._in_turn(number):
                self._alone(contestant)
        for number in range(self._plan.rounds_burst):
            for contestant in self._in_turn(number):
                self._burst(contestant)

    def _in_turn(self, number: int) -> Sequence[Contestant]:
        first = number % len(self._contestants)
        return [*self._contestants[first:], *self._contestants[:first]]

    @contextlib.contextmanager
    def _turn(self, contestant: Contestant) -> Iterator[None]:
        with self._ground.cleaned():
            contestant.begin()
            try:
                # Connections, caches and whatever else a first time takes.
                contestant.install(_fresh(1))
                self._counts.settle()
                yield
            finally:
                contestant.end()
        self._counts.settle()

    def _alone(self, contestant: Contestant) -> None:
        seconds = []
        with self._turn(contestant):
            for store_id in _fresh(self._plan.single):
                seconds.append(contestant.install([store_id]))
                self._counts.settle()
        self.times[contestant.name].alone.append(statistics.median(seconds))
        _say("alone", contestant.name, f"{statistics.median(seconds) * 1000:.0f} ms")

    def _burst(self, contestant: Contestant) -> None:
        ids, times = _fresh(self._plan.burst), self.times[contestant.name]
        with self._turn(contestant):
            before = self._counts.writes()
            times.burst.append(contestant.install(ids))
            self._counts.settle()
            between = self._counts.writes()
            times.again.append(contestant.again(ids))
            self._counts.settle()
            times.per_store.append((between - before) / len(ids))
            times.writes.append(self._counts.writes() - between)
        rate = len(ids) / times.burst[-1]
        again = f"again {times.again[-1]:.2f} s with {times.writes[-1]} writes"
        _say("burst", contestant.name, f"{rate:.1f} stores/s, {again}")


def _fresh(count: int) -> list[str]:
    run = secrets.token_hex(3)
    return [f"bench-{run}-{number:02}" for number in range(count)]


def _say(what: str, who: str, found: str) -> None:
    print(f"{what:6} {who:12} {found}", flush=True)
