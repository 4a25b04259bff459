"""ResourceQuota health: it is enforced, and how full it is."""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, mapping, status
from orchestrator.watcher.health.words import healthy
from orchestrator.watcher.view import StoreView


def assess(quota: Json, view: StoreView) -> Health:
    """Judge a ResourceQuota; being full is told where something does not fit."""
    hard = mapping(status(quota).get("hard"))
    used = mapping(status(quota).get("used"))
    parts = [f"{clean(k, 60)} {clean(used.get(k), 20) or 0}/{clean(hard[k], 20)}" for k in hard]
    return healthy("Enforced", ", ".join(sorted(parts)) or "Not counted yet")
