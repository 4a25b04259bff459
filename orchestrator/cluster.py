"""The Kubernetes API as the rest of the service sees it: a thin raw wrapper, nothing typed.

The only importer of kubernetes_asyncio, which brings kubeconfig, in-cluster accounts, exec plugins
and TLS; requests go through its REST client as plain JSON, because its typed models cost more than
the server does. Invariants: every call has a timeout; what is safe to repeat is repeated, a bounded
number of times, with jitter, and Retry-After is honoured; every error is of our tree, its cause
chained.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from orchestrator import __version__
from orchestrator.model.errors import (
    AlreadyExists,
    ApplyConflict,
    Cause,
    ClusterForbidden,
    ClusterRejected,
    ClusterUnreachable,
    InvalidObject,
    ObjectNotFound,
    PreconditionConflict,
    SettingsError,
    WatchExpired,
)
from orchestrator.model.kinds import KINDS, Json, ObjectRef, ResourceKind
from orchestrator.model.names import FIELD_MANAGER

USER_AGENT: Final = f"{FIELD_MANAGER}/{__version__}"
_JSON: Final = "application/json"
_APPLY: Final = "application/apply-patch+yaml"
_META: Final = (
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
)


@dataclass(frozen=True)
class ClusterTarget:
    """Which cluster: a kubeconfig (several files joined as in ``KUBECONFIG``) or the pod's own."""

    kind: Literal["kubeconfig", "in-cluster"]
    kubeconfig: Path | None = None
    context: str | None = None


@dataclass(frozen=True)
class Timing:
    """Times in seconds and how to wait; tests set it."""

    request: float = 15.0
    tries: int = 4
    first_wait: float = 0.2
    longest_wait: float = 5.0
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)


@dataclass(frozen=True)
class ObjectList:
    """A list and the resource version to watch from."""

    items: list[Json]
    resource_version: str


