"""The HTTP face of the sandbox: guards, fixed paths, and the way to the handlers of objects.

Only requests that name this machine's loopback as their host, and that no web page sends, are
served: a page in a browser could otherwise reach the API through DNS rebinding.
"""

from __future__ import annotations

import uuid
from urllib.parse import unquote

from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from orchestrator.sandbox import discovery, negotiation, openapi, openapi_v2, protobuf, route
from orchestrator.sandbox.errors import ApiError, method_not_allowed
from orchestrator.sandbox.handlers import Handlers, Request, answer
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.watch import Watches

MAX_BODY = 3 * 1024 * 1024
"""Bytes; the limit of a kube-apiserver."""
_ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_HEALTH = ("/healthz", "/livez", "/readyz")
_HOSTS = frozenset(("127.0.0.1", "localhost", "[::1]"))


class App:
    """The ASGI application."""

    def __init__(self, registry: Registry, watches: Watches) -> None:
        self._handlers = Handlers(registry, watches)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        request = HttpRequest(scope, receive)
        try:
            found = await self._serve(request)
        except ApiError as error:
            found = answer(error.status(), error.code)
        found.headers["audit-id"] = str(uuid.uuid4())
        found.headers["cache-control"] = "no-cache, private"
        await found(scope, receive, send)

    async def _serve(self, request: HttpRequest) -> Response:
        _guard(request)
        path = unquote(request.scope["raw_path"].decode("latin-1").partition("?")[0])
        body = await _body(request)
        fixed = _fixed(request, path, body)
        if fixed is not None:
            return fixed
        if not _is_served(path):
            return _nowhere()
        return self._handlers.serve(
            Request(
                request.method,
                route.target(path),
                request.query_params,
                request.headers.get("accept", ""),
                request.headers.get("content-type", ""),
                request.headers.get("user-agent", ""),
                body,
            )
        )


def _guard(request: HttpRequest) -> None:
    host = request.headers.get("host", "")
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name.lower() not in _HOSTS:
        raise ApiError(403, "Forbidden", f"the sandbox serves loopback hosts only, not {host!r}")
    if any(name.startswith("impersonate-") for name in request.headers):
        raise ApiError(403, "Forbidden", "the sandbox knows no users: nobody can act as another")
    if "origin" in request.headers:
        raise ApiError(403, "Forbidden", "the sandbox serves no web pages")


async def _body(request: HttpRequest) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            message = f"Request entity too large: limit is {MAX_BODY}"
            raise ApiError(413, "RequestEntityTooLarge", message)
        parts.append(part)
    return b"".join(parts)


def _is_served(path: str) -> bool:
    """Say whether the path is in a group version that there is."""
    if path.startswith("/api/v1/"):
        return True
    group, _, rest = path.removeprefix("/apis/").partition("/")
    known = path.startswith("/apis/") and discovery.known_group(group)
    return known and rest.startswith("v1/")


def _nowhere() -> Response:
    return PlainTextResponse("404 page not found\n", 404)


def _fixed(request: HttpRequest, path: str, body: bytes) -> Response | None:
    """Return the answer of a path that is no object's."""
    path = path.rstrip("/") or "/"
    if path == _ACCESS:
        return _access(request, body)
    if path in _HEALTH or path.startswith(tuple(f"{p}/" for p in _HEALTH)):
        return PlainTextResponse("ok")
    found = _discovered(request, path)
    if found is not None and request.method != "GET":
        raise method_not_allowed()
    return found


def _discovered(request: HttpRequest, path: str) -> Response | None:
    if path == "/version":
        return answer(discovery.VERSION)
    if path in ("/api", "/apis"):
        return _roots(request, path)
    if path == "/openapi/v2":
        return Response(openapi_v2.document(), media_type=openapi_v2.PROTOBUF)
    if path == "/openapi/v3":
        return Response(openapi.index(), media_type=negotiation.JSON)
    if path.startswith("/openapi/v3/"):
        name = path.removeprefix("/openapi/v3/")
        return Response(openapi.document(name), media_type=negotiation.JSON)
    if path == "/api/v1":
        return answer(discovery.resource_list(""))
    group, _, version = path.removeprefix("/apis/").partition("/")
    if path.startswith("/apis/") and discovery.known_group(group):
        if not version:
            return answer(discovery.group(group))
        if version == "v1":
            return answer(discovery.resource_list(group))
    return None


def _roots(request: HttpRequest, path: str) -> Response:
    if discovery.wants_aggregated(request.headers.get("accept", "")):
        found = answer(discovery.aggregated(path == "/api"))
        found.headers["content-type"] = discovery.AGGREGATED
    elif path == "/api":
        found = answer(discovery.core_versions(request.headers.get("host", "")))
    else:
        found = answer(discovery.groups())
    found.headers["vary"] = "Accept"
    return found


def _access(request: HttpRequest, body: bytes) -> Response:
    """Everybody on this machine may do everything."""
    if request.method != "POST":
        raise method_not_allowed()
    kind = negotiation.media_type(request.headers.get("content-type"))
    if kind == negotiation.PROTOBUF:
        definition = "io.k8s.api.authorization.v1.SelfSubjectAccessReview"
        review = protobuf.read(body, definition)
    else:
        review, _ = negotiation.read_object(kind, body)
    found = {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": review.get("spec", {}),
        "status": {"allowed": True, "reason": "the sandbox allows everything"},
    }
    return answer(found, 201)
