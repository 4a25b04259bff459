"""The event stream: one reader of the feed per process, any number of clients.

Why a ring: the reader renders every change once and keeps the newest ones; a client holds nothing
but its position. One that is slow, or that resumes, is behind the ring and reads pages of the feed
from the database until it has caught up, at its own pace. So memory is bounded, nobody polls, and
no client can lose anything.

Why credentials are looked at again: a session expires, and a token may be revoked by another
process, which cannot ring our bell. One look a keep-alive serves all streams of a credential.

Invariants: events reach a client in rising order of their ids; an id that was sent means that every
change up to it that the client may see was sent (see service/changes.py).
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, cast

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from orchestrator.api.problems import Problem
from orchestrator.api.wire import entry_document, store_document
from orchestrator.model.errors import RecordsError, RecordsUnavailable
from orchestrator.model.kinds import Json
from orchestrator.model.people import Principal
from orchestrator.model.store import Store
from orchestrator.service import Change, Changes
from orchestrator.telemetry import get_logger

RING: Final = 2000
KEEP_ALIVE: Final = 15.0
SEND_TIMEOUT: Final = 30.0
STREAMS_PER_TOKEN: Final = 64
MOST_RELAYS: Final = 12
"""Each holds connections to the API server, of which the watch must always find some."""
_PATIENCE: Final = 15.0
_RETRY: Final = 1.0
_GRACE: Final = 0.5
_START: Final = 2.0
log = get_logger("api")


@dataclass(frozen=True)
class _Event:
    seq: int
    owner: str
    message: ServerSentEvent


class _Stream(EventSourceResponse):
    """A stream whose client may stop reading: it is dropped, and comes back with its last id."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, the client's or ours."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("a stream ends: its client does not read", seconds=self.send_timeout)


@dataclass(frozen=True)
class _Closing:
    """Stands in for the event that a stream sets when the server stops: all streams end whole."""

    feed: Feed

    def set(self) -> None:
        self.feed.close()


