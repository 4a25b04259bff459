"""PersistentVolumeClaims: bound, or which storage class is in the way."""

from __future__ import annotations

import pytest

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json
from orchestrator.watcher.health import assess
from tests.watcher.objects import claim, event, live, ref, storage_class, view_of

BUSY, BAD = HealthStatus.PROGRESSING, HealthStatus.DEGRADED
ON_CLAIM = "on PersistentVolumeClaim/store-acme/data-mysql-0)"
WORDS = 'failed to provision volume with StorageClass "fast": rpc error: out of capacity'


def judge(found: Json, *classes: Json, events: tuple[Json, ...] = ()) -> Health:
    name = found["metadata"]["name"]
    view = view_of(found, *classes, events=events)
    return assess(ref("PersistentVolumeClaim", name), view)


def pending(class_name: str | None = "fast", name: str = "data-mysql-0") -> Json:
    return claim(name, "Pending", class_name)


def test_bound() -> None:
    well = Health(HealthStatus.HEALTHY, "Bound", "The volume is there: 4Gi")
    assert judge(claim()) == well
    assert judge(claim(class_name="gone")) == well


@pytest.mark.parametrize(
    ("found", "classes", "reason", "sentence"),
    [
        (
            pending(),
            [storage_class()],
            "Pending",
            "The database's volume is being made by storage class fast",
        ),
        (
            pending(name="wordpress"),
            [storage_class()],
            "Pending",
            "The shop's volume is being made by storage class fast",
        ),
        (
            pending(name="extra"),
            [storage_class()],
            "Pending",
            "The volume extra is being made by storage class fast",
        ),
        (
            pending(),
            [storage_class(mode="WaitForFirstConsumer")],
            "WaitForFirstConsumer",
            "The database's volume waits for its first user (storage class fast)",
        ),
        (
            pending(None),
            [storage_class("slow"), storage_class("ssd", default=True)],
            "Pending",
            "The database's volume is being made by storage class ssd",
        ),
        (pending(""), [], "Pending", "The database's volume waits for a volume made by hand"),
    ],
)
def test_waiting_names_the_storage_class(
    found: Json, classes: list[Json], reason: str, sentence: str
) -> None:
    name = found["metadata"]["name"]
    where = f"({reason} on PersistentVolumeClaim/store-acme/{name})"
    assert judge(found, *classes) == Health(BUSY, reason, f"{sentence} {where}")


def test_a_class_that_does_not_exist() -> None:
    assert judge(pending("nvme"), storage_class("fast")) == Health(
        BAD,
        "StorageClassNotFound",
        "The database's volume cannot be made: the storage class nvme does not exist "
        f"(StorageClassNotFound {ON_CLAIM}",
    )


def test_no_class_named_and_no_default_says_what_to_set() -> None:
    assert judge(pending(None), storage_class("fast")) == Health(
        BAD,
        "NoDefaultStorageClass",
        "The database's volume cannot be made: the cluster has no default storage class and "
        f"none is set (URUMI_STORAGE_CLASS) (NoDefaultStorageClass {ON_CLAIM}",
    )


def test_a_provisioner_that_fails_is_quoted() -> None:
    found = pending()
    failed = event(found, "ProvisioningFailed", WORDS, "2026-11-23T12:00:00Z")
    assert judge(found, storage_class(), events=(failed,)) == Health(
        BAD,
        "ProvisioningFailed",
        f"The storage class fast cannot make the database's volume: {WORDS} "
        f"(ProvisioningFailed {ON_CLAIM}",
    )
    again = event(found, "Provisioning", "trying again", "2026-11-23T12:01:00Z")
    assert judge(found, storage_class(), events=(failed, again)).reason == "Pending"


def test_a_lost_volume() -> None:
    assert judge(claim(phase="Lost"), storage_class()) == Health(
        BAD, "Lost", f"The database's volume is gone, and its data with it (Lost {ON_CLAIM}"
    )


def test_a_claim_that_nobody_has_looked_at_is_waiting() -> None:
    found = live("PersistentVolumeClaim", "data-mysql-0", spec={"storageClassName": "fast"})
    assert judge(found, storage_class()).reason == "Pending"


def test_a_claim_that_is_being_deleted_names_what_protects_it() -> None:
    found = claim()
    found["metadata"] |= {
        "deletionTimestamp": "2026-11-23T12:00:00Z",
        "finalizers": ["kubernetes.io/pvc-protection"],
    }
    health = judge(found, storage_class())
    assert (health.status, health.reason) == (BUSY, "Terminating")
    assert "finalizers left: kubernetes.io/pvc-protection" in health.message
