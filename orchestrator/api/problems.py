"""Every error as RFC 9457 problem+json.

Why: the error tree of model/errors.py meets HTTP here and nowhere else. Invariants: no answer holds
a stack trace or the text of an unexpected error; every problem of input lists field and rule.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from structlog.contextvars import get_contextvars

from orchestrator.model import errors
from orchestrator.model.errors import FieldError, UrumiError
from orchestrator.model.kinds import Json
from orchestrator.telemetry import get_logger

PROBLEM_JSON: Final = "application/problem+json"
_UNREACHABLE_RETRY: Final = 5
log = get_logger("api")


class ProblemField(BaseModel):
    """One broken rule."""

    model_config = ConfigDict(extra="forbid")
    field: str = Field(description="Dotted path in the request, such as options.currency")
    rule: str


class ProblemDocument(BaseModel):
    """An error as RFC 9457 describes it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"title": "Problem"})
    type: str = Field(description="Which problem; a link to its explanation")
    title: str
    status: int
    detail: str
    requestId: str = Field(default="", description="Also in the header X-Request-Id and the log")
    limit: str = Field(default="", description="The setting whose limit is reached")
    errors: list[ProblemField] = Field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """One type of problem: its anchor in the docs, status, title and meaning."""

    name: str
    status: int
    title: str
    meaning: str


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("malformed", 400, "Malformed request", "The body is not JSON that can be read."),
        Kind("unauthorized", 401, "Not authenticated", "A known bearer token is needed."),
        Kind("forbidden", 403, "Not allowed", "The caller's role does not allow it."),
        Kind("limit-exceeded", 403, "Limit reached", "A limit is reached; the answer names it."),
        Kind("not-found", 404, "Not found", "It does not exist, or is somebody else's."),
        Kind("method", 405, "Method not allowed", "The header Allow lists the methods there are."),
        Kind("conflict", 409, "Conflict", "What is there now forbids it."),
        Kind("precondition", 412, "Precondition failed", "If-Match names another generation."),
        Kind("too-large", 413, "Body too large", "The request body is over the limit."),
        Kind("media-type", 415, "Unsupported media type", "The body's type is not accepted here."),
        Kind("invalid", 422, "Invalid input", "A rule is broken; errors[] names field and rule."),
        Kind("idempotency", 422, "Idempotency-Key reused", "The key came with another body."),
        Kind("rate-limit", 429, "Too many requests", "The header Retry-After says when again."),
        Kind("internal", 500, "Internal error", "An error of the service; its log has more."),
        Kind("unavailable", 503, "Unavailable", "Database or cluster do not answer; try again."),
    )
}


