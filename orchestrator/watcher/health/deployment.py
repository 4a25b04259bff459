"""Deployment health (after gitops-engine pkg/health/health_deployment.go)."""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, condition, name_of, number, observed, spec, status
from orchestrator.watcher.health import persistentvolumeclaim, pod
from orchestrator.watcher.health.words import (
    component,
    creation_refused,
    degraded,
    healthy,
    progressing,
    title,
    with_detail,
)
from orchestrator.watcher.view import StoreView


def assess(deployment: Json, view: StoreView) -> Health:
    """Judge a Deployment; what its pods and claims say explains why it is not there yet."""
    wanted = number(spec(deployment).get("replicas"), 1)
    if not observed(deployment):
        return progressing("Unobserved", f"{title(deployment)} is about to be changed", deployment)
    if wanted == 0:
        return _zero(deployment)
    missing = _missing(deployment, wanted)
    if missing is None:
        return healthy("Available", f"{name_of(deployment)} {wanted}/{wanted} ready")
    return explain(deployment, view) or progressing("Progressing", missing, deployment)


def _zero(deployment: Json) -> Health:
    left = number(status(deployment).get("replicas"))
    if left:
        return progressing("ScalingDown", f"{title(deployment)} is being switched off", deployment)
    return healthy("ScaledToZero", f"{name_of(deployment)} is asked for no replicas")


def _missing(deployment: Json, wanted: int) -> str | None:
    """Return what the rollout still lacks, or None."""
    state = status(deployment)
    total, updated = number(state.get("replicas")), number(state.get("updatedReplicas"))
    available = number(state.get("availableReplicas"))
    if updated < wanted:
        return f"{title(deployment)} is being rolled out: {updated} of {wanted} are new"
    if total > updated:
        left = total - updated
        old = "1 old one still runs" if left == 1 else f"{left} old ones still run"
        return f"{title(deployment)} is being rolled out: {old}"
    if available < wanted:
        return f"{title(deployment)} is starting: {available} of {wanted} are available"
    return None


def explain(deployment: Json, view: StoreView) -> Health | None:
    """Return why the rollout does not end, if anything says so."""
    refused = condition(deployment, "ReplicaFailure")
    if refused.get("status") == "True":
        words, reason = clean(refused.get("message")), clean(refused.get("reason"), 100)
        return creation_refused(deployment, reason or "FailedCreate", words)
    found = persistentvolumeclaim.blocking(deployment, view)
    found = found or pod.explain(view.pods(component(deployment))[:1], view)
    if found is not None and not found.ok:
        return found
    late = condition(deployment, "Progressing")
    if late.get("reason") == "ProgressDeadlineExceeded":
        sentence = with_detail(
            f"{title(deployment)} does not come up in time", clean(late.get("message"), 300)
        )
        return degraded("ProgressDeadlineExceeded", sentence, deployment)
    return None