class Feed:
    """Reads the feed once and fans it out."""

    def __init__(
        self,
        changes: Changes,
        url_of: Callable[[Store], str],
        is_in: Callable[[Principal], Awaitable[bool]],
        *,
        ring: int = RING,
        look_every: float = KEEP_ALIVE,
    ) -> None:
        self._changes = changes
        self._url_of = url_of
        self._is_in = is_in
        self._size = ring
        self._look_every = look_every
        self._ring: deque[_Event] = deque()
        self._floor = 0  # the ring holds every change in (floor, cursor]
        self._cursor = -1  # negative until the reader has started
        self._news = asyncio.Event()
        self._started = asyncio.Event()
        self._closed = False
        self._streams: Counter[Principal] = Counter()
        self._revoked: set[str] = set()
        self._relays = 0

    async def run(self) -> None:
        """Read the feed and look at credentials until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._guard())

    async def _follow(self) -> None:
        """Read the feed; a database that fails is tried again each second."""
        while True:
            try:
                if self._cursor < 0:
                    self._floor = self._cursor = await self._changes.head()
                    self._started.set()
                head = await self._changes.wait(self._cursor, _PATIENCE)
                if head > self._cursor:
                    await self._read(head)
            except RecordsError as exc:
                log.warning("the event feed cannot be read", error=str(exc))
                await asyncio.sleep(_RETRY)

    async def _guard(self) -> None:
        """End the streams whose credential is no longer good, once a keep-alive."""
        while True:
            await asyncio.sleep(self._look_every)
            try:
                await self.look_again()
            except RecordsError as exc:
                # Nobody was revoked by that; what the database knows is asked for next time.
                log.warning("credentials of streams cannot be looked at", error=str(exc))

    async def look_again(self) -> None:
        """End the streams whose session or token has ended meanwhile. Errors: RecordsError."""
        for principal in list(self._streams):
            if not await self._is_in(principal):
                self.revoke(principal.session or principal.token)
        # What is not in use any more needs not be remembered: it opens no stream again.
        self._revoked &= {ended for p in self._streams for ended in _names(p)}

    @property
    def held(self) -> int:
        """How many events are held for all clients together."""
        return len(self._ring)

    def close(self) -> None:
        """End all streams at once."""
        self._closed = True
        self._ring_the_bell()

    def revoke(self, ended: str) -> None:
        """End the streams opened with a token (its id or hash) or in a session (its hash)."""
        self._revoked.add(ended)
        self._ring_the_bell()

    async def open(self, principal: Principal, after: int | None) -> EventSourceResponse:
        """Return a stream that starts now, or after change ``after``.

        Errors: RecordsUnavailable, Problem when the token has too many streams.
        """
        await self._has_started()
        self._admit(principal)
        head = await self._changes.head()
        start = head if after is None else min(after, head)
        return self._response(principal, self._from(principal, start))

    async def relay(
        self, principal: Principal, events: AsyncGenerator[tuple[str, Json]]
    ) -> EventSourceResponse:
        """Return a stream of other events (name, data), which ends as those of the feed do.

        Errors: Problem when there are too many, the token's or all together.
        """
        self._admit(principal)
        if self._relays >= MOST_RELAYS:
            detail = f"{MOST_RELAYS} streams of this kind are open already"
            raise Problem("rate-limit", detail, headers={"Retry-After": "5"})
        return self._response(principal, self._relayed(principal, events))

    def _admit(self, principal: Principal) -> None:
        of_token = sum(n for p, n in self._streams.items() if p.token_id == principal.token_id)
        if of_token >= STREAMS_PER_TOKEN:
            detail = f"The token has {STREAMS_PER_TOKEN} streams open already"
            raise Problem("rate-limit", detail, headers={"Retry-After": "5"})

    def _response(
        self, principal: Principal, messages: AsyncGenerator[ServerSentEvent]
    ) -> EventSourceResponse:
        return _Stream(
            self._counted(principal, messages),
            ping=KEEP_ALIVE,
            ping_message_factory=lambda: ServerSentEvent(comment="keep-alive", sep="\n"),
            send_timeout=SEND_TIMEOUT,
            shutdown_event=cast(anyio.Event, _Closing(self)),
            shutdown_grace_period=_GRACE,
            sep="\n",
        )

    async def events(
        self, principal: Principal, position: int
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Yield everything after ``position`` that the caller may see, for ever."""
        while not self._ended(principal):
            news = self._news
            if position < self._floor:
                until = self._cursor
                page = await self._changes.page(position, until, principal)
                found, position = [self._event(c) for c in page.changes], page.upto
            else:
                found = [e for e in self._ring if e.seq > position and _sees(principal, e.owner)]
                position = max(position, self._cursor)  # the reader may not be there yet
                if not found:
                    await news.wait()
            for event in found:
                yield event.message

    async def _has_started(self) -> None:
        try:
            async with asyncio.timeout(_START):
                await self._started.wait()
        except TimeoutError as exc:
            raise RecordsUnavailable("the event feed could not be read yet") from exc

    def _ended(self, principal: Principal) -> bool:
        return self._closed or not self._revoked.isdisjoint(_names(principal))

    async def _from(self, principal: Principal, position: int) -> AsyncGenerator[ServerSentEvent]:
        # A first comment sends the headers through proxies and says where the stream starts.
        yield ServerSentEvent(comment=f"from {position}", sep="\n")
        async for message in self.events(principal, position):
            yield message

    async def _relayed(
        self, principal: Principal, events: AsyncGenerator[tuple[str, Json]]
    ) -> AsyncGenerator[ServerSentEvent]:
        self._relays += 1
        try:
            yield ServerSentEvent(comment="listening", sep="\n")
            coming = self._until_the_end(principal, events)
            async with aclosing(events), aclosing(coming):
                async for name, data in coming:
                    yield ServerSentEvent(_text(data), event=name, sep="\n")
        finally:
            self._relays -= 1

    async def _until_the_end(
        self, principal: Principal, events: AsyncGenerator[tuple[str, Json]]
    ) -> AsyncGenerator[tuple[str, Json]]:
        """Yield events until they end, the server stops or the token is revoked."""
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while not self._ended(principal):
                bell = asyncio.ensure_future(self._news.wait())
                await asyncio.wait({coming, bell}, return_when=asyncio.FIRST_COMPLETED)
                bell.cancel()
                if coming.done():
                    event = coming.result()
                    if event is None:
                        return
                    yield event
                    coming = asyncio.ensure_future(anext(events, None))
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    async def _counted(
        self, principal: Principal, messages: AsyncGenerator[ServerSentEvent]
    ) -> AsyncIterator[ServerSentEvent]:
        self._streams[principal] += 1
        try:
            async with aclosing(messages):
                async for message in messages:
                    yield message
        except RecordsError as exc:
            log.warning("a stream ends: the database fails", error=str(exc))
        finally:
            self._streams[principal] -= 1
            if not self._streams[principal]:
                del self._streams[principal]

    async def _read(self, head: int) -> None:
        """Take one page of news up to ``head`` into the ring."""
        page = await self._changes.page(self._cursor, head, None)
        self._ring.extend(self._event(change) for change in page.changes)
        self._cursor = page.upto
        while len(self._ring) > self._size:
            self._floor = self._ring.popleft().seq
        self._ring_the_bell()

    def _ring_the_bell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _event(self, change: Change) -> _Event:
        name, data = self._content(change)
        message = ServerSentEvent(_text(data), event=name, id=str(change.seq), sep="\n")
        return _Event(change.seq, change.owner, message)

    def _content(self, change: Change) -> tuple[str, Json]:
        if isinstance(change.what, Store):
            return "store", store_document(change.what, self._url_of).to_json()
        if change.what.deleted:
            return "deleted", {"id": change.what.store_id}
        return "timeline", entry_document(change.what).to_json()


def _names(principal: Principal) -> set[str]:
    """By what a stream of theirs may be revoked."""
    return {principal.token_id, principal.session or principal.token}


def _text(data: Json) -> str:
    """JSON in ASCII: many clients take U+2028 and the like for the end of a line."""
    return json.dumps(data, separators=(",", ":"))


def _sees(principal: Principal, owner: str) -> bool:
    return principal.is_admin or principal.user == owner
