"""Refusals, in the words of a kube-apiserver.

Every error that leaves the sandbox is an ``ApiError`` and renders as a ``metav1.Status``. The
functions below are the counterparts of ``k8s.io/apimachinery/pkg/api/errors``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.sandbox.values import Json

if TYPE_CHECKING:
    from orchestrator.sandbox.resources import Resource


class ApiError(Exception):
    """A request that was refused: HTTP code, reason, message and details of the Status."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Json:
        """Return the metav1.Status."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            body["details"] = self.details
        if not self.reason:
            del body["reason"]
        return body | {"code": self.code}


@dataclass(frozen=True)
class FieldError:
    """One wrong field: a cause of an Invalid status.

    ``reason`` is one of FieldValueInvalid, FieldValueRequired, FieldValueDuplicate,
    FieldValueForbidden, FieldValueNotSupported, FieldValueTooLong, FieldValueNotFound.
    """

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def cause(self) -> Json:
        """Return the entry of ``details.causes``."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def _details(resource: Resource, name: str, **more: object) -> Json:
    body: Json = {"name": name} if name else {}
    if resource.group:
        body["group"] = resource.group
    body["kind"] = resource.plural
    return body | more


def not_found(resource: Resource, name: str) -> ApiError:
    """404 NotFound."""
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(resource, name))


def already_exists(resource: Resource, name: str, *, ending: bool = False) -> ApiError:
    """409 AlreadyExists; ``ending``: though not for long."""
    message = f'{resource.qualified} "{name}" already exists'
    if ending:
        message = f"object is being deleted: {message}"
    return ApiError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """409 Conflict of an update or a delete."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def modified(resource: Resource, name: str) -> ApiError:
    """409 Conflict: the resourceVersion is not the newest."""
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version "
        "and try again",
    )


def forbidden(
    resource: Resource, name: str, why: str, causes: Sequence[Json] | None = None
) -> ApiError:
    """403 Forbidden."""
    message = f'{resource.qualified} "{name}" is forbidden: {why}'
    more = {"causes": list(causes)} if causes else {}
    return ApiError(403, "Forbidden", message, _details(resource, name, **more))


def invalid(resource: Resource, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422 Invalid with every wrong field as a cause."""
    parts = list(dict.fromkeys(f"{e.field}: {e.message}" for e in errors))
    text = parts[0] if len(parts) == 1 else "[" + ", ".join(parts) + "]"
    message = f'{resource.qualified_kind} "{name}" is invalid: {text}'
    details: Json = {"name": name}
    if resource.group:
        details["group"] = resource.group
    details |= {"kind": resource.kind, "causes": [e.cause() for e in errors]}
    return ApiError(422, "Invalid", message, details)


def no_version(resource: Resource, name: str) -> ApiError:
    """422: the kind is not updated without saying which version the update was made from."""
    message = "Invalid value: 0: must be specified for an update"
    cause = FieldError("metadata.resourceVersion", message)
    text = f'{resource.qualified} "{name}" is invalid: {cause.field}: {message}'
    return ApiError(422, "Invalid", text, _details(resource, name, causes=[cause.cause()]))


def invalid_patch(text: str, why: object) -> ApiError:
    """422: a patch leaves something that cannot be read as the kind."""
    message = f"Invalid value: {json.dumps(text, ensure_ascii=False)}: {why}"
    cause = FieldError("patch", message)
    text = f' "" is invalid: patch: {message}'
    return ApiError(422, "Invalid", text, {"causes": [cause.cause()]})


def internal(message: str) -> ApiError:
    """500, as the real server answers some wrong requests too."""
    return ApiError(500, "", message)


def bad_request(message: str) -> ApiError:
    """400 BadRequest."""
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    """410 Expired."""
    return ApiError(410, "Expired", message)


def no_such_path() -> ApiError:
    """404 for an address that the server does not serve at all."""
    message = "the server could not find the requested resource"
    return ApiError(404, "NotFound", message, {})


def method_not_allowed() -> ApiError:
    """405 MethodNotAllowed."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def unsupported_media_type(supported: Sequence[str] = ()) -> ApiError:
    """415: the body's content type is not one of those that are understood."""
    message = "415: Unsupported Media Type"
    if supported:
        message = (
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(supported)
        )
    return ApiError(415, "UnsupportedMediaType", message)


def not_acceptable(supported: Sequence[str]) -> ApiError:
    """406: none of the shapes asked for can be served."""
    message = "only the following media types are accepted: " + ", ".join(supported)
    return ApiError(406, "NotAcceptable", message)
