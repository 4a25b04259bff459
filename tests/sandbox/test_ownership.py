"""Server-side apply and updates: who owns what, beyond what the contract suite checks."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.sandbox import resources
from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.operation import Options
from orchestrator.sandbox.registry import Registry

Json = dict[str, Any]


def deployment(**container: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "paused": True,
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "x"} | container]},
            },
        },
    }


def configmap(name: str = "c", **fields: Any) -> Json:
    meta = {"name": name, "namespace": "shop"} | fields.pop("metadata", {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta} | fields


def owned(obj: Json, manager: str, operation: str = "Apply", subresource: str = "") -> Json | None:
    for entry in obj["metadata"].get("managedFields", []):
        key = (entry["manager"], entry["operation"], entry.get("subresource", ""))
        if key == (manager, operation, subresource):
            fields: Json = entry["fieldsV1"]
            return fields
    return None


def test_a_create_owns_what_a_real_server_says(registry: Registry) -> None:
    """The expected set is what Kubernetes 1.36.3 recorded for this object."""
    made = registry.create(deployment(), manager="x")
    container: dict[str, Any] = {".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}}
    container |= {"f:resources": {}, "f:terminationMessagePath": {}}
    container |= {"f:terminationMessagePolicy": {}}
    assert owned(made, "x", "Update") == {
        "f:spec": {
            "f:paused": {},
            "f:progressDeadlineSeconds": {},
            "f:replicas": {},
            "f:revisionHistoryLimit": {},
            "f:selector": {},
            "f:strategy": {
                "f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}},
                "f:type": {},
            },
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:containers": {'k:{"name":"web"}': container},
                    "f:dnsPolicy": {},
                    "f:restartPolicy": {},
                    "f:schedulerName": {},
                    "f:securityContext": {},
                    "f:terminationGracePeriodSeconds": {},
                },
            },
        }
    }


def test_an_unchanged_apply_is_the_same_object(registry: Registry) -> None:
    body = deployment(resources={"limits": {"cpu": "0.5"}}, env=[{"name": "A", "value": ""}])
    first = registry.apply(body, manager="alice")
    version = registry.storage.version
    assert registry.apply(body, manager="alice") == first
    assert registry.storage.version == version


def test_the_status_has_owners_of_its_own(registry: Registry) -> None:
    registry.apply(deployment(), manager="alice")
    status = {"observedGeneration": 1, "replicas": 1}
    made = registry.update_status("Deployment", "shop", "web", status, manager="controller")
    assert owned(made, "controller", "Update", "status") == {
        "f:status": {"f:observedGeneration": {}, "f:replicas": {}}
    }
    again = registry.apply(deployment() | {"status": {"replicas": 9}}, manager="alice")
    assert again["status"] == status
    fields = owned(again, "alice")
    assert fields is not None and "f:status" not in fields


def test_replicas_scaled_by_somebody_else_are_a_conflict(registry: Registry) -> None:
    registry.apply(deployment(), manager="alice")
    kind = resources.of("Deployment")
    registry.patch(
        kind,
        "shop",
        "web",
        lambda old: old | {"spec": old["spec"] | {"replicas": 3}},
        Options("kubectl", subresource="scale"),
    )
    with pytest.raises(ApiError) as refused:
        registry.apply(deployment(), manager="alice")
    assert refused.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using '
        "apps/v1: .spec.replicas"
    )
    assert registry.apply(deployment(), manager="alice", force=True)["spec"]["replicas"] == 0


def test_many_conflicts_are_listed_by_manager(registry: Registry) -> None:
    registry.apply(configmap(data={"a": "1", "b": "1"}), manager="alice")
    with pytest.raises(ApiError) as refused:
        registry.apply(configmap(data={"a": "2", "b": "2"}), manager="bob")
    assert refused.value.message == (
        'Apply failed with 2 conflicts: conflicts with "alice":\n- .data.a\n- .data.b'
    )


def test_a_struct_that_is_no_longer_sent_goes_as_a_whole(registry: Registry) -> None:
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}
    registry.apply(deployment(readinessProbe=probe), manager="alice")
    left = registry.apply(deployment(), manager="alice")
    assert "readinessProbe" not in left["spec"]["template"]["spec"]["containers"][0]


def test_an_entry_with_defaults_goes_when_its_only_owner_drops_it(registry: Registry) -> None:
    ports = [{"containerPort": 80}, {"containerPort": 81}]
    registry.apply(deployment(ports=ports), manager="alice")
    left = registry.apply(deployment(ports=ports[:1]), manager="alice")
    found = left["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert found == [{"containerPort": 80, "protocol": "TCP"}]


def test_objects_from_before_the_first_apply(registry: Registry) -> None:
    made = registry.create(configmap(data={"a": "1"}), manager="x")
    made["metadata"]["managedFields"] = [{}]
    bare = registry.update(made, manager="x")
    assert "managedFields" not in bare["metadata"]
    with pytest.raises(ApiError) as refused:
        registry.apply(configmap(data={"a": "2"}), manager="alice")
    assert 'conflict with "before-first-apply" using v1' in refused.value.message


def test_old_update_managers_are_put_together(registry: Registry) -> None:
    registry.create(configmap(data={"first": "x"}), manager="m0")
    for number in range(15):
        found = registry.get("ConfigMap", "shop", "c")
        found.setdefault("data", {})[f"k{number:02}"] = "x"
        registry.update(found, manager=f"m{number:02}")
    entries = registry.get("ConfigMap", "shop", "c")["metadata"]["managedFields"]
    assert len(entries) == 10
    assert "ancient-changes" in {e["manager"] for e in entries}
    keys = {k for e in entries for k in e["fieldsV1"]["f:data"] if k != "."}
    assert keys == {"f:first"} | {f"f:k{n:02}" for n in range(15)}, "no field loses its owner"


def test_kubectl_may_move_from_client_side_to_server_side_apply(registry: Registry) -> None:
    note = "kubectl.kubernetes.io/last-applied-configuration"
    last = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}'
    registry.create(
        configmap(data={"a": "1"}, metadata={"annotations": {note: last}}),
        manager="kubectl-client-side-apply",
    )
    with pytest.raises(ApiError):
        registry.apply(configmap(data={"a": "2"}), manager="somebody")
    made = registry.apply(configmap(data={"a": "2"}), manager="kubectl")
    assert made["data"] == {"a": "2"}
    assert '"a":"2"' in made["metadata"]["annotations"][note]
