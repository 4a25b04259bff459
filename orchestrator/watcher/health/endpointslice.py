"""EndpointSlice health: how many endpoints of a Service are ready."""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import mapping, mappings, texts
from orchestrator.watcher.health.words import healthy
from orchestrator.watcher.view import StoreView


def assess(endpoint_slice: Json, view: StoreView) -> Health:
    """Judge an EndpointSlice: it is a list, and an empty one is no fault of its own."""
    return healthy("Present", f"{ready_endpoints(endpoint_slice)} endpoints ready")


def ready_endpoints(endpoint_slice: Json) -> int:
    """Return how many endpoints take traffic; an unset ``ready`` means ready (discovery/v1)."""
    return sum(1 for e in mappings(endpoint_slice.get("endpoints")) if _ready(e))


def _ready(endpoint: Json) -> bool:
    state = mapping(endpoint.get("conditions"))
    return state.get("ready") in (True, None) and bool(texts(endpoint.get("addresses")))
