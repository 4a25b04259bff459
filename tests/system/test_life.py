"""The main job as a user sees it: POST to Ready, failure explained, and gone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from tests.system.server import Server, events, poll, wait_for_phase, wait_gone

Serve = Callable[..., Server]


def test_a_store_from_post_to_ready_and_back_to_nothing(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        made = client.post("/api/v1/stores", json={"id": "acme", "name": "Acme Ltd"})
        assert made.status_code == 202
        ready = wait_for_phase(client, "acme", "Ready")
        assert {c["type"]: c["status"] for c in ready["conditions"]} == dict.fromkeys(
            ("Applied", "DatabaseReady", "WordPressReady", "SetupComplete", "RouteReady", "Ready"),
            "True",
        )
        assert ready["observedGeneration"] == ready["generation"] == ready["revision"] == 1
        assert ready["progress"] == {"done": 7, "total": 7}
        shown = server.kubectl("get", "statefulset,deployment,ingress", "-n", "store-acme")
        for name in ("statefulset.apps/mysql", "deployment.apps/wordpress", "wordpress"):
            assert name in shown
        resources = client.get("/api/v1/stores/acme/resources").json()["items"]
        assert {r["health"] for r in resources} == {"Healthy"}
        (database,) = (r for r in resources if r["kind"] == "StatefulSet")
        started = [e["object"] for e in database["events"] if e["reason"] == "Started"]
        assert any(o.startswith("Pod/mysql-0") for o in started), "Kubernetes' own events"
        password = client.post("/api/v1/stores/acme/credentials").json()["password"]
        assert client.delete("/api/v1/stores/acme").status_code == 202
        wait_gone(client, "acme")
    assert "NotFound" in server.kubectl("get", "namespace", "store-acme", check=False)
    everything = server.kubectl("get", "all,pvc,secret,ingress", "-A", "-l", "stores.urumi.dev/id")
    assert everything.strip() == ""
    for file in (server.log, *server.data_dir.glob("urumi.db*")):
        assert password.encode() not in file.read_bytes(), f"a password stands in {file.name}"


def test_a_first_install_that_fails_is_explained_taken_down_and_can_be_retried(
    serve: Serve,
) -> None:
    server = serve(URUMI_PROVISION_TIMEOUT="10")
    with server.client() as client:
        body = {"id": "acme", "name": "A", "versions": {"wordpress": "missing"}}
        client.post("/api/v1/stores", json=body)
        failed = wait_for_phase(client, "acme", "Failed")
        assert "wordpress:missing" in failed["message"]
        evidence = client.get("/api/v1/stores/acme/revisions/1/evidence").json()
        assert "ImagePullBackOff" in json.dumps(evidence)
        poll(
            lambda: "NotFound" in server.kubectl("get", "ns", "store-acme", check=False),
            what="the failed install being taken down",
        )
        store = poll(
            lambda: (s := client.get("/api/v1/stores/acme").json())["progress"]["done"] == 0 and s,
            what="the status without what is gone",
        )
        assert store["phase"] == "Failed"
        assert {c["status"] for c in store["conditions"]} == {"False"}, (
            "nothing is there to be well"
        )
        good = {"versions": {"wordpress": "6.9-php8.4-apache"}}
        assert client.patch("/api/v1/stores/acme", json=good).status_code == 202
        assert wait_for_phase(client, "acme", "Ready")["revision"] == 2
        assert client.post("/api/v1/stores/acme/retry").status_code == 409


def test_retry_makes_a_new_attempt_of_the_same_generation(serve: Serve) -> None:
    server = serve(URUMI_PROVISION_TIMEOUT="1")
    with server.client() as client:
        body = {"id": "acme", "name": "A", "versions": {"mysql": "missing"}}
        client.post("/api/v1/stores", json=body)
        wait_for_phase(client, "acme", "Failed")
        assert client.post("/api/v1/stores/acme/retry").status_code == 202
        poll(
            lambda: len(client.get("/api/v1/stores/acme/revisions").json()["items"]) == 2,
            what="a second revision",
        )
        again = wait_for_phase(client, "acme", "Failed")
        assert (again["generation"], again["revision"]) == (1, 2)


def test_a_failed_change_goes_back_and_names_both_revisions(serve: Serve) -> None:
    server = serve(URUMI_PROVISION_TIMEOUT="10")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        client.patch("/api/v1/stores/acme", json={"versions": {"wordpress": "missing"}})
        store = poll(
            lambda: (
                s
                if (s := client.get("/api/v1/stores/acme").json())["generation"] == 3
                and s["phase"] == "Ready"
                else None
            ),
            what="the rollback",
        )
        assert store["versions"]["wordpress"] == "6.9-php8.4-apache"
        assert store["revision"] == 3
        assert "revision 2" in store["message"] and "revision 3" in store["message"]
        revisions = client.get("/api/v1/stores/acme/revisions").json()["items"]
        outcomes = {r["revision"]: r["outcome"] for r in revisions}
        assert outcomes == {1: "Ready", 2: "Failed", 3: "Ready"}
        # It stays there: nothing flaps.
        assert client.get("/api/v1/stores/acme").json()["generation"] == 3


def test_a_plan_change_is_applied_without_touching_the_volumes(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        before = json.loads(server.kubectl("get", "pvc", "-n", "store-acme", "-o", "json"))
        client.patch("/api/v1/stores/acme", json={"plan": "medium"})
        poll(
            lambda: (
                (s := client.get("/api/v1/stores/acme").json())["observedGeneration"] == 2
                and s["phase"] == "Ready"
            ),
            what="the new plan",
        )
        after = json.loads(server.kubectl("get", "pvc", "-n", "store-acme", "-o", "json"))
        assert [p["metadata"]["uid"] for p in before["items"]] == [
            p["metadata"]["uid"] for p in after["items"]
        ]
        limits = server.kubectl(
            *("get", "deployment", "wordpress", "-n", "store-acme", "-o"),
            "jsonpath={.spec.template.spec.containers[0].resources.limits.memory}",
        )
        assert limits == "1Gi"
        client.patch("/api/v1/stores/acme", json={"plan": "small"})
        said = poll(
            lambda: [e for e in events(client, "acme") if e["reason"] == "VolumeKept"],
            what="the word about the volumes",
        )
        assert "never shrinks" in said[0]["message"]


def test_a_namespace_that_is_not_ours_is_never_touched(serve: Serve) -> None:
    server = serve()
    server.kubectl("create", "namespace", "store-acme")
    server.kubectl("create", "configmap", "precious", "-n", "store-acme")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        failed = wait_for_phase(client, "acme", "Failed")
        assert "store-acme" in failed["message"]
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", "delete", "acme", "--wait"],
            env=server.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "left as it is" in done.stderr, "what stays is said"
        wait_gone(client, "acme")
    assert "precious" in server.kubectl("get", "configmap", "-n", "store-acme")


def test_a_deletion_held_up_by_a_finalizer_is_explained(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        server.kubectl("create", "configmap", "held", "-n", "store-acme")
        finalizers = {"metadata": {"finalizers": ["example.com/hold"]}}
        held = ("patch", "configmap", "held", "-n", "store-acme", "--type=merge", "-p")
        server.kubectl(*held, json.dumps(finalizers))
        client.delete("/api/v1/stores/acme")
        poll(
            lambda: "example.com/hold" in client.get("/api/v1/stores/acme").json()["message"],
            what="the finalizer being named",
        )
        store = client.get("/api/v1/stores/acme").json()
        assert store["phase"] == "Deleting"
        assert {c["status"] for c in store["conditions"]} == {"False"}
        assert any("example.com/hold" in c["message"] for c in store["conditions"])
        assert client.patch("/api/v1/stores/acme", json={"name": "B"}).status_code == 409
        again = client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        assert again.status_code == 409 and "deletion" in again.json()["detail"]
        server.kubectl(*held, json.dumps({"metadata": {"finalizers": None}}))
        wait_gone(client, "acme")


def test_nothing_of_another_installations_namespace_is_shown(serve: Serve) -> None:
    """A store of the same id elsewhere: its passwords and its events are none of ours."""
    server = serve()
    labels = {"app.kubernetes.io/managed-by": "urumi-orchestrator", "stores.urumi.dev/id": "acme"}
    theirs = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "store-acme",
            "labels": labels,
            "annotations": {"stores.urumi.dev/uid": "another"},
        },
    }
    meta = {"namespace": "store-acme", "labels": labels}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "store-credentials", **meta},
        "stringData": {"admin-username": "victim", "admin-password": "their-password"},
    }
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "told", **meta},
        "involvedObject": {"kind": "Pod", "name": "mysql-0", "namespace": "store-acme"},
        "reason": "Secretive",
        "message": "nobody else's business",
        "type": "Warning",
    }
    for body in (theirs, secret, event):
        server.kubectl("create", "-f", "-", stdin=json.dumps(body))
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        failed = wait_for_phase(client, "acme", "Failed")
        assert "another installation" in failed["message"]
        read = client.post("/api/v1/stores/acme/credentials")
        assert read.status_code == 404 and "their-password" not in read.text
        evidence = client.get("/api/v1/stores/acme/revisions/1/evidence").text
        assert "Secretive" not in evidence


def test_a_restart_says_nothing_of_an_outage(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        before = [e["seq"] for e in events(client, "acme")]
    server.kill()
    server.start()
    with server.client() as client:
        client.patch("/api/v1/stores/acme", json={"name": "B"})
        poll(
            lambda: (
                (s := client.get("/api/v1/stores/acme").json())["observedGeneration"] == 2
                and s["phase"] == "Ready"
            ),
            what="the change",
        )
        since = [e["reason"] for e in events(client, "acme") if e["seq"] > before[-1]]
    assert "ClusterUnreachable" not in since


def test_a_wrong_setting_that_is_mended_mends_the_stores(serve: Serve) -> None:
    server = serve(URUMI_PROVISION_TIMEOUT="10")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
    server.stop()
    server.environ["URUMI_INGRESS_CLASS"] = "traefic"
    with server.start().client() as client:
        failed = wait_for_phase(client, "acme", "Failed")
        assert "traefic" in failed["message"]
        guard = ("networkpolicy", "default-deny", "-n", "store-acme")
        server.kubectl("delete", *guard)
        poll(lambda: "NotFound" not in server.kubectl("get", *guard, check=False), what="the guard")
    server.stop()
    del server.environ["URUMI_INGRESS_CLASS"]
    with server.start().client() as client:
        wait_for_phase(client, "acme", "Ready")


def test_a_plan_changed_in_the_middle_of_an_install_is_no_failure(serve: Serve) -> None:
    server = serve(URUMI_SANDBOX_SPEED="0.5")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        poll(
            lambda: (
                "NotFound"
                not in server.kubectl("get", "pvc", "data-mysql-0", "-n", "store-acme", check=False)
            ),
            what="the claim",
        )
        client.patch("/api/v1/stores/acme", json={"plan": "large"})
        wait_for_phase(client, "acme", "Ready")
        outcomes = [
            r["outcome"] for r in client.get("/api/v1/stores/acme/revisions").json()["items"]
        ]
        assert "Failed" not in outcomes
