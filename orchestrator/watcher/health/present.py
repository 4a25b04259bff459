"""Health of kinds that have no state of their own: being there is being well.

ServiceAccount, Secret, ConfigMap, LimitRange, NetworkPolicy, IngressClass, StorageClass.
"""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.health.words import healthy
from orchestrator.watcher.view import StoreView


def assess(obj: Json, view: StoreView) -> Health:
    """Judge an object that exists."""
    return healthy("Present", "It is there")
