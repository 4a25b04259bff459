"""StatefulSets: pods with names that stay, one after the other, each with its own claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import (
    deleting,
    finished,
    is_available,
    is_ready,
    name_of,
    owner_reference,
    pod_from,
    safe_hash,
    space_of,
    to_owner,
)
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.recorder import Recorder
from orchestrator.sandbox.registry import ApiError
from orchestrator.sandbox.values import Json, clone

REVISION: Final = "controller-revision-hash"
_COMPONENT: Final = "statefulset-controller"
_RETRY: Final = 5.0


class StatefulSets:
    """Keeps the pods ``name-0`` to ``name-n`` of each StatefulSet."""

    def __init__(self, access: Access, recorder: Recorder) -> None:
        self._access = access
        self._recorder = recorder

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """StatefulSets, their pods, and claims that pods wait for."""
        return {"StatefulSet": itself, "Pod": to_owner("StatefulSet")}

    def reconcile(self, key: Key) -> float | None:
        """Take the next step, then say how far it is."""
        found = self._access.get("StatefulSet", *key)
        if found is None:
            return None
        revision = self._revision(found)
        failed = None if deleting(found) else self._step(found, revision)
        return self._report(found, revision) or (_RETRY if failed else None)

    def _revision(self, stateful: Json) -> str:
        """Return the name of the template's revision; keeps it as a ControllerRevision."""
        template = stateful["spec"]["template"]
        name = f"{name_of(stateful)[:240]}-{safe_hash(template)}"
        space = space_of(stateful)
        if not deleting(stateful) and self._access.get("ControllerRevision", space, name) is None:
            number = len(self._access.owned("ControllerRevision", stateful)) + 1
            labels = (template.get("metadata") or {}).get("labels") or {}
            self._access.create(
                {
                    "apiVersion": "apps/v1",
                    "kind": "ControllerRevision",
                    "metadata": {
                        "name": name,
                        "namespace": space,
                        "labels": labels
                        | {"controller.kubernetes.io/hash": name.rpartition("-")[2]},
                        "ownerReferences": [owner_reference(stateful)],
                    },
                    "data": {"spec": {"template": clone(template) | {"$patch": "replace"}}},
                    "revision": number,
                }
            )
        return name

    def _pods(self, stateful: Json) -> dict[int, Json]:
        return {_ordinal(p): p for p in self._access.owned("Pod", stateful)}

    def _step(self, stateful: Json, revision: str) -> bool:
        """Create, replace and remove pods; says whether a pod was refused."""
        pods = self._pods(stateful)
        spec = stateful["spec"]
        parallel = spec.get("podManagementPolicy") == "Parallel"
        first = (spec.get("ordinals") or {}).get("start", 0)
        wanted = range(first, first + spec.get("replicas", 1))
        for ordinal in wanted:
            pod = pods.get(ordinal)
            if pod is None and not self._create(stateful, ordinal, revision):
                return True
            if pod is not None and finished(pod) and not deleting(pod):
                self._delete(stateful, pod)
            if not parallel and (pod is None or not is_ready(pod) or deleting(pod)):
                return False
        surplus = sorted((o for o in pods if o not in wanted), reverse=True)
        for ordinal in surplus:
            if not deleting(pods[ordinal]):
                self._delete(stateful, pods[ordinal])
            if not parallel:
                return False
        self._update(stateful, pods, revision)
        return False

    def _update(self, stateful: Json, pods: dict[int, Json], revision: str) -> None:
        strategy = stateful["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for ordinal in sorted(pods, reverse=True):
            pod = pods[ordinal]
            if ordinal < partition:
                return
            if _revision_of(pod) != revision and not deleting(pod):
                self._delete(stateful, pod)
                return
            if deleting(pod) or not is_ready(pod):
                return

    def _create(self, stateful: Json, ordinal: int, revision: str) -> bool:
        name = f"{name_of(stateful)}-{ordinal}"
        pod = _pod(stateful, ordinal, revision)
        try:
            for template in stateful["spec"].get("volumeClaimTemplates") or ():
                self._claim(stateful, template, ordinal)
            self._access.create(pod)
        except ApiError as error:
            if error.code == 409:
                return True
            words = f"create Pod {name} in StatefulSet {name_of(stateful)} failed error: {error}"
            self._recorder.warning(stateful, _COMPONENT, "FailedCreate", words)
            return False
        words = f"create Pod {name} in StatefulSet {name_of(stateful)} successful"
        self._recorder.normal(stateful, _COMPONENT, "SuccessfulCreate", words)
        return True

    def _claim(self, stateful: Json, template: Json, ordinal: int) -> None:
        """Make a pod's claim unless it is there: claims outlive their pods."""
        name = f"{name_of(template)}-{name_of(stateful)}-{ordinal}"
        if self._access.get("PersistentVolumeClaim", space_of(stateful), name) is not None:
            return
        claim = clone(template) | {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        labels = dict(claim["metadata"].get("labels") or {})
        labels |= stateful["spec"]["selector"].get("matchLabels") or {}
        meta = {"name": name, "namespace": space_of(stateful), "labels": labels}
        if claim["metadata"].get("annotations"):
            meta["annotations"] = claim["metadata"]["annotations"]
        claim["metadata"] = meta
        claim.pop("status", None)
        self._access.create(claim)
        words = (
            f"create Claim {name} Pod {name_of(stateful)}-{ordinal} in StatefulSet "
            f"{name_of(stateful)} success"
        )
        self._recorder.normal(stateful, _COMPONENT, "SuccessfulCreate", words)

    def _delete(self, stateful: Json, pod: Json) -> None:
        self._access.delete(pod)
        words = f"delete Pod {name_of(pod)} in StatefulSet {name_of(stateful)} successful"
        self._recorder.normal(stateful, _COMPONENT, "SuccessfulDelete", words)

    def _report(self, stateful: Json, revision: str) -> float | None:
        found = self._access.get("StatefulSet", space_of(stateful), name_of(stateful))
        if found is None:
            return None
        pods = [p for p in self._pods(found).values() if not finished(p)]
        status = clone(found.get("status") or {})
        wait = found["spec"].get("minReadySeconds", 0)
        updated = [p for p in pods if _revision_of(p) == revision]
        current = status.get("currentRevision") or revision
        ready = [p for p in pods if is_ready(p) and not deleting(p)]
        available = [p for p in ready if is_available(p, wait)]
        if len(updated) == len(pods) == found["spec"].get("replicas", 1) == len(ready):
            current = revision
        status |= {
            "observedGeneration": found["metadata"]["generation"],
            "collisionCount": 0,
            "currentRevision": current,
            "updateRevision": revision,
            "replicas": len(pods),
            "availableReplicas": len(available),
        }
        counts = {
            "readyReplicas": len(ready),
            "updatedReplicas": len(updated),
            "currentReplicas": sum(_revision_of(p) == current for p in pods),
        }
        for name, count in counts.items():
            status.pop(name, None)
            if count:
                status[name] = count
        self._access.set_status(found, status)
        return float(wait) if len(available) < len(ready) else None


def _ordinal(pod: Json) -> int:
    return int(name_of(pod).rpartition("-")[2])


def _revision_of(pod: Json) -> str:
    mark: str = pod["metadata"]["labels"].get(REVISION, "")
    return mark


def _pod(stateful: Json, ordinal: int, revision: str) -> Json:
    name = f"{name_of(stateful)}-{ordinal}"
    labels = {
        REVISION: revision,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
    }
    pod = pod_from(stateful["spec"]["template"], stateful, labels)
    pod["metadata"] |= {"name": name, "generateName": f"{name_of(stateful)}-"}
    pod["spec"] |= {"hostname": name}
    if stateful["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = stateful["spec"]["serviceName"]
    claims = [t["metadata"]["name"] for t in stateful["spec"].get("volumeClaimTemplates") or ()]
    volumes = [v for v in pod["spec"].get("volumes") or () if v["name"] not in claims]
    for claim in claims:
        source = {"claimName": f"{claim}-{name}"}
        volumes.append({"name": claim, "persistentVolumeClaim": source})
    if volumes:
        pod["spec"]["volumes"] = volumes
    return pod
