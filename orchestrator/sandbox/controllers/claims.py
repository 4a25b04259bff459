"""PersistentVolumeClaims: volumes for those whose class exists, patience for the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from orchestrator.sandbox.controllers import needs, pace
from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import deleting, finished, name_of, space_of
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.pace import Pace
from orchestrator.sandbox.controllers.recorder import NODE, Recorder
from orchestrator.sandbox.quantity import value_of
from orchestrator.sandbox.values import Json, clone

_COMPONENT: Final = "persistentvolume-controller"
_PROTECTION: Final = "kubernetes.io/pvc-protection"
_BOUND: Final = "pv.kubernetes.io/bind-completed"
_VOLUME_PROTECTION: Final = "kubernetes.io/pv-protection"


class Claims:
    """Binds claims, and lets go of those that nobody uses any more."""

    def __init__(self, access: Access, pace: Pace, recorder: Recorder) -> None:
        self._access = access
        self._pace = pace
        self._recorder = recorder

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Claims, classes that claims may wait for, pods that hold claims, their volumes."""
        return {
            "PersistentVolumeClaim": itself,
            "StorageClass": self._pending,
            "PersistentVolume": _claim_of,
            "Pod": lambda pod: [(space_of(pod), name) for name in needs.claim_names(pod)],
        }

    def _pending(self, _: Json) -> Iterable[Key]:
        for claim in self._access.items("PersistentVolumeClaim"):
            if claim.get("status", {}).get("phase") != "Bound":
                yield space_of(claim), name_of(claim)

    def reconcile(self, key: Key) -> float | None:
        """Bind, grow or release the claim."""
        claim = self._access.get("PersistentVolumeClaim", *key)
        if claim is None:
            return None
        if deleting(claim):
            self._release(claim)
            return None
        if _PROTECTION not in (claim["metadata"].get("finalizers") or ()):
            self._access.add_finalizer(claim, _PROTECTION)
            return None
        if _BOUND in (claim["metadata"].get("annotations") or {}):
            self._keep(claim)
            return None
        return self._bind(claim)

    def _keep(self, claim: Json) -> None:
        """Look after a claim that says it was bound: one without its volume is lost for good.

        One that is not said to be Bound yet is: the run that bound it may have been killed.
        """
        name = claim["spec"].get("volumeName")
        volume = self._access.get("PersistentVolume", "", name) if name else None
        if not name:
            self._lose(claim, "Bound claim has lost reference to PersistentVolume.")
        elif volume is None:
            self._lose(claim, "Bound claim has lost its PersistentVolume.")
        elif claim.get("status", {}).get("phase") == "Bound":
            self._grow(claim)
        elif volume["spec"].get("claimRef", {}).get("uid") == claim["metadata"]["uid"]:
            self._access.set_status(claim, _bound_status(claim))

    def _lose(self, claim: Json, why: str) -> None:
        words = f"{why} Data on the volume is lost!"
        self._recorder.warning_once(claim, _COMPONENT, "ClaimLost", words)
        self._access.set_status(claim, {"phase": "Lost"})

    def _release(self, claim: Json) -> None:
        used = any(
            name_of(claim) in needs.claim_names(pod)
            and pod["spec"].get("nodeName")
            and not finished(pod)
            for pod in self._access.items("Pod", space_of(claim))
        )
        if not used and _PROTECTION in (claim["metadata"].get("finalizers") or ()):
            self._pace.forget(claim["metadata"]["uid"])
            self._access.drop_finalizer(claim, _PROTECTION)

    def _bind(self, claim: Json) -> float | None:
        name = claim["spec"].get("storageClassName")
        if name is None:
            self._choose_class(claim)
            return None
        if not name:
            words = "no persistent volumes available for this claim and no storage class is set"
            self._recorder.normal_once(claim, _COMPONENT, "FailedBinding", words)
            return None
        found = self._access.get("StorageClass", "", name)
        if found is None:
            words = f'storageclass.storage.k8s.io "{name}" not found'
            self._recorder.warning_once(claim, _COMPONENT, "ProvisioningFailed", words)
            return None
        chosen = (claim["metadata"].get("annotations") or {}).get(needs.SELECTED_NODE)
        if needs.waits_for_consumer(claim, self._access) and not chosen:
            words = "waiting for first consumer to be created before binding"
            self._recorder.normal_once(claim, _COMPONENT, "WaitForFirstConsumer", words)
            return None
        left = self._pace.remaining(claim["metadata"]["uid"], "bind", pace.BIND)
        if not left:
            self._provision(claim, found)
        return left or None

    def _choose_class(self, claim: Json) -> None:
        found = needs.class_of(claim, self._access)
        if found is not None:
            changed = clone(claim)
            changed["spec"]["storageClassName"] = name_of(found)
            self._access.update(changed)
            return
        words = "no persistent volumes available for this claim and no storage class is set"
        self._recorder.normal_once(claim, _COMPONENT, "FailedBinding", words)

    def _provision(self, claim: Json, storage_class: Json) -> None:
        volume = _volume(claim, storage_class)
        self._access.ensure(volume)
        made = self._access.get("PersistentVolume", "", name_of(volume))
        if made is not None:
            self._access.set_status(made, {"phase": "Bound"})
        marks = {
            _BOUND: "yes",
            "pv.kubernetes.io/bound-by-controller": "yes",
        }
        marks["volume.kubernetes.io/storage-provisioner"] = storage_class["provisioner"]
        changed = clone(claim)
        changed["spec"]["volumeName"] = name_of(volume)
        changed["metadata"]["annotations"] = (claim["metadata"].get("annotations") or {}) | marks
        bound = self._access.update(changed)
        self._access.set_status(bound, _bound_status(bound))
        words = f"Successfully provisioned volume {name_of(volume)}"
        component = f"{storage_class['provisioner']}_sandbox"
        self._recorder.normal(claim, component, "ProvisioningSucceeded", words)

    def _grow(self, claim: Json) -> None:
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        have = claim["status"].get("capacity", {}).get("storage", "0")
        if value_of(wanted) <= value_of(have):
            return
        status = clone(claim["status"])
        status["capacity"] = {"storage": wanted}
        self._access.set_status(claim, status)
        words = "Volume resize succeeded (simulated)"
        self._recorder.normal(claim, "volume_expand", "VolumeResizeSuccessful", words)


