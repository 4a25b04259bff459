from __future__ import annotations

import copy
from typing import Any

from orchestrator.applier.ownership import digest, foreign_changes, live_digest, missing
from orchestrator.model.kinds import Json

FIELDS: Json = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:targetPort": {}}},
    },
}


def live(**changes: Any) -> Json:
    return {
        "kind": "Service",
        "metadata": {
            "name": "a",
            "resourceVersion": "1",
            "labels": {"app": "shop"},
            "managedFields": [
                {"manager": "urumi-orchestrator", "operation": "Apply", "fieldsV1": FIELDS}
            ],
        },
        "spec": {
            "replicas": 1,
            "clusterIP": "10.0.0.1",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}],
            **changes,
        },
    }


SENT: Json = {
    "kind": "Service",
    "metadata": {"name": "a", "labels": {"app": "shop"}},
    "spec": {"replicas": 1, "ports": [{"port": 80, "targetPort": 8080}]},
}


def test_what_others_write_beside_us_is_no_drift() -> None:
    beside = live(clusterIP="10.0.0.2", externalName="x")
    beside["metadata"]["resourceVersion"] = "99"
    beside["metadata"]["labels"]["team"] = "blue"
    assert live_digest(beside) == live_digest(live())


def test_a_changed_a_removed_and_a_taken_over_field_is_drift() -> None:
    changed = live(replicas=3)
    removed = live(ports=[])
    taken = copy.deepcopy(live())
    del taken["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:replicas"]
    digests = {live_digest(o) for o in (live(), changed, removed, taken)}
    assert len(digests) == 4


def test_an_object_that_we_never_applied_has_no_digest() -> None:
    foreign = live()
    foreign["metadata"]["managedFields"][0]["manager"] = "kubectl"
    assert live_digest(foreign) == ""
    assert live_digest({"metadata": {}}) == ""


def test_the_other_manager_and_its_fields_are_named() -> None:
    drifted = live(replicas=3)
    drifted["metadata"]["managedFields"].append(
        {
            "manager": "kubectl-scale",
            "operation": "Update",
            "time": "2026-11-23T12:00:00Z",
            "fieldsV1": {"f:spec": {"f:replicas": {}, "f:clusterIP": {}}},
        }
    )
    assert foreign_changes(SENT, drifted) == [(".spec.replicas", "kubectl-scale")]


def test_an_item_of_a_list_is_found_by_its_key_even_where_we_leave_a_default_out() -> None:
    drifted = live(ports=[{"port": 80, "protocol": "TCP", "targetPort": 1}])
    item = 'k:{"port":80,"protocol":"TCP"}'
    drifted["metadata"]["managedFields"].append(
        {
            "manager": "somebody",
            "operation": "Update",
            "fieldsV1": {"f:spec": {"f:ports": {item: {"f:targetPort": {}}}}},
        }
    )
    assert foreign_changes(SENT, drifted) == [
        ('.spec.ports[port=80,protocol="TCP"].targetPort', "somebody")
    ]


def test_missing_fields_are_named() -> None:
    bare = live()
    del bare["spec"]["replicas"]
    assert missing(SENT, bare) == [".spec.replicas"]


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})
