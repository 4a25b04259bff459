"""One request to the API server, from authentication to an answer that can be trusted.

Every request has a timeout, and few enough are under way at once that none times out waiting for a
connection. What failed is sent again only where that is safe: idempotent requests always, others
when surely nothing was done. A Retry-After longer than we are willing to wait is handed up instead
of being cut short. Refused credentials (401) are loaded again, once a request and not more often
than every few seconds: exec plugins and rotated files give new ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator import __version__
from orchestrator.cluster.access import ClusterTarget, open_client
from orchestrator.cluster.answers import NotDone, error_of
from orchestrator.model.errors import ClusterForbidden, ClusterUnreachable, SettingsError
from orchestrator.model.kinds import Json
from orchestrator.model.names import FIELD_MANAGER

USER_AGENT: Final = f"{FIELD_MANAGER}/{__version__}"
JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"
_WATCHES: Final = 64  # connections for watches beside those of requests
_RELOAD_PAUSE: Final = 5.0  # least seconds between two loads of the credentials


@dataclass(frozen=True)
class Timing:
    """Times in seconds and how to wait; tests set it.

    ``request`` bounds one try. A server that asks for a longer wait than ``patience`` gets it from
    the caller.
    """

    request: float = 15.0
    tries: int = 4
    first_wait: float = 0.2
    longest_wait: float = 5.0
    patience: float = 10.0
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)

    def wait(self, attempt: int, retry_after: float | None) -> float:
        """Return how long to wait after the given try: doubled, capped, jittered by half."""
        backoff = min(self.longest_wait, self.first_wait * 2 ** (attempt - 1))
        # Never before the time that the server asked for.
        return max(retry_after or 0.0, random.uniform(backoff / 2, backoff))


@dataclass(frozen=True)
class Request:
    """One request; ``subject`` names the object in errors."""

    method: str
    path: str
    subject: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    content_type: str = JSON
    accept: str = JSON
    repeatable: bool = True


@dataclass(eq=False)
class _Client:
    """A client with its credentials, and how many requests are using it."""

    api: Any
    users: int = 0


class Transport:
    """Sends requests over a client that is made anew when its credentials are refused."""

    def __init__(self, target: ClusterTarget, timing: Timing, connections: int) -> None:
        self._target = target
        self._timing = timing
        self._connections = connections
        self._slots = asyncio.Semaphore(connections)
        self._reloading = asyncio.Lock()
        self._reloaded_at = float("-inf")
        self._client = _Client(None)

    async def __aenter__(self) -> Transport:
        self._client = await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.api.close()

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self._client.api.configuration.host)

    async def exchange(self, request: Request) -> bytes:
        """Return the body of a successful answer, after as many tries as are allowed."""
        attempt, reloaded = 1, False
        while True:
            client = self._client
            try:
                return await self._once(client, request)
            except ClusterForbidden as exc:
                if exc.code != 401 or reloaded or not await self._reload(client):
                    raise
                reloaded = True
            except ClusterUnreachable as exc:
                safe = request.repeatable or isinstance(exc, NotDone)
                patient = (exc.retry_after or 0.0) <= self._timing.patience
                if attempt >= self._timing.tries or not safe or not patient:
                    raise
                await self._timing.sleep(self._timing.wait(attempt, exc.retry_after))
                attempt += 1

    @contextlib.asynccontextmanager
    async def stream(
        self, request: Request, *, quiet: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of lines; silence for ``quiet`` seconds ends it as an error. No retries."""
        async with contextlib.AsyncExitStack() as stack:
            client = self._client
            try:
                response = await stack.enter_async_context(self._opened(client, request, quiet))
            except ClusterForbidden as exc:
                if exc.code != 401 or not await self._reload(client):
                    raise
                client = self._client
                response = await stack.enter_async_context(self._opened(client, request, quiet))
            yield _lines(response, request)

    @contextlib.asynccontextmanager
    async def _opened(self, client: _Client, request: Request, quiet: float) -> AsyncIterator[Any]:
        import aiohttp

        seconds = self._timing.request
        limits = aiohttp.ClientTimeout(total=None, connect=seconds, sock_read=quiet)
        async with self._using(client):
            with _mapped(request):
                # The answer's head comes at once; only then may there be silence.
                async with asyncio.timeout(seconds):
                    response = await self._send(client, request, limits)
            try:
                if response.status >= 300:
                    with _mapped(request):
                        async with asyncio.timeout(seconds):
                            data = await response.read()
                    raise error_of(response.status, data, response.headers, request.subject)
                yield response
            finally:
                response.close()

    async def _once(self, client: _Client, request: Request) -> bytes:
        import aiohttp

        limits = aiohttp.ClientTimeout(total=self._timing.request)
        async with self._slots, self._using(client):
            with _mapped(request):
                response = await self._send(client, request, limits)
                data: bytes = await response.read()
        if response.status >= 300:
            raise error_of(response.status, data, response.headers, request.subject)
        return data

    async def _send(self, client: _Client, request: Request, limits: Any) -> Any:
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": request.accept,
            "Content-Type": request.content_type,
        }
        query = list(request.query.items())
        await client.api.update_params_for_auth(headers, query, ["BearerToken"])
        return await client.api.rest_client.request(
            request.method,
            client.api.configuration.host.rstrip("/") + request.path,
            query_params=query,
            headers=headers,
            body=request.body,
            _preload_content=False,
            _request_timeout=limits,
        )

    @contextlib.asynccontextmanager
    async def _using(self, client: _Client) -> AsyncIterator[None]:
        """Keep a client open until the last of its requests ended, replaced or not."""
        client.users += 1
        try:
            yield
        finally:
            client.users -= 1
            await self._retire(client)

    async def _retire(self, client: _Client) -> None:
        if client is not self._client and not client.users:
            await client.api.close()

    async def _reload(self, refused: _Client) -> bool:
        """Load the credentials again; tell whether there are others than the ``refused``."""
        async with self._reloading:
            if self._client is not refused:
                return True
            now = asyncio.get_running_loop().time()
            if now - self._reloaded_at < _RELOAD_PAUSE:
                return False
            self._reloaded_at = now
            try:
                self._client = await self._open()
            except SettingsError as exc:
                raise ClusterUnreachable(f"the credentials cannot be loaded again: {exc}") from exc
            await self._retire(refused)
            return True

    async def _open(self) -> _Client:
        return _Client(await open_client(self._target, connections=self._connections + _WATCHES))


@contextlib.contextmanager
def _mapped(request: Request) -> Iterator[None]:
    import aiohttp
    from kubernetes_asyncio.config import ConfigException

    try:
        yield
    except aiohttp.ClientConnectorError as exc:
        raise NotDone(f"{request.subject}: no connection ({exc})") from exc
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, ConfigException) as exc:
        what = str(exc) or type(exc).__name__
        raise ClusterUnreachable(f"{request.subject}: no answer ({what})") from exc


async def _lines(response: Any, request: Request) -> AsyncIterator[bytes]:
    """Yield lines of any length; one that the end of the stream cut off is dropped."""
    rest: list[bytes] = []
    with _mapped(request):
        async for chunk in response.content.iter_any():
            first, *more = chunk.split(b"\n")
            rest.append(first)
            for line in more:
                whole, rest = b"".join(rest), [line]
                if whole.strip():
                    yield whole
