"""What a Deployment says of itself: counts and conditions, in the words of its controller."""

from __future__ import annotations

import math
from dataclasses import dataclass

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import (
    drop_condition,
    find_condition,
    name_of,
    seconds_since,
    set_condition,
)
from orchestrator.sandbox.values import Json, clone

_DEFAULT_DEADLINE = 600


@dataclass
class Rollout:
    """A Deployment, the ReplicaSet of its template as it is now, and the others."""

    deployment: Json
    new: Json | None
    old: list[Json]

    @property
    def wanted(self) -> int:
        """How many pods are asked for."""
        replicas: int = self.deployment["spec"].get("replicas", 1)
        return replicas

    @property
    def sets(self) -> list[Json]:
        """Every ReplicaSet."""
        return ([self.new] if self.new is not None else []) + self.old

    def count(self, field: str) -> int:
        """Return the sum of a count over all ReplicaSets."""
        return sum(int(s.get("status", {}).get(field) or 0) for s in self.sets)


def fence(rollout: Rollout) -> tuple[int, int]:
    """Return how many pods there may be too many, and how many may be away."""
    rolling = rollout.deployment["spec"].get("strategy", {}).get("rollingUpdate") or {}
    if rollout.deployment["spec"].get("strategy", {}).get("type") == "Recreate":
        return 0, 0
    surge = _part(rolling.get("maxSurge", "25%"), rollout.wanted, up=True)
    away = _part(rolling.get("maxUnavailable", "25%"), rollout.wanted, up=False)
    return (surge, away) if surge or away else (0, 1)


def _part(value: object, whole: int, *, up: bool) -> int:
    text = str(value)
    if not text.endswith("%"):
        return int(text)
    share = whole * int(text[:-1]) / 100
    return math.ceil(share) if up else math.floor(share)


def write_status(access: Access, rollout: Rollout) -> float | None:
    """Write the status; returns the seconds until the progress deadline, when it runs."""
    deployment = rollout.deployment
    status = clone(deployment.get("status") or {})
    fresh = (rollout.new or {}).get("status", {})
    available = rollout.count("availableReplicas")
    counts = {
        "replicas": rollout.count("replicas"),
        "updatedReplicas": int(fresh.get("replicas") or 0),
        "readyReplicas": rollout.count("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, max(rollout.wanted, rollout.count("replicas")) - available),
    }
    status |= {name: count for name, count in counts.items() if count}
    for name in [name for name, count in counts.items() if not count]:
        status.pop(name, None)
    status["terminatingReplicas"] = rollout.count("terminatingReplicas")
    status["observedGeneration"] = deployment["metadata"]["generation"]
    _available(rollout, status, available)
    wait = _progressing(rollout, status)
    _failing(rollout, status)
    access.set_status(deployment, status)
    return wait


def _available(rollout: Rollout, status: Json, available: int) -> None:
    enough = available >= rollout.wanted - fence(rollout)[1]
    words = "has" if enough else "does not have"
    condition = {
        "type": "Available",
        "status": "True" if enough else "False",
        "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        "message": f"Deployment {words} minimum availability.",
    }
    set_condition(status, condition, heartbeat=True)


def _complete(rollout: Rollout, status: Json) -> bool:
    whole = rollout.wanted
    return all(
        status.get(name, 0) == whole
        for name in ("replicas", "updatedReplicas", "availableReplicas")
    )


def _progressing(rollout: Rollout, status: Json) -> float | None:
    old = find_condition(status, "Progressing")
    deadline = rollout.deployment["spec"].get("progressDeadlineSeconds", _DEFAULT_DEADLINE)
    if rollout.deployment["spec"].get("paused"):
        _say(status, "Unknown", "DeploymentPaused", "Deployment is paused")
        return None
    if rollout.new is None:
        return None
    title = f'ReplicaSet "{name_of(rollout.new)}"'
    if _complete(rollout, status):
        _say(status, "True", "NewReplicaSetAvailable", f"{title} has successfully progressed.")
        return None
    if old is None:
        words = f'Created new replica set "{name_of(rollout.new)}"'
        _say(status, "True", "NewReplicaSetCreated", words)
        return float(deadline)
    done = old["reason"] == "NewReplicaSetAvailable" and title in old.get("message", "")
    if done:  # it once was there: what happens now is an outage, not a rollout
        return None
    if _moved(rollout, status) or name_of(rollout.new) not in old.get("message", ""):
        status["conditions"] = [c for c in status["conditions"] if c["type"] != "Progressing"]
        _say(status, "True", "ReplicaSetUpdated", f"{title} is progressing.")
        return float(deadline)
    left = deadline - seconds_since(old["lastUpdateTime"])
    if left > 0:
        return float(left)
    _say(status, "False", "ProgressDeadlineExceeded", f"{title} has timed out progressing.")
    return None


def _moved(rollout: Rollout, status: Json) -> bool:
    """Say whether the rollout came further since the last status."""
    before = rollout.deployment.get("status") or {}
    grew = ("updatedReplicas", "readyReplicas", "availableReplicas")
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    old_now = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    return old_now < old_before or any(status.get(n, 0) > before.get(n, 0) for n in grew)


def _say(status: Json, value: str, reason: str, message: str) -> None:
    condition = {"type": "Progressing", "status": value, "reason": reason, "message": message}
    set_condition(status, condition, heartbeat=True)


def _failing(rollout: Rollout, status: Json) -> None:
    for replica_set in rollout.sets:
        failure = find_condition(replica_set.get("status", {}), "ReplicaFailure")
        if failure is not None:
            copied = {k: failure[k] for k in ("type", "status", "reason", "message")}
            set_condition(status, copied, heartbeat=True)
            return
    drop_condition(status, "ReplicaFailure")
