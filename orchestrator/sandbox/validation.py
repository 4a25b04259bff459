"""What makes an object invalid (422), kind by kind."""

from __future__ import annotations

from orchestrator.sandbox.errors import FieldError
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.values import Json


def validate_create(resource: Resource, obj: Json) -> list[FieldError]:
    """Return what is wrong with a new object."""
    return []


def validate_update(resource: Resource, old: Json, new: Json, subresource: str) -> list[FieldError]:
    """Return what is wrong with a changed object."""
    return []
