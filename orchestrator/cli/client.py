"""One client of the API for all verbs: address, token, timeouts, and errors in plain words.

Invariants: every call has a timeout; the token is sent only to the address that was named; a
problem+json answer becomes lines that name field and rule; 429 is waited out as the server says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from orchestrator import __version__
from orchestrator.cli.exits import CliError, ExitCode
from orchestrator.model.kinds import Json
from orchestrator.settings import Settings, load

TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
LONGEST_PAUSE: Final = 60.0
_PAUSES: Final = 4
_CODES: Final = {
    401: ExitCode.NOT_ALLOWED,
    403: ExitCode.NOT_ALLOWED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.CONFLICT,
    412: ExitCode.CONFLICT,
    429: ExitCode.BUSY,
}


class Unreachable(CliError):
    """The API did not answer, or answered with its own failure (5xx).

    ``lost_answer``: the request may have arrived all the same.
    """

    def __init__(self, message: str, *, lost_answer: bool = False) -> None:
        super().__init__(message, ExitCode.UNREACHABLE)
        self.lost_answer = lost_answer


@dataclass(frozen=True)
class ServerSentEvent:
    """One event of the stream; a keep-alive has no name."""

    name: str = ""
    data: str = ""
    id: str = ""


class Api:
    """A client for one address and token; use it as a context manager."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=url,
            timeout=TIMEOUT,
            transport=transport,
            trust_env=not _is_local(url),  # a proxy cannot reach this machine's own address
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json, application/problem+json",
                "User-Agent": f"urumi-cli/{__version__}",
            },
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        params: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the answer's JSON (None when empty). Errors: CliError, Unreachable."""
        return _answer(self._exchange(method, path, body, params, headers), self.url)

    def text(self, path: str, params: Mapping[str, str | int | None]) -> str:
        """Return an answer that is text. Errors: CliError, Unreachable."""
        response = self._exchange("GET", path, None, params, {"Accept": "text/plain"})
        if not response.is_success:
            _answer(response, self.url)
        return response.text

    def _exchange(
        self,
        method: str,
        path: str,
        body: Json | None,
        params: Mapping[str, str | int | None] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        request = self._http.build_request(
            method, "/api/v1" + path, json=body, params=_query(params), headers=dict(headers or {})
        )
        for _ in range(_PAUSES):
            response = self._send(request)
            pause = _pause(response)
            if pause is None:
                break
            self._sleep(pause)
        return response

    def pages(self, path: str, params: Mapping[str, str | int | None]) -> Iterator[Json]:
        """Yield every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.call("GET", path, params={**params, "limit": 200, "cursor": cursor})
            yield from page["items"]
            cursor = page.get("nextCursor")
            if cursor is None:
                return

    @contextmanager
    def stream(
        self,
        last_id: str | None,
        silence: float,
        path: str = "/events/stream",
        params: Mapping[str, str | int | None] | None = None,
    ) -> Iterator[Iterator[ServerSentEvent]]:
        """Open an event stream; ``silence`` is how long in seconds it may say nothing at all."""
        headers = {"Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        timeout = httpx.Timeout(silence, connect=min(5.0, silence))
        try:
            with self._http.stream(
                "GET", "/api/v1" + path, params=_query(params), headers=headers, timeout=timeout
            ) as response:
                if response.status_code != 200:
                    response.read()
                    if response.status_code != 429:  # too many streams: asking goes on without
                        _answer(response, self.url)
                    raise Unreachable(f"no event stream at {self.url}")
                yield parse_events(response.iter_lines())
        except (httpx.TransportError, httpx.StreamError) as exc:
            raise Unreachable(f"the event stream of {self.url} broke: {exc}") from exc

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._http.send(request)
        except httpx.TransportError as exc:
            raise Unreachable(
                f"cannot reach {self.url}: {exc or type(exc).__name__}. "
                "Is `urumi serve` running? URUMI_URL names another address.",
                lost_answer=not isinstance(exc, httpx.ConnectError),
            ) from exc


def connect(environ: Mapping[str, str]) -> Api:
    """Return the client that the environment asks for: the local service by default."""
    settings = load(environ)
    return Api(_address(environ, settings), _token(environ, settings))


def segment(text: str) -> str:
    """Quote one path segment. Errors: CliError (USAGE) when it is empty."""
    if not text:
        raise CliError("an id must not be empty", ExitCode.USAGE)
    return quote(text, safe="")


def parse_events(lines: Iterator[str]) -> Iterator[ServerSentEvent]:
    """Yield the events of an SSE body; comments come as events without a name."""
    data: list[str] = []
    name, event_id = "", ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data:
                yield ServerSentEvent(name or "message", "\n".join(data), event_id)
            name, data = "", []
        elif field == "":
            yield ServerSentEvent()
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            event_id = value


def _address(environ: Mapping[str, str], settings: Settings) -> str:
    url = environ.get("URUMI_URL", "").strip() or _local_address(settings)
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or parts.username or parts.query or parts.fragment:
        raise CliError("URUMI_URL is not an address such as http://127.0.0.1:4000", ExitCode.USAGE)
    return url.rstrip("/")


def _local_address(settings: Settings) -> str:
    """Return where `urumi serve` with these settings can be reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _query(params: Mapping[str, str | int | None] | None) -> dict[str, str]:
    """Return parameters without those that are left out."""
    return {k: str(v) for k, v in (params or {}).items() if v is not None}


def _token(environ: Mapping[str, str], settings: Settings) -> str:
    token = environ.get("URUMI_TOKEN", "").strip() or settings.admin_token or _kept_token(settings)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CliError("URUMI_TOKEN is not a token: visible ASCII characters", ExitCode.USAGE)
    return token


def _kept_token(settings: Settings) -> str:
    try:
        token = settings.admin_token_file.read_text("utf-8", "replace").strip()
    except OSError as exc:
        raise CliError(
            f"no token: set URUMI_TOKEN, or make {settings.admin_token_file} readable "
            f"({exc.strerror}); the service writes it at its first start",
            ExitCode.NOT_ALLOWED,
        ) from exc
    return token


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _pause(response: httpx.Response) -> float | None:
    if response.status_code != 429:
        return None
    told = response.headers.get("Retry-After", "1")
    pause = float(told) if told.isdigit() else 1.0
    return pause if pause <= LONGEST_PAUSE else None


def _answer(response: httpx.Response, url: str) -> Any:
    if response.is_success:
        return response.json() if response.content else None
    if response.status_code >= 500:
        raise Unreachable(f"{url} failed: {_problem(response)}")
    code = _CODES.get(response.status_code, ExitCode.USAGE)
    raise CliError(_problem(response), code)


def _problem(response: httpx.Response) -> str:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return f"{response.status_code} {response.reason_phrase}"
    said = problem.get("detail") or problem.get("title") or response.reason_phrase
    lines = [f"{response.status_code}: {said}"]
    for error in filter(lambda e: isinstance(e, dict), problem.get("errors") or []):
        field, rule = (str(error.get(name, "")) for name in ("field", "rule"))
        if rule not in lines[0]:
            lines.append(f"  {field}: {rule}")
    return "\n".join(lines)
