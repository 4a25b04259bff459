"""Deletion: finalizers, owners, propagation and preconditions."""

from __future__ import annotations

import pytest

from tests.contract.manifests import configmap, container, deployment, pod
from tests.contract.wire import (
    MERGE,
    Api,
    Json,
    Space,
    collection,
    eventually,
    ok,
    parsed,
    refused,
)


def owned(name: str, owner: Json, *, block: bool = False) -> Json:
    reference = {
        "apiVersion": owner.get("apiVersion", "v1"),
        "kind": owner.get("kind", "ConfigMap"),
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "blockOwnerDeletion": block,
    }
    return configmap(name, ownerReferences=[reference])


def release(space: Space, name: str) -> None:
    ok(space.api.patch(space.path("ConfigMap", name), MERGE, {"metadata": {"finalizers": None}}))


def test_delete_answers_with_a_status(space: Space) -> None:
    made = space.create(configmap("c"))
    answer = space.delete("ConfigMap", "c")
    assert (answer["kind"], answer["status"]) == ("Status", "Success")
    assert answer["details"]["uid"] == made["metadata"]["uid"]
    refused(space.api.delete(space.path("ConfigMap", "c")), 404, "NotFound")


def test_a_finalizer_holds_the_object(space: Space) -> None:
    space.create(configmap("c", data={"a": "1"}, finalizers=["example.com/hold"]))
    answer = space.delete("ConfigMap", "c")
    assert answer["kind"] == "ConfigMap"
    assert answer["metadata"]["deletionTimestamp"]
    assert answer["metadata"]["deletionGracePeriodSeconds"] == 0
    first = space.get("ConfigMap", "c")["metadata"]
    space.delete("ConfigMap", "c")
    again = space.get("ConfigMap", "c")["metadata"]
    assert again["deletionTimestamp"] == first["deletionTimestamp"]
    release(space, "c")
    assert not space.exists("ConfigMap", "c")