@dataclass(frozen=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED or BOOKMARK, with the object."""

    type: str
    object: Json


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    content_type: str = _JSON
    accept: str = _JSON
    repeatable: bool = True
    subject: str = ""


@contextlib.asynccontextmanager
async def connect(
    target: ClusterTarget, *, timing: Timing | None = None, connections: int = 64
) -> AsyncIterator[Cluster]:
    """Open the client; contacts nothing. Errors: SettingsError for an unusable kubeconfig."""
    from kubernetes_asyncio import client, config

    configuration = client.Configuration()
    configuration.connection_pool_maxsize = connections
    loader = None
    try:
        if target.kind == "in-cluster":
            config.load_incluster_config(  # type: ignore[no-untyped-call]
                client_configuration=configuration
            )
        else:
            loader = await config.load_kube_config(
                config_file=str(target.kubeconfig) if target.kubeconfig else None,
                context=target.context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as exc:
        raise SettingsError(f"kubeconfig {target.kubeconfig}: {exc}") from exc

    async def reload() -> None:
        if loader is not None:
            await loader.load_and_set(configuration)

    async with client.ApiClient(configuration) as api:
        yield Cluster(api, timing or Timing(), reload)


class Cluster:
    """The API server."""

    def __init__(self, api: Any, timing: Timing, reload: Callable[[], Awaitable[None]]) -> None:
        self._api = api
        self._timing = timing
        self._reload = reload

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self._api.configuration.host)

    async def version(self) -> str:
        """Return the server's version (``v1.36.3``)."""
        answer = await self._json(_Request("GET", "/version", subject="the version"))
        return str(answer.get("gitVersion") or "")

    async def get(self, ref: ObjectRef) -> Json:
        """Return one object. Errors: ObjectNotFound."""
        return await self._json(_Request("GET", ref.path, subject=str(ref)))

    async def list(
        self,
        kind: ResourceKind,
        *,
        namespace: str | None = None,
        selector: str | None = None,
        metadata_only: bool = False,
        limit: int = 500,
    ) -> ObjectList:
        """Return all objects of a kind, in chunks of ``limit``. Errors: WatchExpired."""
        query = {"limit": str(limit), **({"labelSelector": selector} if selector else {})}
        accept = _META if metadata_only else _JSON
        items: list[Json] = []
        while True:
            path = kind.path(namespace)
            page = await self._json(
                _Request("GET", path, query, accept=accept, subject=kind.plural)
            )
            items += [
                {**item, "apiVersion": kind.api_version, "kind": kind.kind}
                for item in page.get("items") or []
            ]
            meta = page.get("metadata") or {}
            if not meta.get("continue"):
                return ObjectList(items, str(meta.get("resourceVersion") or ""))
            query["continue"] = meta["continue"]

    async def watch(
        self,
        kind: ResourceKind,
        *,
        selector: str | None = None,
        resource_version: str,
        metadata_only: bool = False,
        timeout: float = 300,  # noqa: ASYNC109 the server's own limit of the watch
    ) -> AsyncIterator[WatchEvent]:
        """Yield changes after ``resource_version`` for about ``timeout`` seconds, then end.

        The first event is a BOOKMARK of our own as soon as the server has accepted the watch.
        Errors: WatchExpired (list again), ClusterUnreachable.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, int(timeout))),
            **({"labelSelector": selector} if selector else {}),
        }
        accept = _META.replace("PartialObjectMetadataList", "PartialObjectMetadata")
        request = _Request(
            "GET", kind.path(), query, accept=accept if metadata_only else _JSON,
            subject=f"the watch of {kind.plural}",
        )  # fmt: skip
        with _mapped(request):
            response = await self._send(request, stream=timeout + 15)
        try:
            if response.status >= 300:
                raise _rejection(response.status, await response.read(), response.headers, request)
            yield WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": resource_version}})
            async for line in _lines(response, request):
                yield _event(line, kind, request)
        finally:
            response.close()

    async def apply(
        self,
        obj: Json,
        *,
        force: bool = False,
        dry_run: bool = False,
        manager: str = FIELD_MANAGER,
    ) -> Json:
        """Server-side apply under our field manager. Errors: ApplyConflict, InvalidObject."""
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        query |= {"force": "true"} if force else {"force": "false"}
        query |= {"dryRun": "All"} if dry_run else {}
        ref = ObjectRef.of(obj)
        return await self._json(
            _Request("PATCH", ref.path, query, obj, content_type=_APPLY, subject=str(ref))
        )

    async def create(self, obj: Json) -> Json:
        """Create an object. Errors: AlreadyExists — after a lost answer also for our own."""
        ref = ObjectRef.of(obj)
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        path = ref.resource.path(ref.namespace or None)
        return await self._json(
            _Request("POST", path, query, obj, repeatable=False, subject=str(ref))
        )

    async def delete(
        self,
        ref: ObjectRef,
        *,
        uid: str | None,
        propagation: Literal["Foreground", "Background"] = "Background",
    ) -> None:
        """Ask for an object's end. Errors: ObjectNotFound, PreconditionConflict (another uid)."""
        body: Json = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
        }
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        await self._json(_Request("DELETE", ref.path, body=body, subject=str(ref)))

    async def events(self, namespace: str) -> Sequence[Json]:
        """Return the events of a namespace."""
        return (await self.list(KINDS["Event"], namespace=namespace)).items

    async def review_access(
        self, verb: str, group: str, resource: str, namespace: str | None = None
    ) -> bool:
        """Ask whether this account may do something (SelfSubjectAccessReview)."""
        attributes = {"verb": verb, "group": group, "resource": resource}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**attributes, "namespace": namespace or ""}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._json(_Request("POST", path, body=body, subject="access review"))
        return bool((answer.get("status") or {}).get("allowed"))

    async def _json(self, request: _Request) -> Json:
        data = await self._retried(request)
        try:
            answer = json.loads(data)
        except ValueError as exc:
            raise ClusterUnreachable(f"{request.subject}: the answer is not JSON") from exc
        if not isinstance(answer, dict):
            raise ClusterUnreachable(f"{request.subject}: the answer is not an object")
        return answer

    async def _retried(self, request: _Request) -> bytes:
        reloaded = False
        for attempt in range(1, self._timing.tries + 1):
            try:
                return await self._once(request)
            except ClusterForbidden as exc:
                if exc.code != 401 or reloaded:
                    raise
                reloaded = True
                await self._reload()
            except ClusterUnreachable as exc:
                refused = exc.retry_after is not None
                if attempt == self._timing.tries or not (request.repeatable or refused):
                    raise
                await self._timing.sleep(self._wait(attempt, exc.retry_after))
        raise ClusterUnreachable(f"{request.subject}: no answer after {attempt} tries")

    def _wait(self, attempt: int, retry_after: float | None) -> float:
        longest = self._timing.longest_wait
        wait = min(longest, self._timing.first_wait * 2 ** (attempt - 1))
        jittered: float = random.uniform(wait / 2, wait)
        return jittered if retry_after is None else min(longest, max(retry_after, jittered))

    async def _once(self, request: _Request) -> bytes:
        with _mapped(request):
            response = await self._send(request)
            data: bytes = await response.read()
        if response.status >= 300:
            raise _rejection(response.status, data, response.headers, request)
        return data

    async def _send(self, request: _Request, *, stream: float | None = None) -> Any:
        import aiohttp

        headers = {
            "User-Agent": USER_AGENT,
            "Accept": request.accept,
            "Content-Type": request.content_type,
        }
        query = list(request.query.items())
        await self._api.update_params_for_auth(headers, query, ["BearerToken"])
        seconds = self._timing.request
        timeout = aiohttp.ClientTimeout(total=seconds)
        if stream is not None:
            timeout = aiohttp.ClientTimeout(total=None, connect=seconds, sock_read=stream)
        return await self._api.rest_client.request(
            request.method,
            self._api.configuration.host.rstrip("/") + request.path,
            query_params=query,
            headers=headers,
            body=request.body,
            _preload_content=False,
            _request_timeout=timeout,
        )


