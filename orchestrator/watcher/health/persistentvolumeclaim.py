"""PersistentVolumeClaim health: bound, or waiting for which storage class."""

from __future__ import annotations

from typing import Final

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, dig, mappings, meta, name_of, spec, status, text
from orchestrator.watcher.health.words import degraded, healthy, progressing, with_detail
from orchestrator.watcher.view import StoreView

DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_SUBJECTS: Final = {"data-mysql-0": "The database's volume", "wordpress": "The shop's volume"}


def assess(claim: Json, view: StoreView) -> Health:
    """Judge a claim."""
    phase = text(status(claim).get("phase"))
    if phase == "Bound":
        size = clean(dig(status(claim), "capacity", "storage"), 30)
        return healthy("Bound", with_detail("The volume is there", size))
    if phase == "Lost":
        return degraded("Lost", f"{_subject(claim)} is gone, and its data with it", claim)
    return _missing_class(claim, view) or _refused(claim, view) or _waiting(claim, view)


def _subject(claim: Json) -> str:
    return _SUBJECTS.get(name_of(claim), f"The volume {clean(name_of(claim), 63)}")


def _class_name(claim: Json, view: StoreView) -> str | None:
    """Return the storage class that the claim gets: named, or the cluster's default.

    None means that it names none and the cluster has no default; empty means that it asks for a
    volume made by hand.
    """
    named = spec(claim).get("storageClassName")
    if isinstance(named, str):
        return clean(named, 253)
    defaults = sorted(name for name, c in view.storage_classes.items() if _is_default(c))
    return defaults[0] if defaults else None


def _is_default(storage_class: Json) -> bool:
    return text(dig(meta(storage_class), "annotations", DEFAULT_CLASS)) == "true"


def _missing_class(claim: Json, view: StoreView) -> Health | None:
    name = _class_name(claim, view)
    if name is None:
        sentence = (
            f"{_subject(claim)} cannot be made: the cluster has no default storage class "
            "and none is set (URUMI_STORAGE_CLASS)"
        )
        return degraded("NoDefaultStorageClass", sentence, claim)
    if name and view.storage_class(name) is None:
        sentence = f"{_subject(claim)} cannot be made: the storage class {name} does not exist"
        return degraded("StorageClassNotFound", sentence, claim)
    return None


def _refused(claim: Json, view: StoreView) -> Health | None:
    events = view.events_of("PersistentVolumeClaim", name_of(claim))
    if not events or events[0].get("reason") != "ProvisioningFailed":
        return None
    words = clean(events[0].get("message"), 300)
    name = _class_name(claim, view)
    sentence = with_detail(f"The storage class {name} cannot make {_lower(claim)}", words)
    return degraded("ProvisioningFailed", sentence, claim)


def _lower(claim: Json) -> str:
    subject = _subject(claim)
    return subject[:1].lower() + subject[1:]


def _waiting(claim: Json, view: StoreView) -> Health:
    name = _class_name(claim, view)
    if not name:
        return progressing("Pending", f"{_subject(claim)} waits for a volume made by hand", claim)
    mode = (view.storage_class(name) or {}).get("volumeBindingMode")
    if mode == "WaitForFirstConsumer":
        sentence = f"{_subject(claim)} waits for its first user (storage class {name})"
        return progressing("WaitForFirstConsumer", sentence, claim)
    return progressing("Pending", f"{_subject(claim)} is being made by storage class {name}", claim)


def blocking(workload: Json, view: StoreView) -> Health | None:
    """Return what is wrong with a claim that the workload's pods mount, or None.

    A claim that only waits for its first user does not hold up anything; one that is being made
    does, but the pods may know better, so only degraded ones count here.
    """
    for name in _claim_names(workload):
        claim = view.get("PersistentVolumeClaim", name)
        if claim is None:
            continue
        found = assess(claim, view)
        if found.status is HealthStatus.DEGRADED:
            return found
    return None


def _claim_names(workload: Json) -> list[str]:
    volumes = mappings(dig(spec(workload), "template", "spec", "volumes"))
    mounted = [text(dig(v, "persistentVolumeClaim", "claimName")) for v in volumes]
    return [name for name in mounted if name]
