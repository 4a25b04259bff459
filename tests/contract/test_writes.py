"""Create, update and the other patches; generation, status and scale."""

from __future__ import annotations

from tests.contract.manifests import configmap, container, deployment, service, statefulset
from tests.contract.wire import (
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Space,
    eventually,
    manager,
    ok,
    parsed,
    refused,
)


def test_create_twice(space: Space) -> None:
    space.create(configmap("c"))
    status = refused(space.api.post(space.path("ConfigMap"), configmap("c")), 409, "AlreadyExists")
    assert status["message"] == 'configmaps "c" already exists'
    assert status["details"] == {"name": "c", "kind": "configmaps"}


def test_generated_names(space: Space) -> None:
    body = configmap("x")
    body["metadata"] = {"generateName": "ab-"}
    made = [space.create(body)["metadata"]["name"] for _ in range(2)]
    assert all(name.startswith("ab-") and len(name) == 8 for name in made)
    assert made[0] != made[1]


def test_create_needs_a_name(space: Space) -> None:
    body = configmap("x")
    body["metadata"] = {}
    status = refused(space.api.post(space.path("ConfigMap"), body), 422, "Invalid")
    assert "name or generateName is required" in status["message"]


def test_malformed_bodies(space: Space) -> None:
    path = space.path("ConfigMap")
    for content in ("{", "[]", '"x"', ""):
        answer = space.api.http.post(
            path, content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 400, (content, answer.text)
    answer = space.api.http.post(path, content="{}", headers={"content-type": "text/plain"})
    refused(answer, 415, "UnsupportedMediaType")
    answer = space.api.patch(space.path("ConfigMap", "c"), "application/json", {})
    refused(answer, 415, "UnsupportedMediaType")
    refused(space.api.post(path, deployment()), 400, "BadRequest")


def test_unknown_fields_as_asked(space: Space) -> None:
    path = space.path("ConfigMap")
    wrong = configmap("c", data={}) | {"dta": {}}
    status = refused(space.api.post(path, wrong, fieldValidation="Strict"), 400, "BadRequest")
    assert 'strict decoding error: unknown field "dta"' in status["message"]
    warned = space.api.post(path, wrong, fieldValidation="Warn")
    assert warned.status_code == 201
    assert warned.headers["warning"] == '299 - "unknown field \\"dta\\""'
    assert "dta" not in parsed(warned)
    quiet = space.api.post(path, wrong | configmap("d"), fieldValidation="Ignore")
    assert quiet.status_code == 201
    assert "warning" not in quiet.headers


def test_update_needs_the_newest_version(space: Space) -> None:
    first = space.create(configmap("c", data={"a": "1"}))
    path = space.of(first)
    second = ok(space.api.put(path, first | {"data": {"a": "2"}}))
    assert second["data"] == {"a": "2"}
    status = refused(space.api.put(path, first | {"data": {"a": "3"}}), 409, "Conflict")
    assert "the object has been modified" in status["message"]
    same = ok(space.api.put(path, second))
    assert same["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_update_of_what_is_not_there(space: Space) -> None:
    refused(space.api.put(space.path("ConfigMap", "c"), configmap("c")), 404, "NotFound")
    answer = space.api.patch(space.path("ConfigMap", "c"), MERGE, {"data": {}})
    refused(answer, 404, "NotFound")


def test_merge_patch(space: Space) -> None:
    space.create(configmap("c", data={"a": "1", "b": "2"}))
    path = space.path("ConfigMap", "c")
    left = ok(space.api.patch(path, MERGE, {"data": {"a": None, "c": "3"}}))
    assert left["data"] == {"b": "2", "c": "3"}
    stale = {"metadata": {"resourceVersion": "1"}, "data": {"a": "9"}}
    refused(space.api.patch(path, MERGE, stale), 409, "Conflict")
    same = ok(space.api.patch(path, MERGE, {"data": {"b": "2"}}))
    assert same["metadata"]["resourceVersion"] == left["metadata"]["resourceVersion"]


def test_merge_patch_replaces_lists(space: Space) -> None:
    space.create(deployment("web", container("web"), container("side")))
    change = {"spec": {"template": {"spec": {"containers": [container("only")]}}}}
    left = ok(space.api.patch(space.path("Deployment", "web"), MERGE, change))
    assert [c["name"] for c in left["spec"]["template"]["spec"]["containers"]] == ["only"]


def test_strategic_patch_merges_lists(space: Space) -> None:
    space.create(deployment("web", container("web"), container("side")))
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "new"}]}}}}
    path = space.path("Deployment", "web")
    spec = ok(space.api.patch(path, STRATEGIC, change))["spec"]["template"]["spec"]
    assert {c["name"]: c["image"] for c in spec["containers"]} == {
        "web": "new",
        "side": container()["image"],
    }
    gone = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    spec = ok(space.api.patch(path, STRATEGIC, gone))["spec"]["template"]["spec"]
    assert [c["name"] for c in spec["containers"]] == ["web"]