@contextlib.contextmanager
def _mapped(request: _Request) -> Iterator[None]:
    import aiohttp

    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        what = str(exc) or type(exc).__name__
        raise ClusterUnreachable(f"{request.subject}: no answer ({what})") from exc


async def _lines(response: Any, request: _Request) -> AsyncIterator[bytes]:
    """Yield lines of any length."""
    rest = b""
    with _mapped(request):
        async for chunk in response.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield line


def _event(line: bytes, kind: ResourceKind, request: _Request) -> WatchEvent:
    try:
        data = json.loads(line)
        type_, obj = data["type"], data["object"]
    except (ValueError, KeyError, TypeError) as exc:
        raise ClusterUnreachable(f"{request.subject}: a line is not an event") from exc
    if type_ == "ERROR":
        raise _from_status(int(obj.get("code") or 500), obj, request)
    if type_ != "BOOKMARK":
        obj = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
    return WatchEvent(type_, obj)


def _rejection(
    code: int, data: bytes, headers: Mapping[str, str], request: _Request
) -> ClusterRejected | ClusterUnreachable:
    try:
        status = json.loads(data)
    except ValueError:
        status = {}
    if not isinstance(status, dict) or status.get("kind") != "Status":
        status = {"message": data[:200].decode(errors="replace")}
    if code == 429 or code >= 500:
        return ClusterUnreachable(
            f"{request.subject}: {code} {status.get('message') or ''}".strip(),
            retry_after=_retry_after(headers) if code in (429, 503) else None,
        )
    return _from_status(code, status, request)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _from_status(code: int, status: Json, request: _Request) -> ClusterRejected:
    reason = str(status.get("reason") or "")
    details = status.get("details") or {}
    causes = tuple(
        Cause(str(c.get("reason") or ""), str(c.get("field") or ""), str(c.get("message") or ""))
        for c in details.get("causes") or []
    )
    message = f"{request.subject}: {status.get('message') or reason or code}"
    return _error_type(code, reason, causes)(code, reason, message, causes)


def _error_type(code: int, reason: str, causes: tuple[Cause, ...]) -> type[ClusterRejected]:
    if code == 409:
        if reason == "AlreadyExists":
            return AlreadyExists
        if any(c.reason == "FieldManagerConflict" for c in causes):
            return ApplyConflict
        return PreconditionConflict
    known: dict[int, type[ClusterRejected]] = {
        400: InvalidObject,
        401: ClusterForbidden,
        403: ClusterForbidden,
        404: ObjectNotFound,
        410: WatchExpired,
        413: InvalidObject,
        422: InvalidObject,
    }
    return known.get(code, ClusterRejected)
