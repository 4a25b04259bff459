"""What operators see of everything at once, and the sampler of its short past."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from orchestrator.model.errors import RecordsError
from orchestrator.model.kinds import Json
from orchestrator.model.overview import ClusterSight, Overview, Room, Sample
from orchestrator.model.people import Principal
from orchestrator.model.plans import PLANS
from orchestrator.model.quantities import number_of
from orchestrator.records import Records
from orchestrator.service.people import admins_only
from orchestrator.telemetry import get_logger

EVERY: Final = 60.0
CAPACITY_KEPT: Final = 30.0
SHOWN: Final = 200
FAILURES: Final = 20
T = TypeVar("T")
log = get_logger("service")


class Overviews:
    """Reads and samples.

    ``look`` says what the cluster looks like, ``capacity`` what its nodes have, for which all of
    them are listed: it is asked every half minute at most. Neither raises.
    """

    def __init__(
        self,
        records: Records,
        look: Callable[[], Awaitable[ClusterSight]],
        capacity: Callable[[], Awaitable[Room | None]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._look = look
        self._capacity = _Kept(capacity, CAPACITY_KEPT, clock)

    async def get(self, principal: Principal) -> Overview:
        """Return the overview. Errors: Forbidden."""
        admins_only(principal)
        records = self._records
        present, allocatable, plans, provisioned, failures, past = await asyncio.gather(
            self._present(),
            self._capacity.get(),
            records.stores.counts_by_plan(),
            records.revisions.provisioned(SHOWN),
            records.revisions.failures(FAILURES),
            records.samples.all(),
        )
        return Overview(
            stores=present.stores,
            due=present.due,
            queue_age=present.queue_age,
            sight=present.sight,
            requested=requested(plans),
            allocatable=allocatable,
            provisioned=tuple(provisioned),
            failures=tuple(failures),
            history=tuple(_sample(at, told) for at, told in past),
        )

    async def sample(self) -> None:
        """Keep one sample."""
        present = await self._present()
        told: Json = {
            "stores": present.stores,
            "due": present.due,
            "queueAge": round(present.queue_age, 3),
            "latency": present.sight.latency,
            "staleness": round(max(present.sight.staleness.values(), default=0.0), 3),
        }
        await self._records.samples.add(told)

    async def _present(self) -> _Present:
        counts, depth, sight = await asyncio.gather(
            self._records.stores.counts_by_phase(), self._records.claims.depth(), self._look()
        )
        return _Present({str(phase): count for phase, count in counts.items()}, *depth, sight)

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            try:
                await self.sample()
            except RecordsError as exc:
                log.warning("the overview has a gap: records do not answer", error=str(exc))
            await asyncio.sleep(EVERY)


@dataclass(frozen=True)
class _Present:
    """What an overview and a sample have in common."""

    stores: dict[str, int]
    due: int
    queue_age: float
    sight: ClusterSight


class _Kept(Generic[T]):
    """An answer that is kept for some seconds; who asks meanwhile waits for the same one."""

    def __init__(
        self, ask: Callable[[], Awaitable[T]], lasts: float, clock: Callable[[], float]
    ) -> None:
        self._ask = ask
        self._lasts = lasts
        self._clock = clock
        self._lock = asyncio.Lock()
        self._found: tuple[float, T] | None = None

    async def get(self) -> T:
        async with self._lock:
            if self._found is None or self._clock() - self._found[0] >= self._lasts:
                self._found = self._clock(), await self._ask()
            return self._found[1]


def requested(plans: dict[str, int]) -> Room:
    """Return what stores request together, by how many there are of each plan."""
    cpu, memory = 0.0, 0.0
    for name, count in plans.items():
        for share in (PLANS[name].wordpress, PLANS[name].mysql):
            cpu += count * number_of(share.cpu_request)
            memory += count * number_of(share.memory_request)
    return Room(round(cpu, 3), int(memory))


def _sample(at: datetime, told: Json) -> Sample:
    return Sample(
        at,
        told["stores"],
        told["due"],
        told["queueAge"],
        told["latency"],
        told.get("staleness"),  # samples of an earlier version have none
    )
