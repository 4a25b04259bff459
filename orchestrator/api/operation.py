"""One declaration per call of the API; routing and the OpenAPI document are both made of it.

Invariant: checks come in the order authentication → rate of the token → role → content type →
JSON → schema → query → handler (state), so that a stranger learns nothing about what there is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from orchestrator.api.body import JSON, read_json, validate
from orchestrator.api.cookie import secrets_in
from orchestrator.api.deps import AppDeps
from orchestrator.api.limiter import RateLimiter
from orchestrator.api.problems import Problem
from orchestrator.api.query import Query, parse_query
from orchestrator.model.errors import Forbidden, Unauthorized
from orchestrator.model.kinds import Json
from orchestrator.model.people import Principal
from orchestrator.service.people import admins_only

API: Final = "/api/v1"
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A success: what it holds. ``content`` is a model, or media types when not JSON."""

    description: str
    content: type[BaseModel] | str | tuple[str, ...] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Header:
    """A request header that an operation reads."""

    name: str
    description: str
    schema: Json


@dataclass(frozen=True)
class Call:
    """A request that passed all checks. ``raw`` is the parsed body as it was sent."""

    request: Request
    deps: AppDeps
    body: BaseModel | None = None
    raw: Any = None
    query: Query | None = None

    @property
    def principal(self) -> Principal:
        """Who calls; only for operations that are not public."""
        found = self.request.state.principal
        assert isinstance(found, Principal)
        return found

    def path(self, name: str) -> str:
        """Return a path parameter."""
        return str(self.request.path_params[name])

    def typed(self, value: object, kind: type[T]) -> T:
        """Return ``value``, which the operation declares as ``kind``."""
        assert isinstance(value, kind)
        return value


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Operation:
    """One call: how it is addressed, what it takes, what it answers, who may use it."""

    method: str
    path: str
    id: str
    summary: str
    handler: Handler
    answers: Mapping[int, Answer]
    tag: str = "stores"
    body: type[BaseModel] | None = None
    media_types: tuple[str, ...] = (JSON,)
    query: type[Query] = Query
    headers: tuple[Header, ...] = ()
    errors: tuple[int, ...] = ()
    public: bool = False
    admin: bool = False

    async def __call__(self, request: Request, deps: AppDeps, limiter: RateLimiter) -> Response:
        """Make all checks, then call the handler."""
        if not self.public:
            await _authenticate(request, deps, limiter, admin=self.admin)
        if "id" in request.path_params:
            bind_contextvars(store_id=request.path_params["id"][:63])
        body, raw = None, None
        if self.body is not None:
            raw = await read_json(request, self.media_types)
            body = validate(self.body, raw)
        query = None if self.public else parse_query(request, self.query)
        return await self.handler(Call(request, deps, body, raw, query))


def routes(operations: Sequence[Operation], deps: AppDeps, limiter: RateLimiter) -> list[Route]:
    """Return one route per path; it knows all of the path's methods."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    return [Route(path, _Path(methods, deps, limiter)) for path, methods in by_path.items()]


class _Path:
    """One path as an ASGI application, so that no method is answered by anybody else."""

    def __init__(
        self, methods: Mapping[str, Operation], deps: AppDeps, limiter: RateLimiter
    ) -> None:
        self._methods = methods
        self._deps = deps
        self._limiter = limiter
        self._allowed = ", ".join(sorted([*methods, *(["HEAD"] if "GET" in methods else [])]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._methods.get(method)
        if operation is None:
            allow = {"Allow": self._allowed}
            raise Problem("method", f"This path knows {self._allowed}", headers=allow)
        response = await operation(request, self._deps, self._limiter)
        await response(scope, receive, send)


async def _principal(request: Request, deps: AppDeps) -> Principal:
    """Return who calls: by a token, or by the dashboard's cookie. Errors: Unauthorized."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return await deps.service.people.authenticate(token.strip())
    secrets = secrets_in(request, deps.settings.port)
    if not secrets or scheme:
        raise Unauthorized("Send a token: 'Authorization: Bearer <token>'")
    if request.method not in ("GET", "HEAD"):
        same_origin(request)
    return await deps.service.people.by_session(*secrets)


def same_origin(request: Request) -> None:
    """Refuse what a page of another site asks a browser to send with our cookie.

    SameSite=Strict keeps other sites out, but not other ports and subdomains of this one. Errors:
    Forbidden.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host", "")
    if site == "same-origin":
        return  # a browser's own word; a proxy may have changed Host
    if site is not None or (origin and urlsplit(origin).netloc != host):
        raise Forbidden("This was sent by a page of another site")


async def _authenticate(
    request: Request, deps: AppDeps, limiter: RateLimiter, *, admin: bool
) -> None:
    principal = await _principal(request, deps)
    request.state.principal = principal
    await limiter.check(request.scope, "token", principal.token_id)
    if admin:
        admins_only(principal)
