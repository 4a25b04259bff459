from __future__ import annotations

import pytest

from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.reconciler.volumes import fit_claims, kept_sizes, lost_claims


def claim(size: str, phase: str = "Bound") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-mysql-0", "namespace": "store-a"},
        "spec": {"resources": {"requests": {"storage": size}}},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    ("wanted", "live", "expandable", "sent"),
    [
        ("10Gi", "4Gi", True, "10Gi"),
        ("10Gi", "4Gi", False, "4Gi"),
        ("4Gi", "10Gi", True, "10Gi"),
        ("4Gi", "10Gi", False, "10Gi"),
        ("4Gi", "4Gi", False, "4Gi"),
        ("1Gi", "900Mi", True, "1Gi"),
    ],
)
def test_a_claim_is_never_sent_at_a_size_that_the_cluster_refuses(
    wanted: str, live: str, expandable: bool, sent: str
) -> None:
    present = {ObjectRef.of(claim(live)): claim(live)}
    (fitted,) = fit_claims([claim(wanted)], present, expandable=expandable)
    assert fitted["spec"]["resources"]["requests"]["storage"] == sent


def test_a_claim_keeps_the_class_that_it_was_made_with() -> None:
    wanted, live = claim("4Gi"), claim("4Gi")
    wanted["spec"]["storageClassName"], live["spec"]["storageClassName"] = "fast", "standard"
    (fitted,) = fit_claims([wanted], {ObjectRef.of(live): live}, expandable=True)
    assert fitted["spec"]["storageClassName"] == "standard"


def test_a_new_claim_and_other_objects_are_sent_as_they_are() -> None:
    service = {"kind": "Service", "metadata": {"name": "mysql", "namespace": "store-a"}}
    assert fit_claims([claim("4Gi"), service], {}, expandable=False) == [claim("4Gi"), service]


@pytest.mark.parametrize(
    ("wanted", "live", "expandable", "why"),
    [
        ("2Gi", "4Gi", True, "never shrinks"),
        ("8Gi", "4Gi", False, "instead of 8Gi: it grows once it is bound"),
        ("8Gi", "4Gi", True, None),
        ("4Gi", "4Gi", False, None),
    ],
)
def test_a_size_that_is_not_the_plans_is_explained(
    wanted: str, live: str, expandable: bool, why: str | None
) -> None:
    present = {ObjectRef.of(claim(live)): claim(live)}
    fitted = fit_claims([claim(wanted)], present, expandable=expandable)
    said = [text for _, text in kept_sizes([claim(wanted)], fitted)]
    assert len(said) == (why is not None)
    assert why is None or why in said[0]


def test_a_claim_without_a_volume_keeps_its_size_for_now() -> None:
    present = claim("4Gi", "Pending")
    (fitted,) = fit_claims([claim("8Gi")], {ObjectRef.of(present): present}, expandable=True)
    assert fitted["spec"]["resources"]["requests"]["storage"] == "4Gi"


def test_a_claim_that_the_shop_had_is_lost_when_it_is_gone_or_going() -> None:
    ref = ObjectRef.of(claim("4Gi"))
    going = claim("4Gi")
    going["metadata"]["deletionTimestamp"] = "2026-11-24T00:00:00Z"
    assert lost_claims([claim("4Gi")], {}, {ref}) == [ref]
    assert lost_claims([claim("4Gi")], {ref: going}, {ref}) == [ref]
    assert lost_claims([claim("4Gi")], {ref: claim("4Gi")}, {ref}) == []
    assert lost_claims([claim("4Gi")], {}, set()) == [], "it was never there"
