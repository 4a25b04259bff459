"""What somebody else changes or deletes: put back, or named where that would lose data."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import httpx
import pytest

from tests.system.server import Server, drifts, events, passes_in, poll, wait_for_phase

Serve = Callable[..., Server]


def _writes(text: str) -> list[str]:
    lines = (x for x in text.splitlines() if x.startswith("urumi_apply_total{"))
    return sorted(line for line in lines if 'action="unchanged"' not in line)


def _passes(client: httpx.Client) -> float:
    return passes_in(client.get("/metrics").text)


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

        # Two passes may see the two changes, and each writes its entry when it ends.
        def told() -> bool:
            text = " ".join(e["message"] for e in events(client, "acme") if e["type"] == "drift")
            names = ("Service/store-acme/wordpress", "Ingress/store-acme/wordpress", "somebody")
            return all(name in text for name in names)

        poll(told, what="the entries")


def test_a_quiet_store_is_not_written_to(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        wait_for_phase(client, "acme", "Ready")
        before = client.get("/metrics").text
        # Something that is not ours wakes the store without drifting from what we applied.
        server.kubectl("label", "service", "wordpress", "-n", "store-acme", "team=blue")
        server.kubectl("annotate", "pod", "-n", "store-acme", "--all", "seen=yes")
        poll(lambda: _passes(client) > passes_in(before), what="another pass")
        wait_for_phase(client, "acme", "Ready")
        assert _writes(client.get("/metrics").text) == _writes(before)


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
    """Return a list of objects as a backup would restore them.

    What says that a claim is bound to a volume that is gone does not come back: a claim restored
    with it would be lost.
    """
    items = json.loads(listed)["items"]
    for item in items:
        meta = {k: item["metadata"][k] for k in ("name", "namespace", "labels", "annotations")}
        meta["annotations"] = {
            key: value
            for key, value in meta["annotations"].items()
            if not key.startswith(("pv.kubernetes.io/", "volume.kubernetes.io/"))
        }
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


def test_a_restore_brings_a_shop_back_that_was_changed_meanwhile(serve: Serve) -> None:
    server = serve(URUMI_PROVISION_TIMEOUT="10")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        secret = ("secret", "store-credentials", "-n", "store-acme")
        saved = server.kubectl("get", *secret, "-o", "yaml")
        server.kubectl("delete", *secret)
        wait_for_phase(client, "acme", "Degraded")
        client.patch("/api/v1/stores/acme", json={"plan": "medium"})
        store = wait_for_phase(client, "acme", "Upgrading")
        parts = "app.kubernetes.io/component in (database,wordpress)"  # wp-cron's come and go
        pods = ("get", "pods", "-n", "store-acme", "-l", parts, "-o", "name")
        serving = server.kubectl(*pods)
        beyond = time.monotonic() + 12
        while time.monotonic() < beyond:
            now = client.get("/api/v1/stores/acme").json()
            assert now["phase"] == store["phase"], "a restore takes its time"
        assert server.kubectl(*pods) == serving, "what serves is not replaced by what cannot start"
        server.kubectl("create", "-f", "-", stdin=saved)
        assert wait_for_phase(client, "acme", "Ready")["generation"] == 2


def test_a_fight_over_an_object_is_slow_told_once_and_hinders_nobody(serve: Serve) -> None:
    server = serve()
    label = "app.kubernetes.io/part-of"

    def held_by() -> str:
        path = "jsonpath={.metadata.labels.app\\.kubernetes\\.io/part-of}"
        return server.kubectl("get", "service", "mysql", "-n", "store-acme", "-o", path)

    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        ours = held_by()
        for i in range(5):
            args = ("label", "service", "mysql", "-n", "store-acme", "--overwrite")
            server.kubectl(*args, f"{label}=mine-{i}")
            poll(lambda: held_by() == ours, what="the label being put back")
        told = [e["reason"] for e in drifts(client, "Service/store-acme/mysql")]
        assert told.count("Drifted") == 3 and told.count("Contested") == 1
        assert client.get("/api/v1/stores/acme").json()["phase"] == "Ready"