def test_an_object_in_deletion_can_change_but_takes_no_new_finalizer(space: Space) -> None:
    space.create(configmap("c", data={"a": "1"}, finalizers=["example.com/hold"]))
    space.delete("ConfigMap", "c")
    path = space.path("ConfigMap", "c")
    assert ok(space.api.patch(path, MERGE, {"data": {"a": "2"}}))["data"] == {"a": "2"}
    more = {"metadata": {"finalizers": ["example.com/hold", "example.com/new"]}}
    status = refused(space.api.patch(path, MERGE, more), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "metadata.finalizers"
    release(space, "c")


def test_the_watch_sees_the_mark_and_then_the_end(space: Space) -> None:
    made = space.create(configmap("c", finalizers=["example.com/hold"]))
    version = made["metadata"]["resourceVersion"]
    with space.api.watch(space.path("ConfigMap"), resourceVersion=version) as events:
        space.delete("ConfigMap", "c")
        marked = next(events)
        release(space, "c")
        ended = next(events)
    assert marked["type"] == "MODIFIED"
    assert marked["object"]["metadata"]["deletionTimestamp"]
    assert ended["type"] == "DELETED"


def test_a_uid_precondition(space: Space) -> None:
    made = space.create(configmap("c"))
    path = space.path("ConfigMap", "c")
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    status = refused(space.api.delete(path, wrong), 409, "Conflict")
    assert "UID in the precondition" in status["message"]
    assert space.exists("ConfigMap", "c")
    ok(space.api.delete(path, {"preconditions": {"uid": made["metadata"]["uid"]}}))
    assert not space.exists("ConfigMap", "c")


def test_a_resource_version_precondition(space: Space) -> None:
    old = space.create(configmap("c", data={"a": "1"}))["metadata"]["resourceVersion"]
    new = space.apply(configmap("c", data={"b": "1"}))["metadata"]["resourceVersion"]
    path = space.path("ConfigMap", "c")
    refused(space.api.delete(path, {"preconditions": {"resourceVersion": old}}), 409, "Conflict")
    ok(space.api.delete(path, {"preconditions": {"resourceVersion": new}}))


def test_background_takes_the_owner_first_and_then_its_own(space: Space) -> None:
    owner = space.create(configmap("owner"))
    space.create(owned("child", owner))
    grandchild = space.create(owned("lone", owner) | configmap("lone"))
    assert grandchild["metadata"].get("ownerReferences") is None
    space.delete("ConfigMap", "owner", {"propagationPolicy": "Background"})
    assert not space.exists("ConfigMap", "owner")
    eventually(lambda: not space.exists("ConfigMap", "child"))
    assert space.exists("ConfigMap", "lone")


def test_the_whole_tree_goes(space: Space) -> None:
    top = space.create(configmap("top"))
    middle = space.create(owned("middle", top))
    space.create(owned("leaf", middle))
    space.delete("ConfigMap", "top")
    eventually(lambda: not space.exists("ConfigMap", "leaf"))
    assert not space.exists("ConfigMap", "middle")


def test_foreground_waits_for_what_blocks(space: Space) -> None:
    owner = space.create(configmap("owner"))
    child = owned("child", owner, block=True)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    space.create(child)
    answer = space.delete("ConfigMap", "owner", {"propagationPolicy": "Foreground"})
    assert answer["metadata"]["finalizers"] == ["foregroundDeletion"]
    gone = eventually(lambda: space.get("ConfigMap", "child")["metadata"].get("deletionTimestamp"))
    assert gone
    assert space.exists("ConfigMap", "owner")
    release(space, "child")
    eventually(lambda: not space.exists("ConfigMap", "owner"))


def test_orphan_leaves_what_is_owned(space: Space) -> None:
    owner = space.create(configmap("owner"))
    space.create(owned("child", owner))
    space.delete("ConfigMap", "owner", {"propagationPolicy": "Orphan"})
    eventually(lambda: not space.exists("ConfigMap", "owner"))
    eventually(lambda: not space.get("ConfigMap", "child")["metadata"].get("ownerReferences"))


def test_an_owner_that_never_was_counts_as_gone(space: Space) -> None:
    ghost = {"metadata": {"name": "ghost", "uid": "00000000-0000-0000-0000-000000000000"}}
    space.create(owned("child", ghost))
    eventually(lambda: not space.exists("ConfigMap", "child"))


def test_another_owner_keeps_the_object(space: Space) -> None:
    first, second = (space.create(configmap(n)) for n in ("one", "two"))
    both = owned("child", first)
    both["metadata"]["ownerReferences"] += owned("x", second)["metadata"]["ownerReferences"]
    space.create(both)
    space.delete("ConfigMap", "one")
    eventually(lambda: len(space.get("ConfigMap", "child")["metadata"]["ownerReferences"]) == 1)
    space.delete("ConfigMap", "two")
    eventually(lambda: not space.exists("ConfigMap", "child"))


@pytest.mark.parametrize("policy", ["Foreground", "Background"])
def test_a_deployment_takes_its_replica_sets_along(space: Space, policy: str) -> None:
    space.create(deployment())
    eventually(lambda: space.items("ReplicaSet"))
    space.delete("Deployment", "web", {"propagationPolicy": policy})
    eventually(lambda: not space.exists("Deployment", "web"))
    eventually(lambda: not space.items("ReplicaSet"))


def test_a_wrong_policy_is_refused(space: Space) -> None:
    space.create(configmap("c"))
    answer = space.api.delete(space.path("ConfigMap", "c"), {"propagationPolicy": "Sideways"})
    refused(answer, 422, "Invalid")


def test_a_name_can_be_used_again(space: Space) -> None:
    first = space.create(configmap("c"))["metadata"]["uid"]
    space.delete("ConfigMap", "c")
    assert space.create(configmap("c"))["metadata"]["uid"] != first


def test_delete_of_a_collection(space: Space) -> None:
    for name in ("a", "b"):
        space.create(configmap(name, labels={"x": "1"}))
    space.create(configmap("c"))
    answer = space.api.delete(space.path("ConfigMap"), labelSelector="x=1")
    assert parsed(answer)["kind"] == "ConfigMapList"
    left = [o["metadata"]["name"] for o in space.items("ConfigMap")]
    assert "a" not in left and "b" not in left and "c" in left


def test_the_policy_may_stand_in_the_query(space: Space) -> None:
    space.create(configmap("c"))
    path = space.path("ConfigMap", "c")
    answer = space.api.delete(path, propagationPolicy="Foreground", dryRun="All")
    assert ok(answer)["metadata"]["finalizers"] == ["foregroundDeletion"]
    answer = space.api.delete(path, orphanDependents="true", dryRun="All")
    assert ok(answer)["metadata"]["finalizers"] == ["orphan"]
    refused(space.api.delete(path, propagationPolicy="Sideways"), 422, "Invalid")
    assert "deletionTimestamp" not in space.get("ConfigMap", "c")["metadata"]


def test_wrong_options_are_refused(space: Space) -> None:
    space.create(configmap("c"))
    path = space.path("ConfigMap", "c")
    both = {"orphanDependents": True, "propagationPolicy": "Foreground"}
    status = refused(space.api.delete(path, both), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "propagationPolicy"
    status = refused(space.api.delete(path, {"dryRun": ["Some"]}), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "dryRun"
    body = {"apiVersion": "v1", "kind": "Pod"}
    refused(space.api.http.request("DELETE", path, json=body), 400, "BadRequest")
    none = space.path("ConfigMap", "none")
    refused(space.api.delete(none, {"propagationPolicy": "Sideways"}), 422, "Invalid")
    assert space.exists("ConfigMap", "c")


def test_a_dry_run_deletes_nothing(space: Space) -> None:
    made = space.create(configmap("c"))
    answer = ok(space.api.delete(space.path("ConfigMap", "c"), {"dryRun": ["All"]}))
    assert answer["status"] == "Success"
    assert space.get("ConfigMap", "c") == made


def test_a_name_is_taken_until_the_end(space: Space) -> None:
    space.create(configmap("c", finalizers=["example.com/hold"]))
    space.delete("ConfigMap", "c")
    answer = space.api.post(space.path("ConfigMap"), configmap("c"))
    status = refused(answer, 409, "AlreadyExists")
    assert status["message"] == 'object is being deleted: configmaps "c" already exists'
    release(space, "c")
    space.create(configmap("c"))


def test_foreground_does_not_wait_for_what_does_not_block(space: Space) -> None:
    owner = space.create(configmap("owner"))
    child = owned("child", owner)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    space.create(child)
    space.delete("ConfigMap", "owner", {"propagationPolicy": "Foreground"})
    eventually(lambda: not space.exists("ConfigMap", "owner"))
    assert space.get("ConfigMap", "child")["metadata"]["deletionTimestamp"]
    release(space, "child")


def test_an_owner_elsewhere_counts_as_gone(api: Api, space: Space) -> None:
    """Owners of another namespace are not looked for there; the kind of error is told."""
    elsewhere = ok(api.get(f"{collection('Namespace', None)}/default"))
    stranger = {"metadata": {"name": "kube-root-ca.crt", "uid": elsewhere["metadata"]["uid"]}}
    space.create(owned("child", stranger))
    eventually(lambda: not space.exists("ConfigMap", "child"))


def test_a_cluster_wide_owner(api: Api, space: Space) -> None:
    name = f"{space.name}-owner"
    body: Json = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass"}
    body |= {"metadata": {"name": name}, "spec": {"controller": "example.com/none"}}
    owner = ok(api.post(collection("IngressClass"), body), 201)
    space.create(owned("child", owner))
    ok(api.delete(f"{collection('IngressClass')}/{name}"))
    eventually(lambda: not space.exists("ConfigMap", "child"))


def test_wrong_owners_are_refused(space: Space) -> None:
    path = space.path("ConfigMap")

    def causes(*owners: Json) -> set[str]:
        answer = space.api.post(path, configmap("child", ownerReferences=list(owners)))
        return {c["field"] for c in refused(answer, 422, "Invalid")["details"]["causes"]}

    whole: Json = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}
    for key, field in (("apiVersion", "version"), ("kind", "kind"), ("name", "name")):
        wrong = {k: v for k, v in whole.items() if k != key}
        where = "apiVersion" if field == "version" else field
        assert causes(wrong) == {f"metadata.ownerReferences.{where}"}
    assert causes(whole | {"uid": ""}) == {"metadata.ownerReferences.uid"}
    assert causes(whole | {"kind": "Event"}) == {"metadata.ownerReferences"}
    two = (whole | {"controller": True, "uid": uid} for uid in ("u", "w"))
    assert causes(*two) == {"metadata.ownerReferences"}
    twice = configmap("child", ownerReferences=[whole, whole])
    answer = space.api.post(path, twice, dryRun="All")
    assert answer.status_code == 201
    assert "duplicate UID(s) observed: u" in answer.headers["warning"]


def test_a_pod_is_evicted(space: Space) -> None:
    space.create(pod("p", container(resources={"requests": {"cpu": "5k"}})))
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
    ok(space.api.post(space.path("Pod", "p", "eviction"), body), 201)
    eventually(lambda: not space.exists("Pod", "p"))
