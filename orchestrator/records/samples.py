"""The overview's short past: one sample a minute, kept for a day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select

from orchestrator.model.kinds import Json
from orchestrator.records.rows import dumped, moment
from orchestrator.records.session import Engine, Session
from orchestrator.records.tables import samples

MINUTE: Final = 60 * 1_000_000
KEPT: Final = timedelta(days=1)


class Samples:
    """Adds and reads samples."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, sample: Json) -> None:
        """Keep a sample for this minute, unless another process has; drop those of yesterday."""

        async def work(session: Session) -> None:
            await session.queue_up()
            minute = session.now - session.now % MINUTE
            oldest = minute - KEPT // timedelta(microseconds=1)
            await session.run(delete(samples).where(samples.c.time < oldest))
            if await session.one(select(samples.c.time).where(samples.c.time == minute)) is None:
                await session.run(insert(samples).values(time=minute, sample=dumped(sample)))

        await self._engine.write(work)

    async def all(self) -> Sequence[tuple[datetime, Json]]:
        """Return the samples that are kept, oldest first."""
        rows = await self._engine.all(select(samples).order_by(samples.c.time))
        return [(moment(row["time"]), json.loads(row["sample"])) for row in rows]
