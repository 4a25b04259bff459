"""What operators see of everything at once, and the sampler of its short past."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

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
SHOWN: Final = 200
FAILURES: Final = 20
log = get_logger("service")


class Overviews:
    """Reads and samples. ``look`` says what the cluster looks like; it never raises."""

    def __init__(self, records: Records, look: Callable[[], Awaitable[ClusterSight]]) -> None:
        self._records = records
        self._look = look

    async def get(self, principal: Principal) -> Overview:
        """Return the overview. Errors: Forbidden."""
        admins_only(principal)
        records = self._records
        counts, depth, sight = await asyncio.gather(
            records.stores.counts_by_phase(), records.claims.depth(), self._look()
        )
        plans, provisioned, failures, past = await asyncio.gather(
            records.stores.counts_by_plan(),
            records.revisions.provisioned(SHOWN),
            records.revisions.failures(FAILURES),
            records.samples.all(),
        )
        return Overview(
            stores={str(phase): count for phase, count in counts.items()},
            due=depth[0],
            queue_age=depth[1],
            sight=sight,
            requested=requested(plans),
            provisioned=tuple(provisioned),
            failures=tuple(failures),
            history=tuple(_sample(time, told) for time, told in past),
        )

    async def sample(self) -> None:
        """Keep one sample."""
        counts, depth, sight = await asyncio.gather(
            self._records.stores.counts_by_phase(), self._records.claims.depth(), self._look()
        )
        told: Json = {
            "stores": {str(phase): count for phase, count in counts.items()},
            "due": depth[0],
            "queueAge": round(depth[1], 3),
            "latency": sight.latency,
        }
        await self._records.samples.add(told)

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            try:
                await self.sample()
            except RecordsError as exc:
                log.warning("the overview has a gap: records do not answer", error=str(exc))
            await asyncio.sleep(EVERY)


def requested(plans: dict[str, int]) -> Room:
    """Return what stores request together, by how many there are of each plan."""
    cpu, memory = 0.0, 0.0
    for name, count in plans.items():
        for share in (PLANS[name].wordpress, PLANS[name].mysql):
            cpu += count * number_of(share.cpu_request)
            memory += count * number_of(share.memory_request)
    return Room(round(cpu, 3), int(memory))


def _sample(time: datetime, told: Json) -> Sample:
    return Sample(time, told["stores"], told["due"], told["queueAge"], told["latency"])