def test_json_patch(space: Space) -> None:
    space.create(configmap("c", data={"a": "1"}))
    path = space.path("ConfigMap", "c")
    steps = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "add", "path": "/data/b", "value": "2"},
        {"op": "remove", "path": "/data/a"},
    ]
    assert ok(space.api.patch(path, JSON_PATCH, steps))["data"] == {"b": "2"}
    answer = space.api.patch(path, JSON_PATCH, steps)
    assert answer.status_code == 422, "the test no longer holds, and nothing of it is done"
    assert space.get("ConfigMap", "c")["data"] == {"b": "2"}


def test_writers_are_known_by_manager_or_user_agent(space: Space) -> None:
    made = space.create(configmap("c", data={"a": "1"}))
    assert manager(made, "contract")["operation"] == "Update"
    changed = ok(
        space.api.patch(space.of(made), MERGE, {"data": {"a": "2"}}, fieldManager="editor")
    )
    assert manager(changed, "editor")["fieldsV1"] == {"f:data": {"f:a": {}}}
    assert manager(changed, "contract")["fieldsV1"] == {"f:data": {}}


def test_dry_run_of_every_write(space: Space) -> None:
    path = space.path("ConfigMap")
    assert space.api.post(path, configmap("c"), dryRun="All").status_code == 201
    assert not space.exists("ConfigMap", "c")
    made = space.create(configmap("c", data={"a": "1"}))
    ok(space.api.put(f"{path}/c", made | {"data": {"a": "2"}}, dryRun="All"))
    ok(space.api.patch(f"{path}/c", MERGE, {"data": {"a": "2"}}, dryRun="All"))
    ok(space.api.delete(f"{path}/c", dryRun="All"))
    assert space.get("ConfigMap", "c") == made


