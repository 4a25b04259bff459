"""Pod health: is it ready, and if not, what is the first thing in its way."""

from __future__ import annotations

from typing import Final

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, condition, dig, meta, status, text
from orchestrator.watcher.health import container, initcontainer
from orchestrator.watcher.health.words import (
    degraded,
    healthy,
    named,
    progressing,
    title,
    with_detail,
)
from orchestrator.watcher.view import StoreView

_PASSING: Final = ("unbound immediate PersistentVolumeClaims", "waiting for ephemeral volume")


def assess(pod: Json, view: StoreView) -> Health:
    """Judge a pod."""
    if meta(pod).get("deletionTimestamp"):
        return progressing("Terminating", f"{title(pod)} is shutting down", pod)
    phase = text(status(pod).get("phase"))
    if phase == "Succeeded":
        return healthy("Completed", f"{title(pod)} has finished")
    if phase == "Failed":
        return _failed(pod)
    if condition(pod, "Ready").get("status") == "True":
        return healthy("Ready", f"{title(pod)} is running")
    return _unschedulable(pod) or _initialising(pod) or _containers(pod) or _pending(pod)


def _failed(pod: Json) -> Health:
    """Explain a pod that will not run again: evicted, or its containers ended for good."""
    reason = text(status(pod).get("reason"))
    words = clean(status(pod).get("message"), 300)
    if not reason:
        found = (container.trouble(pod, state) for state in container.statuses(pod))
        first = next((t for t in found if t is not None), None)
        if first is not None:
            return first
    return degraded(reason or "Failed", with_detail(f"{title(pod)} has failed", words), pod)


def _unschedulable(pod: Json) -> Health | None:
    scheduled = condition(pod, "PodScheduled")
    reason = text(scheduled.get("reason"))
    if scheduled.get("status") != "False":
        return None
    words = clean(scheduled.get("message"), 350)
    if reason != "Unschedulable":
        return progressing(reason, f"{title(pod)} waits to be placed on a node", pod)
    if any(passing in words for passing in _PASSING):
        return progressing(reason, f"{title(pod)} waits for its storage: {words}", pod)
    if "persistentvolumeclaim" in words:  # it is not there, or on its way out
        return degraded(reason, with_detail(f"{title(pod)} lacks its storage", words), pod)
    return degraded(reason, with_detail(f"The cluster has no room for {named(pod)}", words), pod)


def _initialising(pod: Json) -> Health | None:
    for state in container.statuses(pod, init=True):
        if dig(state, "started") is True and dig(state, "ready") is True:
            continue  # a sidecar that runs
        found = initcontainer.assess(pod, state)
        if found is not None:
            return found
    return None


def _containers(pod: Json) -> Health | None:
    states = container.statuses(pod)
    for look in (container.trouble, container.starting):
        for state in states:
            found = look(pod, state)
            if found is not None:
                return found
    return None


def _pending(pod: Json) -> Health:
    ready = condition(pod, "Ready")
    words = clean(ready.get("message"), 300) or clean(status(pod).get("message"), 300)
    reason = text(ready.get("reason")) or text(status(pod).get("phase")) or "Pending"
    return progressing(reason, with_detail(f"{title(pod)} is starting", words), pod)


def explain(pods: tuple[Json, ...], view: StoreView) -> Health | None:
    """Return the most telling trouble of a workload's pods (newest first), or None.

    The newest pod that is not leaving speaks first; a degraded one before one that progresses.
    """
    judged = [h for h in (assess(pod, view) for pod in pods) if not h.ok]
    bad = (h for h in judged if h.status is HealthStatus.DEGRADED)
    return next(bad, None) or (judged[0] if judged else None)
