"""Server-side apply: what is stored, who owns it, and what a second apply changes."""

from __future__ import annotations

import base64

import pytest

from tests.contract.manifests import claim_of, configmap, container, deployment, ingress, service
from tests.contract.wire import Space, manager, ok, parsed, refused


def test_apply_creates_and_records_the_manager(space: Space) -> None:
    answer = space.try_apply(configmap(data={"a": "1"}))
    assert answer.status_code == 201
    made = parsed(answer)
    meta = made["metadata"]
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert meta["uid"] and meta["resourceVersion"] and meta["creationTimestamp"]
    assert "generation" not in meta, "objects without a status have no generation"
    entry = manager(made, "alice")
    assert entry["operation"] == "Apply"
    assert entry["apiVersion"] == "v1"
    assert entry["fieldsType"] == "FieldsV1"
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}
    assert entry["time"]


def test_apply_takes_yaml(space: Space) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: 'yes'\n"
    headers = {"content-type": "application/apply-patch+yaml"}
    answer = space.api.http.patch(
        space.path("ConfigMap", "c"), params={"fieldManager": "x"}, content=text, headers=headers
    )
    assert ok(answer, 201)["data"] == {"a": "yes"}


def test_apply_needs_a_field_manager(space: Space) -> None:
    body = configmap(data={})
    headers = {"content-type": "application/apply-patch+yaml"}
    answer = space.api.http.patch(space.of(body), json=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert "fieldManager" in parsed(answer)["message"]


def test_apply_without_a_change_writes_nothing(space: Space) -> None:
    first = space.apply(configmap(data={"a": "1"}))
    again = space.apply(configmap(data={"a": "1"}))
    assert again == first, "same resourceVersion, same managedFields time"


@pytest.mark.parametrize("fields", [{"replicas": 2}, {"paused": True}])
def test_apply_without_a_change_of_a_workload_writes_nothing(
    space: Space, fields: dict[str, object]
) -> None:
    body = deployment()
    body["spec"] |= {"paused": True} | fields  # paused: no controller writes beside us
    space.apply(body)
    first = space.get("Deployment", "web")["metadata"]
    again = space.apply(body)["metadata"]
    assert again["generation"] == first["generation"] == 1
    assert manager({"metadata": again}, "alice") == manager({"metadata": first}, "alice")


def test_apply_without_a_change_sends_no_event(space: Space) -> None:
    seen = space.apply(configmap(data={"a": "1"}))["metadata"]["resourceVersion"]
    with space.api.watch(space.path("ConfigMap"), resourceVersion=seen) as events:
        space.apply(configmap(data={"a": "1"}))
        space.apply(configmap(data={"a": "2"}))
        event = next(events)
    assert event["type"] == "MODIFIED"
    assert event["object"]["data"] == {"a": "2"}


def test_apply_changes_the_resource_version(space: Space) -> None:
    first = space.apply(configmap(data={"a": "1"}))
    second = space.apply(configmap(data={"a": "2"}))
    versions = [int(o["metadata"]["resourceVersion"]) for o in (first, second)]
    assert versions[1] > versions[0]
    assert second["metadata"]["uid"] == first["metadata"]["uid"]


def test_what_is_no_longer_sent_is_removed(space: Space) -> None:
    space.apply(configmap(data={"a": "1", "b": "2"}, labels={"x": "1", "y": "1"}))
    left = space.apply(configmap(data={"a": "1"}, labels={"x": "1"}))
    assert left["data"] == {"a": "1"}
    assert left["metadata"]["labels"] == {"x": "1"}


def test_the_last_of_a_map_is_removed_with_it(space: Space) -> None:
    space.apply(configmap(data={"a": "1"}, annotations={"n": "1"}))
    left = space.apply(configmap())
    assert "data" not in left
    assert "annotations" not in left["metadata"]


def test_what_another_manager_also_sets_stays(space: Space) -> None:
    space.apply(configmap(data={"a": "1", "b": "2"}), "alice")
    space.apply(configmap(data={"b": "2"}), "bob")
    left = space.apply(configmap(data={"a": "1"}), "alice")
    assert left["data"] == {"a": "1", "b": "2"}
    assert manager(left, "bob")["fieldsV1"] == {"f:data": {"f:b": {}}}
    assert manager(left, "alice")["fieldsV1"] == {"f:data": {"f:a": {}}}


def test_what_others_set_is_not_touched(space: Space) -> None:
    space.apply(configmap(data={"a": "1"}), "alice")
    space.apply(configmap(data={"z": "1"}, labels={"by": "bob"}), "bob")
    left = space.apply(configmap(data={"a": "2"}), "alice")
    assert left["data"] == {"a": "2", "z": "1"}
    assert left["metadata"]["labels"] == {"by": "bob"}


def test_lists_with_keys_merge(space: Space) -> None:
    space.apply(deployment("web", container("web", env=[{"name": "A", "value": "1"}])), "alice")
    theirs = deployment(
        "web", container("side"), container("web", env=[{"name": "B", "value": "2"}])
    )
    space.apply(theirs, "bob")
    pods = space.apply(deployment("web", container("web", env=[])), "alice")["spec"]["template"]
    found = {c["name"]: c for c in pods["spec"]["containers"]}
    assert set(found) == {"web", "side"}
    assert found["web"]["env"] == [{"name": "B", "value": "2"}]


def test_keyed_list_entries_that_are_no_longer_sent_go(space: Space) -> None:
    env = [{"name": n, "value": n.lower()} for n in ("A", "B", "C")]
    space.apply(deployment("web", container("web", env=env)))
    left = space.apply(deployment("web", container("web", env=[env[2], env[0]])))
    assert left["spec"]["template"]["spec"]["containers"][0]["env"] == [env[2], env[0]]


def test_service_ports_merge_by_port_and_protocol(space: Space) -> None:
    space.apply(service("web", {"name": "http", "port": 80}), "alice")
    both = space.apply(service("web", {"name": "https", "port": 443}), "bob")
    assert {p["port"] for p in both["spec"]["ports"]} == {80, 443}
    fields = manager(both, "bob")["fieldsV1"]["f:spec"]["f:ports"]
    assert list(fields) == ['k:{"port":443,"protocol":"TCP"}']


def test_lists_without_keys_are_replaced_whole(space: Space) -> None:
    space.apply(ingress("web", "a.example.com", "b.example.com"))
    left = space.apply(ingress("web", "b.example.com"))
    assert [r["host"] for r in left["spec"]["rules"]] == ["b.example.com"]
    assert manager(left, "alice")["fieldsV1"]["f:spec"] == {"f:rules": {}}


def test_sets_merge_by_value(space: Space) -> None:
    space.apply(configmap(finalizers=["example.com/a"]), "alice")
    both = space.apply(configmap(finalizers=["example.com/b"]), "bob")
    assert set(both["metadata"]["finalizers"]) == {"example.com/a", "example.com/b"}
    left = space.apply(configmap(), "alice")
    assert left["metadata"]["finalizers"] == ["example.com/b"]
    assert "finalizers" not in space.apply(configmap(), "bob")["metadata"]


def test_dry_run_answers_and_stores_nothing(space: Space) -> None:
    answer = space.try_apply(configmap(data={"a": "1"}), dryRun="All")
    assert answer.status_code == 201
    assert parsed(answer)["metadata"]["uid"]
    assert not space.exists("ConfigMap", "c")
    first = space.apply(configmap(data={"a": "1"}))
    dry = space.apply(configmap(data={"a": "2"}), dryRun="All")
    assert dry["data"] == {"a": "2"}
    assert space.get("ConfigMap", "c") == first


def test_dry_run_sends_no_event(space: Space) -> None:
    seen = space.apply(configmap(data={"a": "1"}))["metadata"]["resourceVersion"]
    with space.api.watch(space.path("ConfigMap"), resourceVersion=seen) as events:
        space.apply(configmap(data={"a": "2"}), dryRun="All")
        space.apply(configmap(data={"a": "3"}))
        assert next(events)["object"]["data"] == {"a": "3"}


def test_quantities_are_written_in_their_usual_form(space: Space) -> None:
    limits = {"cpu": "0.5", "memory": "1024Mi"}
    body = deployment("web", container(resources={"limits": limits, "requests": {"cpu": 0.25}}))
    body["spec"]["paused"] = True
    first = space.apply(body)
    found = first["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert found["limits"] == {"cpu": "500m", "memory": "1Gi"}
    assert found["requests"]["cpu"] == "250m"
    assert space.apply(body)["metadata"]["generation"] == 1


def test_defaults_are_filled_in_and_not_owned(space: Space) -> None:
    body = deployment("web", container(ports=[{"containerPort": 80}]), replicas=None)
    body["spec"]["paused"] = True
    made = space.apply(body)
    spec = made["spec"]
    assert spec["replicas"] == 1
    assert spec["revisionHistoryLimit"] == 10
    assert spec["progressDeadlineSeconds"] == 600
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    pods = spec["template"]["spec"]
    assert pods["restartPolicy"] == "Always"
    assert pods["dnsPolicy"] == "ClusterFirst"
    assert pods["terminationGracePeriodSeconds"] == 30
    assert pods["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert pods["containers"][0]["terminationMessagePath"] == "/dev/termination-log"
    assert pods["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert "f:replicas" not in manager(made, "alice")["fieldsV1"]["f:spec"]


def test_a_default_that_was_sent_returns_when_it_is_no_longer_sent(space: Space) -> None:
    body = deployment(replicas=4)
    body["spec"]["paused"] = True
    assert space.apply(body)["spec"]["replicas"] == 4
    del body["spec"]["replicas"]
    assert space.apply(body)["spec"]["replicas"] == 1


def test_service_gets_a_cluster_ip_that_stays(space: Space) -> None:
    first = space.apply(service())["spec"]
    assert first["clusterIP"] == first["clusterIPs"][0] != ""
    assert first["type"] == "ClusterIP"
    assert first["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert first["sessionAffinity"] == "None"
    again = space.apply(service("web", {"port": 80}, sessionAffinity="ClientIP"))["spec"]
    assert again["clusterIP"] == first["clusterIP"]
    headless = space.apply(service("h", clusterIP="None"))["spec"]
    assert (headless["clusterIP"], headless["clusterIPs"]) == ("None", ["None"])


def test_secret_string_data_becomes_data(space: Space) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    first = space.apply(secret | {"stringData": {"password": "grüße"}})
    assert first["data"] == {"password": base64.b64encode("grüße".encode()).decode()}
    assert first["type"] == "Opaque"
    assert "stringData" not in first
    again = space.apply(secret | {"stringData": {"password": "other"}})
    assert base64.b64decode(again["data"]["password"]) == b"other"


def test_a_claim_has_its_defaults(space: Space) -> None:
    spec = space.apply(claim_of("data", "none-such"))["spec"]
    assert spec["volumeMode"] == "Filesystem"
    assert spec["storageClassName"] == "none-such"
    claim = space.get("PersistentVolumeClaim", "data")
    assert claim["status"]["phase"] == "Pending"
    assert claim["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_apply_to_what_was_made_by_create_keeps_the_makers_fields(space: Space) -> None:
    space.create(configmap(data={"a": "1"}), fieldManager="maker")
    both = space.apply(configmap(data={"b": "2"}), "alice")
    assert both["data"] == {"a": "1", "b": "2"}
    assert manager(both, "maker")["operation"] == "Update"
    assert manager(both, "maker")["fieldsV1"]["f:data"] == {".": {}, "f:a": {}}


def test_what_one_manager_leaves_of_a_shared_struct_goes(space: Space) -> None:
    """A volume changes its source: what only the leaver set in the old one does not stay."""

    def mounted(source: dict[str, object]) -> dict[str, object]:
        body = deployment()
        body["spec"]["template"]["spec"]["volumes"] = [{"name": "v"} | source]
        return body

    space.apply(mounted({"emptyDir": {"medium": "Memory"}}), "alice")
    space.apply(mounted({"emptyDir": {}}), "bob")
    left = space.apply(mounted({"configMap": {"name": "c"}}), "alice")
    (volume,) = left["spec"]["template"]["spec"]["volumes"]
    assert volume == {"name": "v", "configMap": {"name": "c", "defaultMode": 420}}


def test_string_data_is_owned_as_it_was_sent(space: Space) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    made = space.apply(secret | {"stringData": {"a": "1"}})
    assert manager(made, "alice")["fieldsV1"] == {"f:stringData": {"f:a": {}}}
    space.delete("Secret", "s")
    made = space.create(secret | {"stringData": {"a": "1"}})
    fields = manager(made, "contract")["fieldsV1"]
    assert fields == {"f:data": {".": {}, "f:a": {}}, "f:type": {}}


def test_the_status_is_applied_through_its_path(space: Space) -> None:
    body = ingress()
    body["spec"]["ingressClassName"] = "contract-no-such-class"
    space.apply(body)
    status = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    about = {key: body[key] for key in ("apiVersion", "kind")} | {"metadata": {"name": "web"}}
    made = ok(space.try_apply(about | {"status": status}, "router", sub="status"))
    assert made["status"] == status
    entry = manager(made, "router")
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {"f:status": {"f:loadBalancer": {"f:ingress": {}}}}
    other = {"loadBalancer": {"ingress": [{"ip": "192.0.2.2"}]}}
    answer = space.try_apply(about | {"status": other}, "alice", sub="status")
    cause = refused(answer, 409, "Conflict")["details"]["causes"][0]
    assert cause["field"] == ".status.loadBalancer.ingress"
    assert cause["message"] == 'conflict with "router" with subresource "status"'
    assert ok(space.try_apply(body))["status"] == status, "an ordinary apply leaves it alone"


def test_an_empty_list_of_rules_counts_as_a_change(space: Space) -> None:
    body: dict[str, object] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []},
    }
    first = space.apply(body)
    again = space.apply(body)
    assert again["spec"] == first["spec"]
    assert again["metadata"]["generation"] == first["metadata"]["generation"] + 1
