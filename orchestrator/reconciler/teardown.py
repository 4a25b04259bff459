"""The end of a store's namespace: what runs in it stops first, then it goes with all the rest.

Why in this order: Kubernetes deletes a namespace's volumes, Secret and policies beside its running
pods, and where pods are left at its first look it waits half of their longest grace period before
the next (pkg/controller/namespace/deletion: 16 s and more for a database). Stopped first, the
database ends in peace and the namespace goes within a second or two.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from orchestrator.applier import WORKLOADS, NamespaceState
from orchestrator.model.kinds import Json
from orchestrator.reconciler.context import Pass

_OVERDUE: Final = timedelta(seconds=10)
_PATIENCE: Final = timedelta(minutes=5)
_FINISHED: Final = ("Succeeded", "Failed")


async def remove_namespace(run: Pass) -> NamespaceState:
    """Do the next thing towards the namespace's end and say how it stands.

    Errors: NamespaceNotOurs.
    """
    stopping = await _stop(run)
    if stopping:
        return NamespaceState(gone=False, messages=(f"stopping {', '.join(stopping)}",))
    return await run.tools.applier.delete_namespace(run.store.id, run.store.uid)


async def _stop(run: Pass) -> list[str]:
    """End the workloads that the watch shows; return the pods that have yet to end."""
    watcher = run.tools.watcher
    view = watcher.view(run.store.id).of_record(run.store.uid)
    namespace = view.get("Namespace", run.store.namespace)
    if not watcher.fresh or namespace is None or namespace["metadata"].get("deletionTimestamp"):
        return []
    workloads = [obj for kind in sorted(WORKLOADS) for obj in view.of_kind(kind)]
    if any("deletionTimestamp" in w["metadata"] for w in workloads) or _took_long(run):
        # A finalizer holds it, or nobody collects its pods: the namespace's conditions will say.
        return []
    await run.tools.applier.stop(workloads)
    pods = [pod for pod in view.of_kind("Pod") if _ends_soon(pod, run.now)]
    return sorted(f"Pod/{p['metadata']['namespace']}/{p['metadata']['name']}" for p in pods)


def _took_long(run: Pass) -> bool:
    since = run.store.deleting_since
    return since is not None and run.now > since + _PATIENCE


def _ends_soon(pod: Json, now: datetime) -> bool:
    """Whether to wait for a pod: not for one that ended, or that should have ended long ago."""
    if (pod.get("status") or {}).get("phase") in _FINISHED:
        return False
    until = pod["metadata"].get("deletionTimestamp")
    return until is None or now < datetime.fromisoformat(until) + _OVERDUE
