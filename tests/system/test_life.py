"""The main job as a user sees it: POST to Ready, drift put back, failure explained, and gone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.system.server import Server, poll, wait_for_phase, wait_gone

Serve = Callable[..., Server]


def events(client: httpx.Client, store_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/api/v1/stores/{store_id}/events?limit=200").json()[
        "items"
    ]
    return items


def drifts(client: httpx.Client, about: str) -> list[dict[str, Any]]:
    """Return what the timeline says of drifts of the objects with that in their name."""
    return [
        e for e in events(client, "acme") if e["type"] == "drift" and about in (e["object"] or "")
    ]


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
        password = client.post("/api/v1/stores/acme/credentials").json()["password"]
        assert client.delete("/api/v1/stores/acme").status_code == 202
        wait_gone(client, "acme")
    assert "NotFound" in server.kubectl("get", "namespace", "store-acme", check=False)
    everything = server.kubectl("get", "all,pvc,secret,ingress", "-A", "-l", "stores.urumi.dev/id")
    assert everything.strip() == ""
    for file in (server.log, *server.data_dir.glob("urumi.db*")):
        assert password.encode() not in file.read_bytes(), f"a password stands in {file.name}"


def test_drift_is_put_back_and_the_timeline_says_who_and_what(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        wait_for_phase(client, "acme", "Ready")
        server.kubectl("delete", "service", "wordpress", "-n", "store-acme")
        patch = {"spec": {"ingressClassName": "nginx"}}
        server.kubectl(
            *("patch", "ingress", "wordpress", "-n", "store-acme", "--type=merge"),
            *("--field-manager=somebody", "-p", json.dumps(patch)),
        )

        def back() -> bool:
            seen = server.kubectl("get", "svc,ingress", "-n", "store-acme", "-o", "json")
            items = json.loads(seen)["items"]
            names = {(i["kind"], i["metadata"]["name"]): i for i in items}
            route = names.get(("Ingress", "wordpress"))
            return (
                ("Service", "wordpress") in names
                and route is not None
                and route["spec"]["ingressClassName"] == "traefik"
            )

        poll(back, what="the drift being put back")
        wait_for_phase(client, "acme", "Ready")
        said = poll(
            lambda: [e for e in events(client, "acme") if e["type"] == "drift"], what="the entry"
        )
        text = " ".join(e["message"] for e in said)
        assert "Service/store-acme/wordpress" in text
        assert "Ingress/store-acme/wordpress" in text and "somebody" in text


def test_a_quiet_store_is_not_written_to(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        wait_for_phase(client, "acme", "Ready")
        before = client.get("/metrics").text
        # Something that is not ours wakes the store without drifting from what we applied.
        server.kubectl("label", "service", "wordpress", "-n", "store-acme", "team=blue")
        server.kubectl("annotate", "pod", "-n", "store-acme", "--all", "seen=yes")
        poll(lambda: _passes(client) > _passes_in(before), what="another pass")
        wait_for_phase(client, "acme", "Ready")
        assert _writes(client.get("/metrics").text) == _writes(before)


def _writes(text: str) -> list[str]:
    lines = (x for x in text.splitlines() if x.startswith("urumi_apply_total{"))
    return sorted(line for line in lines if 'action="unchanged"' not in line)


def _passes(client: httpx.Client) -> float:
    return _passes_in(client.get("/metrics").text)


def _passes_in(text: str) -> float:
    name = "urumi_reconcile_duration_seconds_count"
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


def test_a_first_install_that_fails_is_explained_taken_down_and_can_be_retried(
    serve: Serve,
) -> None:
    server = serve(URUMI_PROVISION_TIMEOUT="2")
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
    server = serve(URUMI_PROVISION_TIMEOUT="3")
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


@pytest.mark.parametrize("lost", ["secret"])
def test_lost_credentials_are_never_made_anew_over_a_living_database(
    serve: Serve, lost: str
) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        saved = server.kubectl("get", "secret", "store-credentials", "-n", "store-acme", "-oyaml")
        server.kubectl("delete", lost, "store-credentials", "-n", "store-acme")
        store = wait_for_phase(client, "acme", "Degraded")
        assert "Secret/store-acme/store-credentials" in store["message"]
        assert "NotFound" in server.kubectl(
            "get", "secret", "store-credentials", "-n", "store-acme", check=False
        )
        server.kubectl("create", "-f", "-", stdin=saved)
        wait_for_phase(client, "acme", "Ready")


def test_a_lost_secret_does_not_keep_the_rest_from_being_put_back(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        server.kubectl("delete", "secret", "store-credentials", "-n", "store-acme")
        wait_for_phase(client, "acme", "Degraded")
        guards = ("networkpolicy", "default-deny", "-n", "store-acme")
        server.kubectl("delete", *guards)
        poll(
            lambda: "NotFound" not in server.kubectl("get", *guards, check=False), what="the guard"
        )


def test_an_object_that_helm_took_over_is_left_alone_and_said_so_once(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        label = ("label", "deployment", "wordpress", "-n", "store-acme", "--overwrite")
        server.kubectl(*label, "app.kubernetes.io/managed-by=Helm")
        store = wait_for_phase(client, "acme", "Degraded")
        conditions = {c["type"]: c for c in store["conditions"]}
        assert "managed by Helm" in conditions["Applied"]["message"]
        assert conditions["WordPressReady"]["status"] == "True", "it runs, and that is seen"
        server.kubectl("delete", "networkpolicy", "default-deny", "-n", "store-acme")
        poll(lambda: drifts(client, "default-deny"), what="another drift")
        told = drifts(client, "Deployment/store-acme/wordpress")
        assert told == [], "nothing was put back, so nothing is said to be"
        server.kubectl(*label, "app.kubernetes.io/managed-by=urumi-orchestrator")
        wait_for_phase(client, "acme", "Ready")


def test_a_label_taken_off_is_no_deletion(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        server.kubectl(
            "label", "deployment", "wordpress", "-n", "store-acme", "stores.urumi.dev/id-"
        )
        told = poll(lambda: drifts(client, "wordpress"), what="the drift")
        assert "deleted" not in told[0]["message"] and "stores.urumi.dev/id" in told[0]["message"]
        wait_for_phase(client, "acme", "Ready")


def bare(listed: str) -> str:
    """Return a list of objects as a backup would restore them."""
    items = json.loads(listed)["items"]
    for item in items:
        meta = {k: item["metadata"][k] for k in ("name", "namespace", "labels", "annotations")}
        item["metadata"] = meta
        item.get("spec", {}).pop("volumeName", None)
        item.pop("status", None)
    return json.dumps({"kind": "List", "apiVersion": "v1", "items": items})


def test_a_deleted_namespace_is_no_empty_shop_but_a_restorable_one(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        data = ("persistentvolumeclaims,secrets", "-n", "store-acme")
        saved = bare(server.kubectl("get", *data, "-o", "json"))
        server.kubectl("delete", "namespace", "store-acme")
        store = poll(
            lambda: (
                "data is gone" in (s := client.get("/api/v1/stores/acme").json())["message"] and s
            ),
            what="the loss being said",
        )
        assert store["phase"] == "Degraded" and "data-mysql-0" in store["message"]
        guard = ("get", "networkpolicy", "default-deny", "-n", "store-acme")
        poll(lambda: "NotFound" not in server.kubectl(*guard, check=False), what="the guards")
        assert server.kubectl("get", *data, "-o", "name") == "", "nothing empty took its place"
        assert any("with everything in it" in e["message"] for e in events(client, "acme"))
        server.kubectl("create", "-f", "-", stdin=saved)
        wait_for_phase(client, "acme", "Ready")


def test_a_volume_that_somebody_deletes_is_named(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        volume = ("persistentvolumeclaim", "data-mysql-0", "-n", "store-acme")
        server.kubectl("delete", *volume, "--wait=false")
        store = wait_for_phase(client, "acme", "Degraded")
        assert "somebody deleted PersistentVolumeClaim/store-acme/data-mysql-0" in store["message"]
        server.kubectl("delete", "pod", "mysql-0", "-n", "store-acme")
        poll(lambda: "NotFound" in server.kubectl("get", *volume, check=False), what="its end")
        assert client.get("/api/v1/stores/acme").json()["phase"] == "Degraded"


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
    server = serve(URUMI_PROVISION_TIMEOUT="2")
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


def test_a_restore_brings_a_shop_back_that_was_changed_meanwhile(serve: Serve) -> None:
    server = serve(URUMI_PROVISION_TIMEOUT="2")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        secret = ("secret", "store-credentials", "-n", "store-acme")
        saved = server.kubectl("get", *secret, "-o", "yaml")
        server.kubectl("delete", *secret)
        wait_for_phase(client, "acme", "Degraded")
        client.patch("/api/v1/stores/acme", json={"plan": "medium"})
        store = wait_for_phase(client, "acme", "Upgrading")
        beyond = time.monotonic() + 3
        while time.monotonic() < beyond:
            now = client.get("/api/v1/stores/acme").json()
            assert now["phase"] == store["phase"], "a restore takes its time"
        server.kubectl("create", "-f", "-", stdin=saved)
        assert wait_for_phase(client, "acme", "Ready")["generation"] == 2
