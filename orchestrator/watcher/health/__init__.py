"""Health of observed objects: one small pure function a kind, and the sum of them for a store.

Invariants: judging never does I/O, never changes an object, never raises on what a cluster may
send; a status is believed only when it speaks of the present generation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.watcher.fields import clean, meta, texts
from orchestrator.watcher.health import (
    cronjob,
    deployment,
    endpointslice,
    ingress,
    namespace,
    persistentvolumeclaim,
    pod,
    poddisruptionbudget,
    present,
    resourcequota,
    service,
    statefulset,
)
from orchestrator.watcher.health.evidence import container_states
from orchestrator.watcher.health.store import conditions
from orchestrator.watcher.health.words import missing, progressing
from orchestrator.watcher.view import StoreView

__all__ = ["assess", "conditions", "container_states"]

_ASSESSORS: Final[dict[str, Callable[[Json, StoreView], Health]]] = {
    "CronJob": cronjob.assess,
    "Deployment": deployment.assess,
    "EndpointSlice": endpointslice.assess,
    "Ingress": ingress.assess,
    "Namespace": namespace.assess,
    "PersistentVolumeClaim": persistentvolumeclaim.assess,
    "Pod": pod.assess,
    "PodDisruptionBudget": poddisruptionbudget.assess,
    "ResourceQuota": resourcequota.assess,
    "Service": service.assess,
    "StatefulSet": statefulset.assess,
}


def assess(ref: ObjectRef, view: StoreView) -> Health:
    """Judge one object of the store; absent is MISSING, leaving is PROGRESSING."""
    obj = view.by_ref(ref)
    if obj is None:
        return missing(f"{ref} is not there")
    if ref.kind not in ("Namespace", "Pod") and meta(obj).get("deletionTimestamp"):
        return _leaving(obj)
    return _ASSESSORS.get(ref.kind, present.assess)(obj, view)


def _leaving(obj: Json) -> Health:
    held = [clean(f, 100) for f in texts(meta(obj).get("finalizers"))]
    sentence = "It is being deleted" + (f"; finalizers left: {', '.join(held)}" if held else "")
    return progressing("Terminating", sentence, obj)