def _bound_status(claim: Json) -> Json:
    return {
        "phase": "Bound",
        "accessModes": claim["spec"]["accessModes"],
        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
    }


def _claim_of(volume: Json) -> Iterable[Key]:
    reference = volume["spec"].get("claimRef")
    return [(reference["namespace"], reference["name"])] if reference else []


def _volume(claim: Json, storage_class: Json) -> Json:
    meta = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": f"pvc-{meta['uid']}",
            "annotations": {"pv.kubernetes.io/provisioned-by": storage_class["provisioner"]},
            "finalizers": [_VOLUME_PROTECTION],
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            },
            "hostPath": {"path": f"/simulation/{meta['uid']}", "type": ""},
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {
                                    "key": "kubernetes.io/hostname",
                                    "operator": "In",
                                    "values": [NODE],
                                }
                            ]
                        }
                    ]
                }
            },
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": name_of(storage_class),
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        },
    }


class Volumes:
    """Removes volumes whose claim is gone."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Volumes, and the claims they are for."""
        return {
            "PersistentVolume": itself,
            "PersistentVolumeClaim": lambda claim: [("", f"pvc-{claim['metadata']['uid']}")],
        }

    def reconcile(self, key: Key) -> float | None:
        """Release the volume, or delete it, as its policy says."""
        volume = self._access.get("PersistentVolume", *key)
        reference = (volume or {}).get("spec", {}).get("claimRef")
        if volume is None or reference is None:
            return None
        claim = self._access.get("PersistentVolumeClaim", reference["namespace"], reference["name"])
        if claim is not None and claim["metadata"]["uid"] == reference["uid"]:
            return None
        if volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
            self._access.set_status(volume, {"phase": "Released"})
        elif not deleting(volume):
            self._access.delete(volume)
        elif _VOLUME_PROTECTION in (volume["metadata"].get("finalizers") or ()):
            self._access.drop_finalizer(volume, _VOLUME_PROTECTION)
        return None
