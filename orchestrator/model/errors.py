"""The error tree.

Errors of outside systems are mapped onto this tree at the border that owns the system (cluster/,
records/), with the cause chained, so that no other room knows a library's exceptions.

    UrumiError
    ├── InputError              422  the request is well formed but wrong; names field and rule
    ├── Unauthorized            401
    ├── Forbidden               403  not allowed for this role
    │   └── LimitExceeded       403  over a limit; names it
    ├── NotFound                404
    ├── Conflict                409  id or domain taken, store in deletion, wrong phase
    ├── PreconditionFailed      412  stale If-Match
    ├── IdempotencyMismatch     422  the key was used with another body
    ├── SettingsError                a setting is wrong; one line for the terminal
    ├── RecordsError                 the database failed
    │   ├── RecordsUnavailable       … because it does not answer
    │   └── LeaseLost                the claim was taken over; stop writing
    ├── TemplateError                a template failed to render
    └── ClusterError                 the Kubernetes API
        ├── NamespaceNotOurs         it exists and is not this store's; never touched
        ├── NamespaceTerminating     it is still going; wait
        ├── ObjectHeldByHelm         Helm manages it; never touched
        ├── ClusterUnreachable       no answer, or 5xx/429 after the last retry
        └── ClusterRejected          it answered no: code, reason, message, causes
            ├── ObjectNotFound       404
            ├── AlreadyExists        409 reason AlreadyExists
            ├── ApplyConflict        409 with FieldManagerConflict causes
            ├── PreconditionConflict 409 otherwise (uid, resourceVersion, being deleted)
            ├── InvalidObject        422 or 400
            ├── ClusterForbidden     401 or 403
            └── WatchExpired         410
"""

from __future__ import annotations

from dataclasses import dataclass


class UrumiError(Exception):
    """Base of every error that this product raises on purpose."""


@dataclass(frozen=True)
class FieldError:
    """One broken rule: ``field`` is a dotted path in the request (``options.currency``)."""

    field: str
    rule: str


class InputError(UrumiError):
    """Well-formed input that breaks a rule. ``errors`` is never empty."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{e.field}: {e.rule}" for e in errors))
        self.errors = errors


class Unauthorized(UrumiError):
    """No token, or one that is not known."""


class Forbidden(UrumiError):
    """The role does not allow it."""


class LimitExceeded(Forbidden):
    """Over a limit; ``limit`` is the setting's name."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class NotFound(UrumiError):
    """There is no such thing, or the caller may not know of it."""


class Conflict(UrumiError):
    """The request is right but the present state forbids it; ``field`` names what collides."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class PreconditionFailed(UrumiError):
    """If-Match named another generation."""


class IdempotencyMismatch(UrumiError):
    """The Idempotency-Key was used with another request body."""


class SettingsError(UrumiError):
    """A setting is wrong. The text is one line: variable, value, what is allowed."""


class RecordsError(UrumiError):
    """The database refused or failed."""


class RecordsUnavailable(RecordsError):
    """The database does not answer."""


class LeaseLost(RecordsError):
    """Another worker holds the claim now: the holder of this one must stop writing."""


class TemplateError(UrumiError):
    """A template could not be rendered."""


class ClusterError(UrumiError):
    """The Kubernetes API failed or refused."""


class NamespaceNotOurs(ClusterError):
    """A namespace of the store's name exists without our label or with another uid."""


class NamespaceTerminating(ClusterError):
    """The namespace is being deleted; a new one can only come after its end."""


class ObjectHeldByHelm(ClusterError):
    """The object is managed by Helm."""


class ClusterUnreachable(ClusterError):
    """No usable answer after all retries. ``retry_after`` in seconds if the server named one.

    ``code`` is the HTTP status where the server did answer: 500 may be about the object alone, such
    as an admission webhook that is away.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, code: int | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.code = code


@dataclass(frozen=True)
class Cause:
    """One entry of a Status' ``details.causes``."""

    reason: str
    field: str
    message: str


class ClusterRejected(ClusterError):
    """The API server answered with a Status of failure."""

    def __init__(
        self, code: int, reason: str, message: str, causes: tuple[Cause, ...] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes


class ObjectNotFound(ClusterRejected):
    """404."""


class AlreadyExists(ClusterRejected):
    """409 on create."""


class ApplyConflict(ClusterRejected):
    """409 on apply: ``causes`` name the fields, their messages the other managers."""


class PreconditionConflict(ClusterRejected):
    """409: the object is another one by now, or it is being deleted."""


class InvalidObject(ClusterRejected):
    """The object breaks the API's schema or validation."""


class ClusterForbidden(ClusterRejected):
    """Credentials are missing, expired or lack a right; also quota and Pod Security denials."""


class WatchExpired(ClusterRejected):
    """The resource version is too old: list again."""
