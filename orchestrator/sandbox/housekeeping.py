"""The loop behind the parts of a cluster that belong to the API server's own house.

Namespaces that begin and end, garbage collection and the use of quotas follow from events. Each
keeper is level-triggered: it looks at what is stored, so a restart only has to look once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.storage import Event, Storage

log = logging.getLogger(__name__)

Work = Callable[[], None]
_SLICE = 50
"""Pieces of work before other tasks get their turn."""


class Agenda:
    """Work to be done, each piece once however often it is asked for."""

    def __init__(self) -> None:
        self._waiting: dict[object, Work] = {}
        self._some = asyncio.Event()

    def add(self, key: object, work: Work) -> None:
        """Ask for a piece of work; the last of those with the same key is done."""
        self._waiting[key] = work
        self._some.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._some.wait()
            for _ in range(_SLICE):
                if not self._waiting:
                    self._some.clear()
                    break
                key = next(iter(self._waiting))
                _do(self._waiting.pop(key))
            await asyncio.sleep(0)


def _do(work: Work) -> None:
    """Do it; a refusal means that the world has moved on, and another event will follow."""
    try:
        work()
    except ApiError as error:
        if error.code not in (404, 409):
            log.warning("sandbox housekeeping: %s", error.message)


class Keeper:
    """Something that keeps a part of the house in order."""

    def start(self) -> None:
        """Look at everything once."""

    def hear(self, event: Event) -> None:
        """Note what an event asks for."""


async def keep_house(storage: Storage, keepers: Sequence[Keeper], agenda: Agenda) -> None:
    """Run the keepers until cancelled."""

    def hear(event: Event) -> None:
        for keeper in keepers:
            keeper.hear(event)

    stop = storage.listen(hear)
    try:
        for keeper in keepers:
            keeper.start()
        await agenda.run()
    finally:
        stop()
