"""Admission: what may change or refuse a write beyond the kind's own rules.

``mutate`` runs before validation and ``check`` after it, as the admission chain of an API server
does; ``check`` returns what has to be done once the write is certain (quotas are charged then).
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.sandbox import errors, resources
from orchestrator.sandbox.operation import Operation
from orchestrator.sandbox.storage import Storage

Commit = Callable[[], None]


def admit_namespace(storage: Storage, operation: Operation) -> None:
    """Refuse a create in a namespace that is not there (404) or is ending (403)."""
    resource = operation.resource
    if not resource.namespaced:
        return
    space = storage.get(resources.of("Namespace"), "", operation.namespace)
    if space is None:
        raise errors.not_found(resources.of("Namespace"), operation.namespace)
    if "deletionTimestamp" in space["metadata"]:
        why = (
            f"unable to create new content in namespace {operation.namespace} "
            "because it is being terminated"
        )
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {operation.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        raise errors.forbidden(resource, operation.name, why, [cause])


def mutate(storage: Storage, operation: Operation) -> None:
    """Change the object as the mutating admission plugins do."""


def check(storage: Storage, operation: Operation) -> Commit:
    """Refuse the write as the validating admission plugins do."""
    return lambda: None
