"""ReplicaSets: as many pods as asked for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import (
    active,
    deleting,
    drop_condition,
    is_available,
    is_ready,
    name_of,
    pod_from,
    set_condition,
    to_owner,
)
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.recorder import Recorder
from orchestrator.sandbox.registry import ApiError
from orchestrator.sandbox.values import Json, clone

_COMPONENT: Final = "replicaset-controller"
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_RETRY: Final = 5.0
"""Seconds until a pod that admission refused is tried again."""


class ReplicaSets:
    """Keeps the number of pods of each ReplicaSet."""

    def __init__(self, access: Access, recorder: Recorder) -> None:
        self._access = access
        self._recorder = recorder

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """ReplicaSets and their pods."""
        return {"ReplicaSet": itself, "Pod": to_owner("ReplicaSet")}

    def reconcile(self, key: Key) -> float | None:
        """Create or delete pods, then say how many there are."""
        replica_set = self._access.get("ReplicaSet", *key)
        if replica_set is None:
            return None
        pods = [p for p in self._access.owned("Pod", replica_set) if active(p)]
        failure = None
        if not deleting(replica_set):
            missing = replica_set["spec"].get("replicas", 1) - len(pods)
            if missing > 0:
                failure = self._create(replica_set, missing)
            for pod in _least_wanted(pods)[: max(0, -missing)]:
                self._access.delete(pod)
                words = f"Deleted pod: {name_of(pod)}"
                self._recorder.normal(replica_set, _COMPONENT, "SuccessfulDelete", words)
        later = self._report(replica_set, failure)
        return _RETRY if failure else later

    def _create(self, replica_set: Json, count: int) -> str | None:
        """Create pods; returns the words of the first refusal."""
        for _ in range(count):
            pod = pod_from(replica_set["spec"]["template"], replica_set, {})
            suffix = "".join(secrets.choice(_LETTERS) for _ in range(5))
            pod["metadata"]["name"] = f"{name_of(replica_set)[:57]}-{suffix}"
            pod["metadata"]["generateName"] = f"{name_of(replica_set)}-"
            try:
                made = self._access.create(pod)
            except ApiError as error:
                words = f"Error creating: {error.message}"
                self._recorder.warning(replica_set, _COMPONENT, "FailedCreate", words)
                return error.message
            words = f"Created pod: {name_of(made)}"
            self._recorder.normal(replica_set, _COMPONENT, "SuccessfulCreate", words)
        return None

    def _report(self, replica_set: Json, failure: str | None) -> float | None:
        found = self._access.get("ReplicaSet", *itself(replica_set)[0])
        if found is None:
            return None
        owned = self._access.owned("Pod", found)
        pods = [p for p in owned if active(p)]
        wait = found["spec"].get("minReadySeconds", 0)
        labels = (found["spec"]["template"].get("metadata") or {}).get("labels") or {}
        ready = [p for p in pods if is_ready(p)]
        available = [p for p in ready if is_available(p, wait)]
        status = clone(found.get("status") or {})
        counts = {
            "fullyLabeledReplicas": sum(
                labels.items() <= p["metadata"]["labels"].items() for p in pods
            ),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            "terminatingReplicas": sum(deleting(p) for p in owned),
        }
        status |= {"replicas": len(pods), "observedGeneration": found["metadata"]["generation"]}
        for name, count in counts.items():
            status[name] = count
            if not count and name != "terminatingReplicas":
                del status[name]
        if failure:
            condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
            set_condition(status, condition | {"message": failure})
        else:
            drop_condition(status, "ReplicaFailure")
            if not status.get("conditions"):
                status.pop("conditions", None)
        self._access.set_status(found, status)
        return float(wait) if len(available) < len(ready) else None


def _least_wanted(pods: list[Json]) -> list[Json]:
    """Return the pods, those first that are missed least: without node, not ready, young."""
    young_first = sorted(pods, key=lambda p: str(p["metadata"]["creationTimestamp"]), reverse=True)
    return sorted(young_first, key=lambda p: (bool(p["spec"].get("nodeName")), is_ready(p)))
