"""Namespaces: what a new one holds, and how one ends."""

from __future__ import annotations

from tests.contract.manifests import configmap, deployment
from tests.contract.wire import (
    APPLY,
    MERGE,
    Api,
    Json,
    Space,
    collection,
    condition,
    eventually,
    ok,
    refused,
)


def itself(space: Space) -> str:
    return f"{collection('Namespace')}/{space.name}"


def begin_to_end(space: Space) -> Json:
    answer = space.api.delete(itself(space))
    assert answer.status_code in (200, 202), answer.text
    body: Json = answer.json()
    return body


def test_a_new_namespace(space: Space) -> None:
    found = ok(space.api.get(itself(space)))
    assert found["status"] == {"phase": "Active"}
    assert found["spec"] == {"finalizers": ["kubernetes"]}
    assert found["metadata"]["labels"]["kubernetes.io/metadata.name"] == space.name
    assert space.exists("ServiceAccount", "default")
    eventually(lambda: space.exists("ConfigMap", "kube-root-ca.crt"))


def test_a_namespace_by_apply(api: Api, space: Space) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space.name}}
    body["metadata"] = {"name": space.name, "labels": {"x": "1"}}
    first = ok(api.patch(itself(space), APPLY, body, fieldManager="alice"))
    again = ok(api.patch(itself(space), APPLY, body, fieldManager="alice"))
    assert again == first
    assert first["metadata"]["labels"]["kubernetes.io/metadata.name"] == space.name


def test_deletion_takes_everything(space: Space) -> None:
    space.create(configmap("c"))
    space.create(deployment())
    answer = begin_to_end(space)
    assert answer["metadata"]["deletionTimestamp"]
    eventually(lambda: space.api.get(itself(space)).status_code == 404)
    assert space.items("ConfigMap") == []
    assert space.items("Deployment") == []
    assert space.items("ReplicaSet") == []


def test_an_ending_namespace_takes_nothing_new(space: Space) -> None:
    space.create(configmap("held", finalizers=["example.com/hold"]))
    begin_to_end(space)
    ending = eventually(lambda: ok(space.api.get(itself(space))))
    assert ending["status"]["phase"] == "Terminating"
    status = refused(space.api.post(space.path("ConfigMap"), configmap("new")), 403, "Forbidden")
    assert "because it is being terminated" in status["message"]
    causes = status["details"]["causes"]
    assert [cause["reason"] for cause in causes] == ["NamespaceTerminating"]
    refused(space.try_apply(configmap("newer")), 403, "Forbidden")
    path = space.path("ConfigMap", "held")
    ok(space.api.patch(path, MERGE, {"metadata": {"finalizers": None}}))
    eventually(lambda: space.api.get(itself(space)).status_code == 404)


def test_conditions_say_what_holds_it_up(space: Space) -> None:
    space.create(configmap("held", finalizers=["example.com/hold"]))
    begin_to_end(space)

    def stuck() -> Json | None:
        found = ok(space.api.get(itself(space)))
        waits = condition(found, "NamespaceFinalizersRemaining")["status"] == "True"
        return found if waits else None

    found = eventually(stuck)
    finalizers = condition(found, "NamespaceFinalizersRemaining")
    assert finalizers["reason"] == "SomeFinalizersRemain"
    assert "example.com/hold in 1 resource instances" in finalizers["message"]
    content = condition(found, "NamespaceContentRemaining")
    assert (content["status"], content["reason"]) == ("True", "SomeResourcesRemain")
    assert "configmaps. has 1 resource instances" in content["message"]
    for kind, reason in (
        ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered"),
        ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions"),
        ("NamespaceDeletionContentFailure", "ContentDeleted"),
    ):
        assert (condition(found, kind)["status"], condition(found, kind)["reason"]) == (
            "False",
            reason,
        )
    path = space.path("ConfigMap", "held")
    ok(space.api.patch(path, MERGE, {"metadata": {"finalizers": None}}))
    eventually(lambda: space.api.get(itself(space)).status_code == 404)


def test_a_uid_precondition(space: Space) -> None:
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    refused(space.api.delete(itself(space), wrong), 409, "Conflict")
    assert ok(space.api.get(itself(space)))["status"]["phase"] == "Active"


def test_a_name_can_be_used_again(api: Api, space: Space) -> None:
    first = ok(api.get(itself(space)))["metadata"]["uid"]
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space.name}}
    refused(api.post(collection("Namespace"), body), 409, "AlreadyExists")
    begin_to_end(space)
    eventually(lambda: api.post(collection("Namespace"), body).status_code == 201)
    assert ok(api.get(itself(space)))["metadata"]["uid"] != first


def test_wrong_names_are_refused(api: Api) -> None:
    for name in ("Upper", "a.b", "-a", "a" * 64):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        status = refused(api.post(collection("Namespace"), body), 422, "Invalid")
        assert status["details"]["causes"][0]["field"] == "metadata.name"


def test_a_version_precondition(space: Space) -> None:
    found = ok(space.api.get(itself(space)))["metadata"]["resourceVersion"]
    wrong = {"preconditions": {"resourceVersion": "1"}}
    status = refused(space.api.delete(itself(space), wrong), 409, "Conflict")
    assert "ResourceVersion in precondition: 1" in status["message"]
    right = {"preconditions": {"resourceVersion": found}, "dryRun": ["All"]}
    assert ok(space.api.delete(itself(space), right))["metadata"]["deletionTimestamp"]
    assert ok(space.api.get(itself(space)))["status"] == {"phase": "Active"}


def test_the_namespaces_of_the_cluster_stay(api: Api) -> None:
    for name in ("default", "kube-system"):
        path = f"{collection('Namespace')}/{name}"
        status = refused(api.delete(path, dryRun="All"), 403, "Forbidden")
        assert "this namespace may not be deleted" in status["message"]


def test_only_finalize_changes_what_finalizes(space: Space) -> None:
    path = itself(space)
    held = {"spec": {"finalizers": ["kubernetes", "example.com/hold"]}}
    assert ok(space.api.patch(path, MERGE, held))["spec"] == {"finalizers": ["kubernetes"]}
    found = ok(space.api.get(path))
    made = ok(space.api.put(f"{path}/finalize", found | held))
    assert made["spec"]["finalizers"] == ["kubernetes", "example.com/hold"]
    begin_to_end(space)

    def emptied() -> Json | None:
        left = ok(space.api.get(path))
        return left if left["spec"]["finalizers"] == ["example.com/hold"] else None

    left = eventually(emptied)
    assert left["status"]["phase"] == "Terminating"
    ok(space.api.put(f"{path}/finalize", left | {"spec": {"finalizers": []}}))
    eventually(lambda: space.api.get(path).status_code == 404)


def test_the_phase_follows_the_deletion(space: Space) -> None:
    change = {"status": {"phase": "Terminating"}}
    status = refused(space.api.patch(f"{itself(space)}/status", MERGE, change), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "status.Phase"
