"""What surrounds every request: id, log line, metrics, security headers, errors, rate, host.

All pure ASGI, so that streams pass through unbuffered. Invariants: every answer carries a request
id and security headers, an unexpected error included; metrics know routes by their template, so
that no client can make new series.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from orchestrator.api import pages
from orchestrator.api.deps import AppDeps
from orchestrator.api.limiter import STATE_KEY, RateLimiter, address_of
from orchestrator.api.problems import internal_error, problem_for
from orchestrator.telemetry import Metrics, get_logger

log = get_logger("api")
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_METHODS: Final = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS".split())
_QUIET: Final = frozenset(("/healthz", "/readyz", "/metrics"))
_SECURITY: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Surroundings:
    """Request id, log line, metrics and headers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever is no HTTP passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        answer = _Answer(scope, send, request_id)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        finally:
            self._record(scope, answer, time.perf_counter() - started)

    def _record(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.http_requests.labels(method, route, str(answer.status)).inc()
        if not answer.stream:
            self._metrics.http_seconds.labels(method, route).observe(seconds)
        principal = scope.get("state", {}).get("principal")
        say = log.debug if scope["path"] in _QUIET else log.info
        say(
            "request",
            method=method,
            path=scope["path"][:200],
            status=answer.status,
            milliseconds=round(seconds * 1000, 1),
            user=principal.user if principal else None,
        )


class _Answer:
    """Adds headers to an answer on its way out and remembers what it was."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._request_id = request_id
        self.status = 0
        self.stream = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            for name, value in {**_SECURITY, **self._scope.get(STATE_KEY, {})}.items():
                headers.setdefault(name, value)
            self.stream = headers.get("content-type", "").startswith("text/event-stream")
        await self._send(message)


class Errors:
    """Answers what no handler answered: our tree from other middleware, and the unexpected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an error after the answer has begun ends the connection."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            log.debug("the client left before its request was whole")
        except Exception as exc:
            if scope["type"] != "http" or begun:
                raise
            response = problem_for(exc)
            if response is None:
                log.exception("unexpected error")
                response = internal_error()
            await response(scope, receive, send)


class StoreHosts:
    """Answers requests under a store's host while the cluster is the sandbox."""

    def __init__(self, app: ASGIApp, deps: AppDeps) -> None:
        self._app = app
        self._deps = deps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: the page that says so, or the application."""
        host = _host(scope) if scope["type"] == "http" else ""
        base = self._deps.settings.base_domain
        ours = host.startswith("store-") and host.endswith("." + base)
        store = None
        if ours or _may_be_a_domain(host, base):
            store = await self._deps.service.stores.under_host(host)
        if ours or store is not None:
            await pages.simulated_store(store, host)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class AddressLimit:
    """Counts requests to the API per address, before anything else is looked at."""

    def __init__(self, app: ASGIApp, limiter: RateLimiter) -> None:
        self._app = app
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or raise Problem 429."""
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            await self._limiter.check(scope, "address", address_of(scope))
        await self._app(scope, receive, send)


def _host(scope: Scope) -> str:
    host = Headers(scope=scope).get("host", "").lower()
    return re.sub(r":\d*$", "", host).rstrip(".")[:300]


def _may_be_a_domain(host: str, base: str) -> bool:
    """Whether a store could have ``host`` as its own domain; names of ours need no look-up."""
    last = host.rpartition(".")[2]
    return "." in host and host != base and not last.isdigit() and ":" not in host
