"""Namespace health, and what holds up one that is being deleted."""

from __future__ import annotations

from typing import Final

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, conditions, meta, spec, status, texts
from orchestrator.watcher.health.words import degraded, healthy, progressing
from orchestrator.watcher.view import StoreView

_HOLDING: Final = ("NamespaceFinalizersRemaining", "NamespaceContentRemaining")
_FAILING: Final = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
)


def assess(namespace: Json, view: StoreView) -> Health:
    """Judge a namespace."""
    going = meta(namespace).get("deletionTimestamp")
    if not going and status(namespace).get("phase") != "Terminating":
        return healthy("Active", "The namespace is there")
    held = remaining(namespace)
    sentence = "The namespace is being deleted"
    if held:
        sentence += "; it waits: " + " ".join(held)
    failing = [c.get("type") for c in conditions(namespace) if _failed(c)]
    if failing:
        return degraded(clean(failing[0], 100), sentence, namespace)
    return progressing("Terminating", sentence, namespace)


def remaining(namespace: Json) -> tuple[str, ...]:
    """Return what holds up a namespace in deletion, each as the API server says it.

    The namespace controller names remaining kinds and finalizers in conditions; finalizers of the
    namespace itself (other than ``kubernetes``) stand in its metadata and spec.
    """
    words = [
        clean(c.get("message"), 300)
        for kind in (*_FAILING, *_HOLDING)
        for c in conditions(namespace)
        if c.get("type") == kind and c.get("status") == "True"
    ]
    own = texts(meta(namespace).get("finalizers")) + texts(spec(namespace).get("finalizers"))
    foreign = sorted({clean(f, 100) for f in own if f != "kubernetes"})
    if foreign:
        words.append(f"finalizers of the namespace itself: {', '.join(foreign)}")
    return tuple(word for word in words if word)


def _failed(condition: Json) -> bool:
    return condition.get("type") in _FAILING and condition.get("status") == "True"
