"""PodDisruptionBudget health: as many pods are well as it asks for."""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, condition, number, observed, status
from orchestrator.watcher.health.words import degraded, healthy, progressing
from orchestrator.watcher.view import StoreView


def assess(budget: Json, view: StoreView) -> Health:
    """Judge a PodDisruptionBudget."""
    if not observed(budget):
        return progressing("Unobserved", "The disruption budget is about to be read", budget)
    allowed = condition(budget, "DisruptionAllowed")
    if allowed.get("reason") == "SyncFailed":
        words = clean(allowed.get("message"), 300)
        return degraded("SyncFailed", f"The disruption budget does not work: {words}", budget)
    now, wanted = (number(status(budget).get(k)) for k in ("currentHealthy", "desiredHealthy"))
    if now < wanted:
        sentence = f"{now} of the {wanted} pods that must stay up are well"
        return progressing("InsufficientPods", sentence, budget)
    return healthy("Enforced", f"{now} of {wanted} pods are well")
