"""StatefulSet health (after gitops-engine pkg/health/health_statefulset.go).

A StatefulSet has no condition for pods that it may not create: quota and Pod Security denials show
only in Kubernetes events, which the view carries where somebody fetched them.
"""

from __future__ import annotations

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, dig, name_of, number, observed, spec, status, text
from orchestrator.watcher.health import persistentvolumeclaim, pod
from orchestrator.watcher.health.words import (
    component,
    creation_refused,
    healthy,
    progressing,
    title,
)
from orchestrator.watcher.view import StoreView


def assess(stateful: Json, view: StoreView) -> Health:
    """Judge a StatefulSet; its pods, claims and events explain why it is not there yet."""
    wanted = number(spec(stateful).get("replicas"), 1)
    if not observed(stateful) or not number(status(stateful).get("observedGeneration")):
        return progressing("Unobserved", f"{title(stateful)} is about to be changed", stateful)
    ready = number(status(stateful).get("readyReplicas"))
    if wanted == 0:
        return _zero(stateful)
    if ready >= wanted and not _rolling(stateful):
        return healthy("Available", f"{name_of(stateful)} {wanted}/{wanted} ready")
    sentence = f"{title(stateful)} is starting: {ready} of {wanted} are ready"
    if ready >= wanted:
        sentence = f"{title(stateful)} is being rolled out"
    return explain(stateful, view) or progressing("Progressing", sentence, stateful)


def _zero(stateful: Json) -> Health:
    if number(status(stateful).get("replicas")):
        return progressing("ScalingDown", f"{title(stateful)} is being switched off", stateful)
    return healthy("ScaledToZero", f"{name_of(stateful)} is asked for no replicas")


def _rolling(stateful: Json) -> bool:
    """Tell whether pods of an older template still run; OnDelete and partitions keep them."""
    strategy = dig(spec(stateful), "updateStrategy", "type")
    partition = number(dig(spec(stateful), "updateStrategy", "rollingUpdate", "partition"))
    if strategy == "OnDelete" or partition:
        return False
    new = text(status(stateful).get("updateRevision"))
    return bool(new) and new != text(status(stateful).get("currentRevision"))


def explain(stateful: Json, view: StoreView) -> Health | None:
    """Return why the pods are not ready, if anything says so."""
    found = persistentvolumeclaim.blocking(stateful, view)
    pods = view.pods(component(stateful))
    found = found or pod.explain(pods, view)
    if found is not None or pods:
        return found
    return _refused(stateful, view)


def _refused(stateful: Json, view: StoreView) -> Health | None:
    for event in view.events_of("StatefulSet", name_of(stateful)):
        if event.get("reason") == "SuccessfulCreate":
            return None
        if event.get("reason") == "FailedCreate":
            words = clean(event.get("message")) or clean(event.get("note"))
            return creation_refused(stateful, "FailedCreate", words)
    return None
