"""What the controllers, the scheduler and the kubelet of a whole cluster do with objects.

These need pods that come to health: the sandbox, or a cluster with a node, on which the image of
the manifests can be had.
"""

from __future__ import annotations

import pytest
import yaml

from tests.contract.manifests import (
    claim_of,
    configmap,
    container,
    deployment,
    pod,
    service,
    statefulset,
    template,
)
from tests.contract.wire import MERGE, Json, Kubectl, Space, condition, eventually, ok

pytestmark = pytest.mark.controllers


def true(obj: Json, kind: str) -> bool:
    return bool(condition(obj, kind)["status"] == "True")


def when(space: Space, kind: str, name: str, expected: str) -> Json:
    """Wait until a condition of the object is true."""

    def look() -> Json | None:
        found = space.get(kind, name) if space.exists(kind, name) else {}
        return found if true(found, expected) else None

    return eventually(look, 90)


def rolled_out(space: Space, replicas: int) -> Json:
    def look() -> Json | None:
        found = space.get("Deployment", "web")
        status = found.get("status", {})
        counts = [status.get(n, 0) for n in ("replicas", "updatedReplicas", "availableReplicas")]
        fresh = status.get("observedGeneration") == found["metadata"]["generation"]
        return found if fresh and counts == [replicas] * 3 else None

    return eventually(look, 90)


def test_a_deployment_becomes_available(space: Space) -> None:
    space.create(deployment(replicas=2))
    found = rolled_out(space, 2)
    assert true(found, "Available") and true(found, "Progressing")
    assert condition(found, "Progressing")["reason"] == "NewReplicaSetAvailable"
    pods = space.items("Pod", labelSelector="app=web")
    assert all(true(p, "Ready") and p["status"]["phase"] == "Running" for p in pods)
    assert all(p["status"]["podIP"] and p["spec"]["nodeName"] for p in pods)
    (made,) = space.items("ReplicaSet")
    assert made["metadata"]["ownerReferences"][0]["name"] == "web"
    assert {p["metadata"]["ownerReferences"][0]["name"] for p in pods} == {made["metadata"]["name"]}


