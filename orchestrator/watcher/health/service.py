"""Service health: a cluster-internal Service is good as soon as it is there."""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import dig, mappings, name_of, spec, status
from orchestrator.watcher.health.endpointslice import ready_endpoints
from orchestrator.watcher.health.words import healthy, progressing
from orchestrator.watcher.view import StoreView


def assess(service: Json, view: StoreView) -> Health:
    """Judge a Service; only one of type LoadBalancer has something to wait for."""
    if spec(service).get("type") == "LoadBalancer":
        if not mappings(dig(status(service), "loadBalancer", "ingress")):
            sentence = "The load balancer's address is not assigned yet"
            return progressing("Pending", sentence, service)
    return healthy("Present", f"{endpoints(name_of(service), view)} endpoints ready")


def endpoints(name: str, view: StoreView) -> int:
    """Return how many ready endpoints the Service has."""
    return sum(ready_endpoints(s) for s in view.endpoint_slices(name))
