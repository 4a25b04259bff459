"""The verbs of the Kubernetes API: plain JSON objects in and out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.cluster.access import ClusterTarget
from orchestrator.cluster.answers import WatchEvent, event_of, object_of
from orchestrator.cluster.transport import APPLY, JSON, Request, Timing, Transport
from orchestrator.model.kinds import KINDS, Json, ObjectRef, ResourceKind
from orchestrator.model.names import FIELD_MANAGER

_META: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_META_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_GRACE: Final = 15.0  # seconds beyond a watch's own end until it counts as dead
_LONG_SILENCE: Final = 3600.0  # seconds for which a container may say nothing
_STRICT: Final = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}


@dataclass(frozen=True)
class ObjectList:
    """A list and the resource version to watch from."""

    items: list[Json]
    resource_version: str


@contextlib.asynccontextmanager
async def connect(
    target: ClusterTarget, *, timing: Timing | None = None, connections: int = 32
) -> AsyncIterator[Cluster]:
    """Open a client with so many requests at a time; contacts nothing but an exec plugin.

    Errors: SettingsError for an unusable kubeconfig or account.
    """
    async with Transport(target, timing or Timing(), connections) as transport:
        yield Cluster(transport)


class Cluster:
    """The API server. Errors are ClusterErrors and name the object."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def server(self) -> str:
        """The API server's address."""
        return self._transport.server

    async def version(self) -> str:
        """Return the server's version (``v1.36.3``)."""
        answer = await self._json(Request("GET", "/version", "the version"))
        return str(answer.get("gitVersion") or "")

    async def get(self, ref: ObjectRef) -> Json:
        """Return one object. Errors: ObjectNotFound."""
        return await self._json(Request("GET", ref.path, str(ref)))

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
        query = {"limit": str(limit), **_selected(selector)}
        accept = _META_LIST if metadata_only else JSON
        path, subject = kind.path(namespace), f"the list of {kind.plural}"
        items: list[Json] = []
        while True:
            page = await self._json(Request("GET", path, subject, query, accept=accept))
            items += [
                {**item, "apiVersion": kind.api_version, "kind": kind.kind}
                for item in page.get("items") or []
            ]
            meta = page.get("metadata") or {}
            if not meta.get("continue"):
                return ObjectList(items, str(meta.get("resourceVersion") or ""))
            query = {**query, "continue": meta["continue"]}

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
        Errors: WatchExpired (list again), ClusterUnreachable. Close it (``aclose``) to end early.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, int(timeout))),
            **_selected(selector),
        }
        subject = f"the watch of {kind.plural}"
        accept = _META if metadata_only else JSON
        request = Request("GET", kind.path(), subject, query, accept=accept)
        async with self._transport.stream(request, quiet=timeout + _GRACE) as lines:
            yield WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": resource_version}})
            async for line in lines:
                yield event_of(line, kind, subject)

    async def apply(
        self,
        obj: Json,
        *,
        force: bool = False,
        dry_run: bool = False,
        manager: str = FIELD_MANAGER,
    ) -> Json:
        """Server-side apply under our field manager. Errors: ApplyConflict, InvalidObject."""
        query = {**_STRICT, "fieldManager": manager, "force": "true" if force else "false"}
        query |= {"dryRun": "All"} if dry_run else {}
        ref = ObjectRef.of(obj)
        return await self._json(
            Request("PATCH", ref.path, str(ref), query, obj, content_type=APPLY)
        )

    async def create(self, obj: Json) -> Json:
        """Create an object.

        Errors: AlreadyExists; ClusterUnreachable leaves open whether it was made: a second create
        then says AlreadyExists of our own object.
        """
        ref = ObjectRef.of(obj)
        path = ref.resource.path(ref.namespace or None)
        return await self._json(Request("POST", path, str(ref), _STRICT, obj, repeatable=False))

    async def delete(
        self,
        ref: ObjectRef,
        *,
        uid: str | None,
        propagation: Literal["Foreground", "Background"] = "Background",
    ) -> bool:
        """Ask for an object's end; tell whether it is gone already.

        It is not while finalizers, dependants or a grace period hold it. Errors: ObjectNotFound,
        PreconditionConflict (another uid).
        """
        body: Json = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
        }
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        # Without a uid a second try could hit a successor.
        request = Request("DELETE", ref.path, str(ref), body=body, repeatable=uid is not None)
        return (await self._json(request)).get("kind") == "Status"

    async def events(self, namespace: str) -> Sequence[Json]:
        """Return the events of a namespace."""
        return (await self.list(KINDS["Event"], namespace=namespace)).items

    async def logs(
        self, namespace: str, pod: str, container: str, *, tail: int = 100, previous: bool = False
    ) -> str:
        """Return the last ``tail`` lines of a container. Errors: ObjectNotFound, InvalidObject."""
        query = {"tailLines": str(tail), "limitBytes": str(1 << 20)}
        query |= {"previous": "true"} if previous else {}
        data = await self._transport.exchange(_log_of(namespace, pod, container, query))
        return data.decode(errors="replace")

    async def follow_logs(
        self, namespace: str, pod: str, container: str, *, tail: int | None, since: str | None
    ) -> AsyncGenerator[tuple[str, str]]:
        """Yield (RFC 3339 time, line): the last ``tail`` (None: all) lines, then what comes.

        ``since`` leaves out what is older than that time, to the second. It ends with the container
        and whenever the server likes. Errors as of `logs`. Close it (``aclose``) to end early.
        """
        query = {"follow": "true", "timestamps": "true"}
        query |= {"tailLines": str(tail)} if tail is not None else {}
        query |= {"sinceTime": since} if since is not None else {}
        request = _log_of(namespace, pod, container, query)
        async with self._transport.stream(request, quiet=_LONG_SILENCE) as lines:
            async for line in lines:
                time, _, text = line.decode(errors="replace").partition(" ")
                yield time, text

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
        answer = await self._json(Request("POST", path, "the access review", body=body))
        return bool((answer.get("status") or {}).get("allowed"))

    async def _json(self, request: Request) -> Json:
        return object_of(await self._transport.exchange(request), request.subject)


def _log_of(namespace: str, pod: str, container: str, query: dict[str, str]) -> Request:
    path = f"{KINDS['Pod'].path(namespace, pod)}/log"
    subject = f"the log of Pod/{namespace}/{pod}"
    return Request("GET", path, subject, {"container": container, **query}, accept="*/*")


def _selected(selector: str | None) -> dict[str, str]:
    return {"labelSelector": selector} if selector else {}