def test_a_new_template_makes_a_new_replica_set(space: Space) -> None:
    space.create(deployment(replicas=1))
    rolled_out(space, 1)
    change = {"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}
    ok(space.api.patch(space.path("Deployment", "web"), MERGE, change))
    found = rolled_out(space, 1)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert len(space.items("ReplicaSet")) == 2


def test_a_deleted_pod_is_made_again(space: Space) -> None:
    space.create(deployment(replicas=1))
    rolled_out(space, 1)
    (first,) = space.items("Pod")
    space.delete("Pod", first["metadata"]["name"], {"gracePeriodSeconds": 1})
    uid = first["metadata"]["uid"]
    eventually(lambda: uid not in {p["metadata"]["uid"] for p in space.items("Pod")}, 60)
    rolled_out(space, 1)


def test_init_containers_run_first(space: Space) -> None:
    body = pod("p")
    body["spec"]["initContainers"] = [container("setup", command=["true"])]
    space.create(body)
    found = when(space, "Pod", "p", "Ready")
    (first,) = found["status"]["initContainerStatuses"]
    assert first["state"]["terminated"]["exitCode"] == 0
    assert true(found, "Initialized") and true(found, "PodScheduled")


def test_a_pod_waits_for_its_configuration(space: Space) -> None:
    body = pod("p", container(envFrom=[{"configMapRef": {"name": "settings"}}]))
    space.create(body)

    def waiting() -> Json | None:
        entries = space.get("Pod", "p").get("status", {}).get("containerStatuses") or []
        found = [e["state"].get("waiting", {}) for e in entries]
        return next((w for w in found if w.get("reason") == "CreateContainerConfigError"), None)

    assert eventually(waiting, 60)["message"] == 'configmap "settings" not found'
    space.create(configmap("settings", data={"A": "1"}))
    when(space, "Pod", "p", "Ready")


def test_a_pod_that_no_node_can_take(space: Space) -> None:
    space.create(pod("p", container(resources={"requests": {"cpu": "5k"}})))

    def look() -> Json | None:
        found = condition(space.get("Pod", "p"), "PodScheduled")
        return found if found["status"] == "False" else None

    found = eventually(look)
    assert found["reason"] == "Unschedulable"
    assert "Insufficient cpu" in found["message"]
    assert space.get("Pod", "p")["status"]["phase"] == "Pending"
    eventually(lambda: space.items("Event", fieldSelector="reason=FailedScheduling"))


def test_a_claim_is_bound_by_its_first_pod_and_held_by_it(space: Space) -> None:
    space.create(claim_of("data"))
    body = pod("p", container(volumeMounts=[{"name": "v", "mountPath": "/data"}]))
    body["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    space.create(body)
    when(space, "Pod", "p", "Ready")
    claim = space.get("PersistentVolumeClaim", "data")
    assert claim["status"]["phase"] == "Bound"
    assert claim["spec"]["volumeName"]
    space.delete("PersistentVolumeClaim", "data")
    assert space.get("PersistentVolumeClaim", "data")["metadata"]["deletionTimestamp"]
    space.delete("Pod", "p", {"gracePeriodSeconds": 1})
    eventually(lambda: not space.exists("PersistentVolumeClaim", "data"), 60)


def test_a_claim_of_a_class_nobody_knows_stays_pending(space: Space) -> None:
    space.create(claim_of("data", "none-such"))
    event = eventually(lambda: space.items("Event", fieldSelector="reason=ProvisioningFailed"))[0]
    assert event["message"] == 'storageclass.storage.k8s.io "none-such" not found'
    assert space.get("PersistentVolumeClaim", "data")["status"]["phase"] == "Pending"


def test_a_claim_grows_only_where_its_class_allows_it(space: Space) -> None:
    """The class is one that nobody knows; its claim is bound by hand, as often as is undone."""
    space.create(claim_of("data", "none-such"))
    status = space.path("PersistentVolumeClaim", "data", "status")
    more = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}

    def refusal() -> str | None:
        space.api.patch(status, MERGE, {"status": {"phase": "Bound"}})
        answer = space.api.patch(space.path("PersistentVolumeClaim", "data"), MERGE, more)
        assert answer.status_code in (403, 422), answer.text
        text: str = answer.json()["message"]
        return text if "immutable" not in text and "Only bound" not in text else None

    assert eventually(refusal) == (
        'persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc can be '
        "resized and the storageclass that provisions the pvc must support resize"
    )


def test_a_claim_that_says_it_was_bound_and_names_no_volume_is_lost(space: Space) -> None:
    body = claim_of("data")
    body["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    space.create(body)
    eventually(lambda: _phase(space, "data") == "Lost")
    event = eventually(lambda: space.items("Event", fieldSelector="reason=ClaimLost"))[0]
    assert event["message"] == (
        "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
    )
    body["metadata"] = {"name": "fresh"}
    space.create(body)
    eventually(lambda: _phase(space, "fresh") == "Pending")


def _phase(space: Space, name: str) -> str:
    phase: str = space.get("PersistentVolumeClaim", name)["status"].get("phase", "")
    return phase


def test_a_stateful_set_keeps_names_and_claims(space: Space) -> None:
    space.create(statefulset("db", 1))
    when(space, "Pod", "db-0", "Ready")
    claim = space.get("PersistentVolumeClaim", "data-db-0")
    assert claim["status"]["phase"] == "Bound"
    assert claim["metadata"]["labels"] == {"app": "db"}
    space.delete("StatefulSet", "db")
    eventually(lambda: not space.exists("Pod", "db-0"), 90)
    kept = space.get("PersistentVolumeClaim", "data-db-0")["metadata"]
    assert kept["uid"] == claim["metadata"]["uid"] and "deletionTimestamp" not in kept


def test_a_service_leads_to_ready_pods(space: Space) -> None:
    space.create(service("web", {"name": "http", "port": 80, "targetPort": 8080}))
    space.create(deployment(replicas=1))
    selector = "kubernetes.io/service-name=web"

    def look() -> Json | None:
        for found in space.items("EndpointSlice", labelSelector=selector):
            if any(e["conditions"]["ready"] for e in found.get("endpoints") or ()):
                return found
        return None

    found = eventually(look, 90)
    assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    (endpoint,) = found["endpoints"]
    (only,) = space.items("Pod")
    assert endpoint["addresses"] == [only["status"]["podIP"]]
    assert endpoint["targetRef"]["name"] == only["metadata"]["name"]


def test_a_job_completes(space: Space) -> None:
    pods = template(container(command=["true"]))
    pods["spec"]["restartPolicy"] = "Never"
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}}
    space.create(job | {"spec": {"template": pods}})
    found = when(space, "Job", "once", "Complete")
    assert found["status"]["succeeded"] == 1
    assert found["status"]["completionTime"]


def test_kubectl_shows_pods_as_people_know_them(kubectl: Kubectl, space: Space) -> None:
    base = ("-n", space.name)
    with kubectl.lines(*base, "get", "pods", "-w") as lines:
        kubectl(*base, "apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(deployment()))
        kubectl(*base, "scale", "deployment/web", "--replicas=1")
        assert next(lines).split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
        assert any(line.split()[1:4] == ["1/1", "Running", "0"] for line in lines)
    kubectl(*base, "rollout", "status", "deployment/web", "--timeout=60s")
    text = kubectl(*base, "describe", "pods")
    rows = [line.split() for line in text.splitlines()]
    assert ["Status:", "Running"] in rows and ["Ready", "True"] in rows
    assert {"Scheduled", "Started"} <= {row[1] for row in rows if len(row) > 1}
    assert "1 desired | 1 updated | 1 total | 1 available" in kubectl(
        *base, "describe", "deployment", "web"
    )


def test_kubectl_shows_a_missing_image(kubectl: Kubectl, space: Space) -> None:
    body = pod("p", container(image="registry.invalid/none/such:missing"))
    space.create(body)

    def look() -> str | None:
        text = kubectl("-n", space.name, "get", "pod", "p", "--no-headers")
        return text if "ImagePullBackOff" in text or "ErrImagePull" in text else None

    assert eventually(look, 60).split()[1] == "0/1"
    text = kubectl("-n", space.name, "describe", "pod", "p")
    assert 'Failed to pull image "registry.invalid/none/such:missing"' in text
