"""What the API server answered, mapped onto our tree of errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

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
    WatchExpired,
)
from orchestrator.model.kinds import Json, ResourceKind

_REJECTIONS: Final[dict[int, type[ClusterRejected]]] = {
    400: InvalidObject,
    401: ClusterForbidden,
    403: ClusterForbidden,
    404: ObjectNotFound,
    410: WatchExpired,
    413: InvalidObject,
    422: InvalidObject,
}
_NOT_ALLOCATED: Final = "failed to allocate"
"""An address that the API server could not get, from an etcd that is away too, it calls invalid.

Source: Kubernetes, ``pkg/registry/core/service/storage/alloc.go``. Our Services ask for no address
of their own, so it is never the object's fault.
"""


@dataclass(frozen=True)
class WatchEvent:
    """ADDED, MODIFIED, DELETED or BOOKMARK, with the object."""

    type: str
    object: Json


class NotDone(ClusterUnreachable):
    """Surely nothing was done: no connection, or the server turned it away for now."""


def error_of(
    code: int, data: bytes, headers: Mapping[str, str], subject: str
) -> ClusterRejected | ClusterUnreachable:
    """Return the error that an answer of ``code`` ≥ 300 means; ``subject`` names the object."""
    try:
        status = orjson.loads(data)
    except ValueError:
        status = None
    if not isinstance(status, dict) or status.get("kind") != "Status":
        status = {"message": data[:200].decode(errors="replace")}
    return _error(code, status, subject, _retry_after(headers))


def event_of(line: bytes, kind: ResourceKind, subject: str) -> WatchEvent:
    """Return one line of a watch; an ERROR event is raised as what it means."""
    try:
        data = orjson.loads(line)
        type_, obj = str(data["type"]), dict(data["object"])
    except (ValueError, KeyError, TypeError) as exc:
        raise ClusterUnreachable(f"{subject}: a line is not an event") from exc
    if type_ == "ERROR":
        raise _error(_number(obj.get("code")) or 500, obj, subject, None)
    if type_ != "BOOKMARK":
        obj = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
    return WatchEvent(type_, obj)


def object_of(data: bytes, subject: str) -> Json:
    """Return the JSON object of a successful answer."""
    try:
        answer = orjson.loads(data)
    except ValueError as exc:
        raise ClusterUnreachable(f"{subject}: the answer is not JSON") from exc
    if not isinstance(answer, dict):
        raise ClusterUnreachable(f"{subject}: the answer is not an object")
    return answer


def _error(
    code: int, status: Json, subject: str, retry_after: float | None
) -> ClusterRejected | ClusterUnreachable:
    reason = str(status.get("reason") or "")
    message = f"{subject}: {status.get('message') or reason or code}"
    found = status.get("details")
    details: Json = found if isinstance(found, dict) else {}
    if code == 429 or code >= 500:
        wait = retry_after if retry_after is not None else _number(details.get("retryAfterSeconds"))
        # 429, and any error with Retry-After: turned away before it began (client-go WithRetry).
        type_ = NotDone if code == 429 or retry_after is not None else ClusterUnreachable
        return type_(f"{message} ({code})", retry_after=wait, code=code)
    causes = tuple(_cause(c) for c in details.get("causes") or () if isinstance(c, dict))
    if code == 422 and any(_NOT_ALLOCATED in c.message for c in causes):
        return ClusterUnreachable(f"{message} ({code})", code=500)  # which it should have been
    return _rejection_type(code, reason, causes)(code, reason, message, causes)


def _cause(cause: Json) -> Cause:
    texts = (str(cause.get(key) or "") for key in ("reason", "field", "message"))
    return Cause(*texts)


def _rejection_type(code: int, reason: str, causes: tuple[Cause, ...]) -> type[ClusterRejected]:
    if code != 409:
        return _REJECTIONS.get(code, ClusterRejected)
    if reason == "AlreadyExists":
        return AlreadyExists
    if any(c.reason == "FieldManagerConflict" for c in causes):
        return ApplyConflict
    return PreconditionConflict


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Kubernetes sends seconds; the HTTP-date that a proxy may send is not understood."""
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
