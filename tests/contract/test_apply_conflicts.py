"""Server-side apply refused: by another manager's fields, or because the object is wrong."""

from __future__ import annotations

import pytest

from tests.contract.manifests import (
    claim_of,
    configmap,
    container,
    deployment,
    ingress,
    service,
    statefulset,
)
from tests.contract.wire import MERGE, Space, manager, ok, parsed, refused


def test_a_conflict_names_the_field_and_the_manager(space: Space) -> None:
    space.apply(configmap(data={"a": "1", "b": "1"}), "alice")
    status = refused(space.try_apply(configmap(data={"a": "2"}), "bob"), 409, "Conflict")
    assert status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "alice"', "field": ".data.a"}
    ]
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "alice": .data.a'
    assert space.get("ConfigMap", "c")["data"]["a"] == "1"


def test_a_conflict_with_an_update_says_so(space: Space) -> None:
    space.apply(configmap(data={"a": "1"}), "alice")
    path = space.path("ConfigMap", "c")
    ok(space.api.patch(path, MERGE, {"data": {"a": "9"}}, fieldManager="editor"))
    assert manager(space.get("ConfigMap", "c"), "editor")["operation"] == "Update"
    status = refused(space.try_apply(configmap(data={"a": "1"}), "alice"), 409, "Conflict")
    cause = status["details"]["causes"][0]
    assert cause["field"] == ".data.a"
    assert cause["message"].startswith('conflict with "editor" using v1')


def test_a_conflict_in_a_keyed_list_names_the_entry(space: Space) -> None:
    space.apply(deployment("web", container(env=[{"name": "A", "value": "1"}])), "alice")
    wrong = deployment("web", container(env=[{"name": "A", "value": "2"}]))
    status = refused(space.try_apply(wrong, "bob"), 409, "Conflict")
    fields = {cause["field"] for cause in status["details"]["causes"]}
    pods = ".spec.template.spec.containers"
    assert fields == {f'{pods}[name="web"].env[name="A"].value'}


def test_a_conflict_on_a_list_without_keys_is_about_the_whole(space: Space) -> None:
    space.apply(ingress("web", "a.example.com"), "alice")
    status = refused(space.try_apply(ingress("web", "b.example.com"), "bob"), 409, "Conflict")
    assert [cause["field"] for cause in status["details"]["causes"]] == [".spec.rules"]


def test_every_conflict_is_named(space: Space) -> None:
    space.apply(configmap(data={"a": "1", "b": "1"}), "alice")
    answer = space.try_apply(configmap(data={"a": "2", "b": "2"}), "bob")
    fields = [cause["field"] for cause in parsed(answer)["details"]["causes"]]
    assert sorted(fields) == [".data.a", ".data.b"]


def test_force_takes_the_fields_over(space: Space) -> None:
    space.apply(configmap(data={"a": "1", "b": "1"}), "alice")
    taken = space.apply(configmap(data={"a": "2"}), "bob", force="true")
    assert taken["data"] == {"a": "2", "b": "1"}
    assert manager(taken, "alice")["fieldsV1"] == {"f:data": {"f:b": {}}}
    assert manager(taken, "bob")["fieldsV1"] == {"f:data": {"f:a": {}}}
    refused(space.try_apply(configmap(data={"a": "1", "b": "1"}), "alice"), 409, "Conflict")


def test_equal_values_are_shared(space: Space) -> None:
    space.apply(configmap(data={"a": "1"}), "alice")
    shared = space.apply(configmap(data={"a": "1"}), "bob")
    for name in ("alice", "bob"):
        assert manager(shared, name)["fieldsV1"] == {"f:data": {"f:a": {}}}
    refused(space.try_apply(configmap(data={"a": "2"}), "bob"), 409, "Conflict")


def test_a_conflict_in_dry_run_is_a_conflict(space: Space) -> None:
    space.apply(configmap(data={"a": "1"}), "alice")
    answer = space.try_apply(configmap(data={"a": "2"}), "bob", dryRun="All")
    refused(answer, 409, "Conflict")


def test_managed_fields_may_not_be_sent(space: Space) -> None:
    answer = space.try_apply(configmap(data={"a": "1"}, managedFields=[{"manager": "x"}]))
    refused(answer, 400, "BadRequest")


def test_a_stale_resource_version_is_a_conflict(space: Space) -> None:
    old = space.apply(configmap(data={"a": "1"}))["metadata"]["resourceVersion"]
    space.apply(configmap(data={"a": "2"}))
    refused(space.try_apply(configmap(data={"a": "3"}, resourceVersion=old)), 409, "Conflict")


