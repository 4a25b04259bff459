"""Following one store to an end: the event stream with resume, polling when it cannot be had.

Invariant: the stream is opened before the store is read, so no change falls between the two; what
is yielded is always a whole store document, so that a lost event only costs time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from orchestrator.cli.client import Api, ServerSentEvent, Unreachable, segment
from orchestrator.cli.exits import CliError, ExitCode
from orchestrator.model.kinds import Json

SILENCE: Final = 30.0
_LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True)
class Update:
    """News of the store: its document, or that it is gone, or one timeline entry."""

    store: Json | None = None
    gone: bool = False
    entry: Json | None = None


@dataclass
class Follower:
    """Follows ``store_id`` for at most ``timeout`` seconds.

    ``first`` is done once the stream stands, and answers with the store: what follows from it, be
    it ever so soon, is not missed.
    """

    api: Api
    store_id: str
    timeout: float
    first: Callable[[], Json] | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _last_id: str | None = field(default=None, init=False)
    _end: float = field(default=0.0, init=False)

    def until(self, done: Callable[[Update], bool], show: Callable[[Update], None]) -> Update:
        """Return the first update that is ``done``. Errors: CliError FAILED at the timeout."""
        self._end = self.clock() + self.timeout
        phase = "not answered for"
        with closing(self._updates()) as updates:
            for update in updates:
                show(update)
                phase = update.store["phase"] if update.store else phase
                if done(update):
                    return update
        if self.first is not None:
            raise CliError(
                f"{self.api.url} does not answer: nothing was asked of it", ExitCode.UNREACHABLE
            )
        raise CliError(
            f"{self.store_id} is still {phase} after {self.timeout:g} s; "
            "it goes on without this command",
            ExitCode.FAILED,
        )

    def _updates(self) -> Generator[Update]:
        pause = 0.1
        while self._left() > 0:
            try:
                yield from self._streamed()
                pause = 0.1
            except Unreachable:
                pause = min(pause * 2, _LONGEST_PAUSE)
            if self._left() <= 0:
                return
            self.sleep(min(pause, self._left()))
            yield from self._polled()

    def _streamed(self) -> Iterator[Update]:
        with self.api.stream(self._last_id, min(SILENCE, max(self._left(), 0.1))) as events:
            yield self._begin()
            for event in events:
                self._last_id = event.id or self._last_id
                update = self._of(event)
                if update is not None:
                    yield update
                if self._left() <= 0:
                    return

    def _begin(self) -> Update:
        if self.first is None:
            return self._read()
        first, self.first = self.first, None
        try:
            return Update(store=first())
        except Unreachable as exc:
            raise CliError(str(exc), exc.code) from exc  # for the caller: it is not done twice

    def _polled(self) -> Iterator[Update]:
        try:
            yield self._begin()
        except Unreachable:
            return

    def _read(self) -> Update:
        try:
            return Update(store=self.api.call("GET", f"/stores/{segment(self.store_id)}"))
        except CliError as exc:
            if exc.code is ExitCode.NOT_FOUND:
                return Update(gone=True)
            raise

    def _of(self, event: ServerSentEvent) -> Update | None:
        if event.name not in ("store", "deleted", "timeline"):
            return None
        data = json.loads(event.data)
        if event.name == "timeline":
            mine = self.store_id in (data.get("store"), data.get("storeId"))
            return Update(entry=data) if mine else None
        if data.get("id") != self.store_id:
            return None
        return Update(gone=True) if event.name == "deleted" else Update(store=data)

    def _left(self) -> float:
        return self._end - self.clock()


def tail(
    api: Api, store_id: str, after: int, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Json]:
    """Yield timeline entries after ``after`` as they come; ends when the store is gone."""
    while True:
        sleep(1.0)
        try:
            for entry in api.pages(f"/stores/{segment(store_id)}/events", {"after": after}):
                after = entry["seq"]
                yield entry
        except Unreachable:
            continue
        except CliError as exc:
            if exc.code is ExitCode.NOT_FOUND:
                return
            raise
