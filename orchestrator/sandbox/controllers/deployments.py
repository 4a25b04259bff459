"""Deployments: one ReplicaSet a pod template, and the way from the old one to the new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import (
    active,
    deleting,
    finished,
    name_of,
    owner_reference,
    safe_hash,
    space_of,
    to_owner,
)
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.progress import Rollout, fence, write_status
from orchestrator.sandbox.controllers.recorder import Recorder
from orchestrator.sandbox.values import Json, clone

HASH: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
_DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
_MAXIMUM: Final = "deployment.kubernetes.io/max-replicas"
_OWN: Final = (REVISION, _DESIRED, _MAXIMUM, "kubectl.kubernetes.io/last-applied-configuration")
_COMPONENT: Final = "deployment-controller"


class Deployments:
    """Rolls Deployments out."""

    def __init__(self, access: Access, recorder: Recorder) -> None:
        self._access = access
        self._recorder = recorder

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Deployments, their ReplicaSets, and the pods of those."""
        return {"Deployment": itself, "ReplicaSet": to_owner("Deployment"), "Pod": self._of_pod}

    def _of_pod(self, pod: Json) -> list[Key]:
        return [
            owner
            for space, name in to_owner("ReplicaSet")(pod)
            if (found := self._access.get("ReplicaSet", space, name)) is not None
            for owner in to_owner("Deployment")(found)
        ]

    def reconcile(self, key: Key) -> float | None:
        """Take the next step of the rollout, then say how far it is."""
        deployment = self._access.get("Deployment", *key)
        if deployment is None or deleting(deployment):
            return None
        rollout = self._look(deployment)
        if deployment["spec"].get("paused"):
            self._scale_only(rollout)
        elif deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            self._recreate(rollout)
        else:
            self._roll(rollout)
        now = self._access.get("Deployment", *key)
        if now is None:
            return None
        rollout = self._look(now)
        self._clean_up(rollout)
        return write_status(self._access, rollout)

    def _look(self, deployment: Json) -> Rollout:
        sets = self._access.owned("ReplicaSet", deployment)
        sets.sort(key=lambda s: (str(s["metadata"]["creationTimestamp"]), name_of(s)))
        wanted = deployment["spec"]["template"]
        new = next((s for s in sets if _template_of(s) == wanted), None)
        return Rollout(deployment, new, [s for s in sets if s is not new])

    # Steps

    def _scale_only(self, rollout: Rollout) -> None:
        """Scale what is active without starting anything new."""
        running = [s for s in rollout.sets if s["spec"].get("replicas", 1)]
        only = running[0] if len(running) == 1 else rollout.new
        if only is not None and len(running) <= 1:
            self._scale(rollout, only, rollout.wanted)

    def _recreate(self, rollout: Rollout) -> None:
        for old in rollout.old:
            self._scale(rollout, old, 0)
        if rollout.old and self._old_pods(rollout):
            return
        self._scale(rollout, self._new(rollout, rollout.wanted), rollout.wanted)

    def _old_pods(self, rollout: Rollout) -> bool:
        """Say whether a pod of an old ReplicaSet is still there, leaving ones included."""
        pods = (p for old in rollout.old for p in self._access.owned("Pod", old))
        return any(not finished(p) for p in pods)

    def _roll(self, rollout: Rollout) -> None:
        surge, _ = fence(rollout)
        others = sum(s["spec"].get("replicas", 1) for s in rollout.old)
        new = self._new(rollout, min(rollout.wanted, max(0, rollout.wanted + surge - others)))
        have = new["spec"].get("replicas", 1)
        if have > rollout.wanted:
            have = rollout.wanted
        else:
            room = rollout.wanted + surge - others - have
            have += max(0, min(room, rollout.wanted - have))
        self._scale(rollout, new, have)
        self._scale_old_down(rollout, new, have)

    def _scale_old_down(self, rollout: Rollout, new: Json, have: int) -> None:
        _, unavailable = fence(rollout)
        least = rollout.wanted - unavailable
        ready = self._available(new)
        total = have + sum(s["spec"].get("replicas", 1) for s in rollout.old)
        room = total - least - (have - min(ready, have))
        for old in rollout.old:  # first what does not work anyway
            count = old["spec"].get("replicas", 1)
            drop = min(room, count - self._available(old))
            if drop > 0:
                self._scale(rollout, old, count - drop)
                room -= drop
        spare = ready + sum(self._available(s) for s in rollout.old) - least
        for old in rollout.old:
            found = self._access.get("ReplicaSet", space_of(old), name_of(old)) or old
            count = found["spec"].get("replicas", 1)
            drop = min(spare, count)
            if drop > 0:
                self._scale(rollout, found, count - drop)
                spare -= drop

    def _available(self, replica_set: Json) -> int:
        found = replica_set.get("status", {}).get("availableReplicas", 0)
        return min(int(found), int(replica_set["spec"].get("replicas", 1)))

    # ReplicaSets

    def _new(self, rollout: Rollout, replicas: int) -> Json:
        """Return the ReplicaSet of the template as it is now, under the newest revision."""
        revisions = [_revision(s) for s in rollout.old]
        newest = str(max(revisions, default=0) + 1)
        if rollout.new is None:
            made = self._access.create(_replica_set(rollout, replicas, newest))
            self._tell(rollout, made, 0, replicas)
            rollout.new = made
        elif _revision(rollout.new) < int(newest):
            rollout.new = self._access.annotate(rollout.new, {REVISION: newest})
        revision = rollout.new["metadata"]["annotations"][REVISION]
        # Through the status, as the real one does: an annotation would count as a new generation.
        rollout.deployment = self._access.annotate(
            rollout.deployment, {REVISION: revision}, subresource="status"
        )
        return rollout.new

    def _scale(self, rollout: Rollout, replica_set: Json, replicas: int) -> None:
        before = replica_set["spec"].get("replicas", 1)
        found = self._access.get("ReplicaSet", space_of(replica_set), name_of(replica_set))
        if before == replicas or found is None:
            return
        changed = clone(found)
        changed["spec"]["replicas"] = replicas
        changed["metadata"].setdefault("annotations", {}).update(_sizes(rollout))
        self._access.update(changed)
        self._tell(rollout, replica_set, before, replicas)

    def _tell(self, rollout: Rollout, replica_set: Json, before: int, after: int) -> None:
        if before == after:
            return
        way = "up" if after > before else "down"
        words = f"Scaled {way} replica set {name_of(replica_set)} from {before} to {after}"
        self._recorder.normal(rollout.deployment, _COMPONENT, "ScalingReplicaSet", words)

    def _clean_up(self, rollout: Rollout) -> None:
        keep = rollout.deployment["spec"].get("revisionHistoryLimit", 10)
        empty = [
            s
            for s in rollout.old
            if not s["spec"].get("replicas", 1)
            and not any(active(p) for p in self._access.owned("Pod", s))
            and not deleting(s)
        ]
        empty.sort(key=_revision)
        for old in empty[: max(0, len(rollout.old) - keep)]:
            self._access.delete(old)


def _template_of(replica_set: Json) -> Json:
    """Return the template that a ReplicaSet was made of."""
    template: Json = clone(replica_set["spec"]["template"])
    template.get("metadata", {}).get("labels", {}).pop(HASH, None)
    return template


def _revision(replica_set: Json) -> int:
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def _sizes(rollout: Rollout) -> dict[str, str]:
    surge, _ = fence(rollout)
    return {_DESIRED: str(rollout.wanted), _MAXIMUM: str(rollout.wanted + surge)}


def _replica_set(rollout: Rollout, replicas: int, revision: str) -> Json:
    deployment = rollout.deployment
    template = clone(deployment["spec"]["template"])
    mark = safe_hash(template)
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = mark
    selector = clone(deployment["spec"]["selector"])
    selector.setdefault("matchLabels", {})[HASH] = mark
    copied = (deployment["metadata"].get("annotations") or {}).items()
    annotations = {k: v for k, v in copied if k not in _OWN} | _sizes(rollout)
    spec = {"replicas": replicas, "selector": selector, "template": template}
    if deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)[:242]}-{mark}",
            "namespace": space_of(deployment),
            "labels": dict(template["metadata"]["labels"]),
            "annotations": annotations | {REVISION: revision},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": spec,
    }