def test_another_uid_is_refused(space: Space) -> None:
    space.apply(configmap(data={"a": "1"}))
    other = configmap(data={"a": "1"}, uid="00000000-0000-0000-0000-000000000000")
    status = refused(space.try_apply(other), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "metadata.uid"


def test_the_name_in_the_body_must_be_that_of_the_path(space: Space) -> None:
    path = space.path("ConfigMap", "other")
    answer = space.api.patch(path, "application/apply-patch+yaml", configmap(), fieldManager="x")
    refused(answer, 400, "BadRequest")


def test_the_namespace_in_the_body_must_be_that_of_the_path(space: Space) -> None:
    refused(space.try_apply(configmap(namespace="elsewhere")), 400, "BadRequest")


def test_unknown_fields_are_refused(space: Space) -> None:
    wrong = deployment()
    wrong["spec"]["replcas"] = 1
    answer = space.try_apply(wrong)
    assert answer.status_code >= 400
    assert ".spec.replcas: field not declared in schema" in parsed(answer)["message"]
    assert not space.exists("Deployment", "web")


def test_duplicate_keys_in_a_list_are_refused(space: Space) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    answer = space.try_apply(deployment("web", container(env=env)))
    assert answer.status_code >= 400
    assert 'duplicate entries for key [name="A"]' in parsed(answer)["message"]


def test_a_wrong_type_is_refused(space: Space) -> None:
    wrong = deployment()
    wrong["spec"]["replicas"] = "many"
    answer = space.try_apply(wrong)
    assert 400 <= answer.status_code <= 500
    assert "spec.replicas" in parsed(answer)["message"]


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "a" * 254, "sp ace"])
def test_wrong_names_are_refused(space: Space, name: str) -> None:
    answer = space.api.post(space.path("ConfigMap"), configmap(name))
    causes = refused(answer, 422, "Invalid")["details"]["causes"]
    assert causes[0]["field"] == "metadata.name"


def test_a_service_name_is_a_label(space: Space) -> None:
    answer = space.api.post(space.path("Service"), service("a.b"))
    assert refused(answer, 422, "Invalid")["details"]["kind"] == "Service"


@pytest.mark.parametrize(
    ("labels", "field"),
    [({"a": "not a label!"}, "metadata.labels"), ({"a b": "x"}, "metadata.labels")],
)
def test_wrong_labels_are_refused(space: Space, labels: dict[str, str], field: str) -> None:
    answer = space.try_apply(configmap(labels=labels))
    assert refused(answer, 422, "Invalid")["details"]["causes"][0]["field"] == field


def test_a_selector_must_match_its_template(space: Space) -> None:
    wrong = deployment()
    wrong["spec"]["selector"]["matchLabels"] = {"app": "other"}
    causes = refused(space.try_apply(wrong), 422, "Invalid")["details"]["causes"]
    assert "spec.template.metadata.labels" in {cause["field"] for cause in causes}


def test_what_is_required_is_asked_for(space: Space) -> None:
    wrong = deployment()
    wrong["spec"]["template"]["spec"]["containers"] = []
    causes = refused(space.try_apply(wrong), 422, "Invalid")["details"]["causes"]
    assert "spec.template.spec.containers" in {cause["field"] for cause in causes}


def test_a_deployments_selector_is_immutable(space: Space) -> None:
    body = deployment()
    space.apply(body)
    body["spec"]["selector"]["matchLabels"]["tier"] = "x"
    body["spec"]["template"]["metadata"]["labels"]["tier"] = "x"
    status = refused(space.try_apply(body), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "spec.selector"
    assert "field is immutable" in status["message"]


def test_a_statefulsets_claims_are_immutable(space: Space) -> None:
    body = statefulset()
    space.apply(body)
    spec = body["spec"]["volumeClaimTemplates"][0]["spec"]
    spec["resources"]["requests"]["storage"] = "2Gi"
    status = refused(space.try_apply(body), 422, "Invalid")
    assert "updates to statefulset spec for fields other than" in status["message"]


def test_a_claims_access_is_immutable(space: Space) -> None:
    space.apply(claim_of("data", "none-such"))
    body = claim_of("data", "none-such")
    body["spec"]["accessModes"] = ["ReadWriteMany"]
    refused(space.try_apply(body), 422, "Invalid")


def test_an_immutable_secret_stays_as_it_is(space: Space) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "immutable": True}
    space.apply(secret | {"data": {"a": "YQ=="}})
    status = refused(space.try_apply(secret | {"data": {"a": "Yg=="}}), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "data"


def test_a_secrets_type_is_immutable(space: Space) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    space.apply(secret | {"type": "Opaque"})
    refused(space.try_apply(secret | {"type": "example.com/other"}), 422, "Invalid")


def test_a_secrets_data_must_be_base64(space: Space) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    answer = space.try_apply(secret | {"data": {"a": "***"}})
    assert answer.status_code >= 400
    assert not space.exists("Secret", "s")