class Problem(UrumiError):
    """An error of HTTP itself, which no room below knows."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = dict(headers or {})
        self.field = field


@dataclass(frozen=True)
class _Answer:
    kind: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()
    limit: str = ""


def _from_problem(exc: Problem) -> _Answer:
    found = (FieldError(exc.field, str(exc)),) if exc.field else ()
    return _Answer(exc.kind, str(exc), exc.headers, found)


def _from_input(exc: errors.InputError) -> _Answer:
    return _Answer("invalid", str(exc), errors=tuple(exc.errors))


def _from_conflict(exc: errors.Conflict) -> _Answer:
    found = (FieldError(exc.field, str(exc)),) if exc.field else ()
    return _Answer("conflict", str(exc), errors=found)


def _from_limit(exc: errors.LimitExceeded) -> _Answer:
    return _Answer("limit-exceeded", str(exc), limit=exc.limit)


def _from_precondition(exc: errors.PreconditionFailed) -> _Answer:
    return _Answer("precondition", str(exc), errors=(FieldError("If-Match", str(exc)),))


def _from_mismatch(exc: errors.IdempotencyMismatch) -> _Answer:
    return _Answer("idempotency", str(exc), errors=(FieldError("Idempotency-Key", str(exc)),))


def _from_unauthorized(exc: errors.Unauthorized) -> _Answer:
    return _Answer("unauthorized", str(exc), {"WWW-Authenticate": 'Bearer realm="urumi"'})


def _from_unreachable(exc: errors.ClusterUnreachable) -> _Answer:
    seconds = max(1, math.ceil(exc.retry_after or _UNREACHABLE_RETRY))
    text = "The Kubernetes cluster does not answer; /readyz says more"
    return _Answer("unavailable", text, {"Retry-After": str(seconds)})


def _from_cluster(exc: errors.ClusterError) -> _Answer:
    text = "The Kubernetes cluster refused the request; /readyz and the log say more"
    return _Answer("unavailable", text, {"Retry-After": str(_UNREACHABLE_RETRY)})


def _from_records(exc: errors.RecordsError) -> _Answer:
    text = "The database does not answer; /readyz says more"
    return _Answer("unavailable", text, {"Retry-After": str(_UNREACHABLE_RETRY)})


_TABLE: Final[tuple[tuple[type[UrumiError], Callable[[Any], _Answer]], ...]] = (
    (Problem, _from_problem),
    (errors.InputError, _from_input),
    (errors.Unauthorized, _from_unauthorized),
    (errors.LimitExceeded, _from_limit),
    (errors.Forbidden, lambda exc: _Answer("forbidden", str(exc))),
    (errors.NotFound, lambda exc: _Answer("not-found", str(exc))),
    (errors.Conflict, _from_conflict),
    (errors.PreconditionFailed, _from_precondition),
    (errors.IdempotencyMismatch, _from_mismatch),
    (errors.ClusterUnreachable, _from_unreachable),
    (errors.ClusterError, _from_cluster),
    (errors.RecordsUnavailable, _from_records),
)
_INTERNAL: Final = _Answer("internal", "Something went wrong here; the log knows the request id")


def problem_for(exc: BaseException) -> Response | None:
    """Return the answer to an expected error, or None when ``exc`` is none."""
    for kind, convert in _TABLE:
        if isinstance(exc, kind):
            answer = convert(exc)
            if answer.kind == "unavailable":
                log.warning("unavailable", error=str(exc))
            return _respond(answer)
    return None


async def answer_error(request: Request, exc: Exception) -> Response:
    """Starlette's exception handler for our tree and for HTTPException."""
    if isinstance(exc, HTTPException):
        return _respond(_from_http(exc))
    found = problem_for(exc)
    if found is None:
        raise exc
    return found


def internal_error() -> Response:
    """Return the answer to an unexpected error."""
    return _respond(_INTERNAL)


def _from_http(exc: HTTPException) -> _Answer:
    headers = dict(exc.headers or {})
    if exc.status_code == HTTPStatus.NOT_FOUND:
        return _Answer("not-found", "There is nothing at this path; see /api/v1/docs", headers)
    kind = next((k.name for k in KINDS.values() if k.status == exc.status_code), "malformed")
    return _Answer(kind, exc.detail, headers)


def document(kind: Kind, detail: str) -> Json:
    """Return the members that every problem has."""
    link = f"/api/v1/docs#{kind.name}"
    return {"type": link, "title": kind.title, "status": kind.status, "detail": detail}


def _respond(answer: _Answer) -> Response:
    kind = KINDS[answer.kind]
    body = document(kind, answer.detail)
    request_id = _request_id()
    if request_id:
        body["requestId"] = request_id
    if answer.limit:
        body["limit"] = answer.limit
    if answer.errors:
        body["errors"] = [{"field": e.field, "rule": e.rule} for e in answer.errors]
    text = json.dumps(body, ensure_ascii=True).encode()
    headers = {"Cache-Control": "no-store", **answer.headers}
    return Response(text, kind.status, headers, media_type=PROBLEM_JSON)


def _request_id() -> str:
    return str(get_contextvars().get("request_id", ""))