def test_generation_counts_changes_of_the_spec(space: Space) -> None:
    body = statefulset()
    assert space.apply(body)["metadata"]["generation"] == 1
    body["metadata"]["labels"] = {"x": "y"}
    assert space.apply(body)["metadata"]["generation"] == 1
    body["spec"]["replicas"] = 0
    assert space.apply(body)["metadata"]["generation"] == 1
    body["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
    assert space.apply(body)["metadata"]["generation"] == 2


def test_status_is_written_only_through_its_path(space: Space) -> None:
    body = deployment()
    body["spec"]["paused"] = True
    space.create(body)
    path = space.path("Deployment", "web")
    both = {"status": {"collisionCount": 7}, "spec": {"minReadySeconds": 7}}
    main = ok(space.api.patch(path, MERGE, both))
    assert main["spec"]["minReadySeconds"] == 7
    assert main["status"].get("collisionCount") is None
    both["spec"] = {"minReadySeconds": 8}
    status = ok(space.api.patch(f"{path}/status", MERGE, both, fieldManager="reporter"))
    assert status["spec"]["minReadySeconds"] == 7
    assert status["status"]["collisionCount"] == 7
    assert manager(status, "reporter")["subresource"] == "status"
    assert status["metadata"]["generation"] == main["metadata"]["generation"]
    assert ok(space.api.get(f"{path}/status"))["kind"] == "Deployment"


def test_status_of_a_create_is_dropped(space: Space) -> None:
    body = deployment() | {"status": {"collisionCount": 7}}
    assert "collisionCount" not in space.create(body).get("status", {})


def test_scale(space: Space) -> None:
    body = deployment()
    body["spec"]["paused"] = True
    space.create(body)
    path = space.path("Deployment", "web", "scale")
    # Its controller has written its status: from here on nobody writes beside us.
    eventually(lambda: space.get("Deployment", "web")["status"].get("observedGeneration"))
    scale = ok(space.api.get(path))
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    scale["spec"]["replicas"] = 3
    assert ok(space.api.put(path, scale))["spec"]["replicas"] == 3
    found = space.get("Deployment", "web")
    assert found["spec"]["replicas"] == 3
    assert found["metadata"]["generation"] == 2
    refused(space.api.put(path, scale), 409, "Conflict")
    ok(space.api.patch(path, MERGE, {"spec": {"replicas": 2}}))
    assert space.get("Deployment", "web")["spec"]["replicas"] == 2
    refused(space.api.patch(path, MERGE, {"spec": {"replicas": -1}}), 422, "Invalid")


def test_methods_that_are_not_there(space: Space) -> None:
    refused(space.api.put(space.path("ConfigMap"), {}), 405, "MethodNotAllowed")


def test_an_update_makes_some_kinds(space: Space) -> None:
    """Services, limit ranges, leases and roles; for others it is a 404 (see above)."""
    made = ok(space.api.put(space.path("Service", "web"), service()), 201)
    assert made["spec"]["clusterIP"]
    assert ok(space.api.put(space.path("Service", "web"), service()))["metadata"]["uid"]


def test_a_budget_is_not_updated_blindly(space: Space) -> None:
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}}
    body |= {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    space.create(body)
    path = space.path("PodDisruptionBudget", "b")
    status = refused(space.api.put(path, body), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "metadata.resourceVersion"
    ok(space.api.patch(path, MERGE, {"spec": {"minAvailable": 0}}))


def test_an_annotation_of_a_deployment_counts_as_a_generation(space: Space) -> None:
    body = deployment()
    body["spec"]["paused"] = True
    space.create(body)
    path = space.path("Deployment", "web")
    labelled = ok(space.api.patch(path, MERGE, {"metadata": {"labels": {"x": "y"}}}))
    assert labelled["metadata"]["generation"] == 1
    noted = ok(space.api.patch(path, MERGE, {"metadata": {"annotations": {"x": "y"}}}))
    assert noted["metadata"]["generation"] == 2


def test_a_strategic_patch_puts_what_is_new_first(space: Space) -> None:
    space.create(deployment("web", container("web"), container("side")))
    new = [container("web", image="new"), container("extra")]
    change = {"spec": {"template": {"spec": {"containers": new}}}}
    found = ok(space.api.patch(space.path("Deployment", "web"), STRATEGIC, change))
    names = [c["name"] for c in found["spec"]["template"]["spec"]["containers"]]
    assert names == ["web", "extra", "side"]


def test_a_service_drops_what_its_new_type_cannot_have(space: Space) -> None:
    made = space.create(service("web", type="NodePort"))["spec"]
    assert made["ports"][0]["nodePort"] and made["externalTrafficPolicy"] == "Cluster"
    path = space.path("Service", "web")
    left = ok(space.api.patch(path, MERGE, {"spec": {"type": "ClusterIP"}}))["spec"]
    assert "nodePort" not in left["ports"][0] and "externalTrafficPolicy" not in left
    assert left["clusterIP"] == made["clusterIP"]


def test_doubtful_wishes_are_fulfilled_with_a_warning(space: Space) -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    twice = deployment("web", container(env=env, resources={"requests": {"memory": "100m"}}))
    answer = space.api.post(space.path("Deployment"), twice)
    assert answer.status_code == 201
    where = "spec.template.spec.containers[0]"
    assert sorted(answer.headers.get_list("warning")) == [
        f'299 - "{where}.env[1]: hides previous definition of \\"A\\", which may be dropped '
        'when using apply"',
        f'299 - "{where}.resources.requests[memory]: fractional byte value \\"100m\\" is '
        'invalid, must be an integer"',
    ]


def test_a_refusal_comes_with_its_warnings(space: Space) -> None:
    space.create(configmap("c"))
    answer = space.api.post(space.path("ConfigMap"), configmap("c") | {"dta": {}})
    refused(answer, 409, "AlreadyExists")
    assert answer.headers["warning"] == '299 - "unknown field \\"dta\\""'
