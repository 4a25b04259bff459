"""The simulated controllers, straight on the registry: what they make of what is stored."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from orchestrator.sandbox.controllers import recorder as recorder_module
from orchestrator.sandbox.controllers import run_controllers
from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.recorder import EventExpiry, Recorder
from orchestrator.sandbox.registry import ApiError, Registry

Json = dict[str, Any]
SPACE = "shop"


@asynccontextmanager
async def running(registry: Registry, speed: float = 0) -> AsyncIterator[None]:
    task = asyncio.create_task(run_controllers(registry, speed=speed))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def live(registry: Registry) -> AsyncIterator[Registry]:
    async with running(registry):
        yield registry


async def eventually(look: Callable[[], Any], deadline: float = 5.0) -> Any:
    end = time.monotonic() + deadline
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end, f"not within {deadline} s: {seen!r}"
        await asyncio.sleep(0.005)


async def settled(registry: Registry) -> int:
    """Wait until nothing has been written for a while; returns the version then."""
    while True:
        before = registry.storage.version
        for _ in range(30):
            await asyncio.sleep(0.005)
        if registry.storage.version == before:
            return before


def make(registry: Registry, body: Json) -> Json:
    body["metadata"].setdefault("namespace", SPACE)
    return registry.create(body, manager="test")


def edit(registry: Registry, kind: str, name: str, change: Callable[[Json], object]) -> Json:
    found = registry.get(kind, SPACE, name)
    change(found)
    return registry.update(found, manager="test")


def maybe(registry: Registry, kind: str, name: str) -> Json | None:
    try:
        return registry.get(kind, SPACE, name)
    except ApiError:
        return None


def pods(registry: Registry, **labels: str) -> list[Json]:
    return registry.list("Pod", SPACE, labels)


def ready(obj: Json, kind: str = "Ready") -> bool:
    conditions = obj.get("status", {}).get("conditions") or ()
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)


def condition(obj: Json, kind: str) -> Json:
    found = obj.get("status", {}).get("conditions") or ()
    return next((c for c in found if c["type"] == kind), {})


def template(image: str = "web:1", app: str = "web", **spec: Any) -> Json:
    containers = [{"name": "main", "image": image}]
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": containers} | spec,
    }


def workload(kind: str, name: str, image: str = "web:1", replicas: int = 1, **spec: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template(image, name),
        }
        | spec,
    }


def deployment(name: str = "web", image: str = "web:1", **more: Any) -> Json:
    return workload("Deployment", name, image, **more)


def bare_pod(image: str = "web:1", **spec: Any) -> Json:
    body = template(image, "bare", **spec)
    meta = body["metadata"] | {"name": "bare"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body["spec"]}


def claim(name: str, storage_class: str | None = None) -> Json:
    spec: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    if storage_class:
        spec["storageClassName"] = storage_class
    meta = {"name": name}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def events(registry: Registry, reason: str) -> list[Json]:
    return [e for e in registry.list("Event", SPACE) if e["reason"] == reason]


def waiting(registry: Registry, reason: str, name: str = "bare") -> Json | None:
    pod = registry.get("Pod", SPACE, name)
    for entry in pod["status"].get("containerStatuses") or ():
        if entry["state"].get("waiting", {}).get("reason") == reason:
            found: Json = entry
            return found
    return None


async def complete(registry: Registry, name: str = "web", replicas: int = 1) -> Json:
    def look() -> Json | None:
        found = registry.get("Deployment", SPACE, name)
        status = found["status"]
        done = (
            status.get("observedGeneration") == found["metadata"]["generation"]
            and status.get("updatedReplicas", 0) == status.get("replicas", 0) == replicas
            and status.get("availableReplicas", 0) == replicas
        )
        return found if done else None

    found: Json = await eventually(look)
    return found


# Deployments


async def test_a_deployment_becomes_available(live: Registry) -> None:
    make(live, deployment(replicas=2))
    found = await complete(live, replicas=2)
    assert found["status"]["readyReplicas"] == 2
    assert ready(found, "Available")
    assert condition(found, "Progressing")["reason"] == "NewReplicaSetAvailable"
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    (made,) = live.list("ReplicaSet", SPACE)
    mark = made["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{mark}"
    for pod in pods(live):
        assert pod["metadata"]["labels"]["pod-template-hash"] == mark
        assert pod["metadata"]["ownerReferences"][0]["name"] == made["metadata"]["name"]


async def test_a_change_of_the_template_rolls_over(live: Registry) -> None:
    make(live, deployment(replicas=3))
    await complete(live, replicas=3)

    def newer(obj: Json) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"

    edit(live, "Deployment", "web", newer)
    await complete(live, replicas=3)
    await settled(live)
    images = {p["spec"]["containers"][0]["image"] for p in pods(live)}
    assert images == {"web:2"}
    sets = {s["spec"]["replicas"] for s in live.list("ReplicaSet", SPACE)}
    assert sets == {0, 3}
    annotations = live.get("Deployment", SPACE, "web")["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision"] == "2"


async def test_a_rolling_update_that_fails_keeps_the_old_pods(live: Registry) -> None:
    make(live, deployment(replicas=4))
    await complete(live, replicas=4)

    def broken(obj: Json) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "web:missing"

    edit(live, "Deployment", "web", broken)
    await settled(live)
    old = [p for p in pods(live) if p["spec"]["containers"][0]["image"] == "web:1"]
    assert len([p for p in old if ready(p)]) == 3, "a quarter may be away"
    found = live.get("Deployment", SPACE, "web")
    assert ready(found, "Available")
    assert found["status"]["unavailableReplicas"] == 2


async def test_recreate_never_runs_two_versions(live: Registry) -> None:
    make(live, deployment(strategy={"type": "Recreate"}))
    await complete(live)
    subscription = live.subscribe()

    def newer(obj: Json) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"

    edit(live, "Deployment", "web", newer)
    await complete(live)
    there: dict[str, str] = {p["metadata"]["name"]: "web:1" for p in pods(live)}
    there = {}
    with suppress(asyncio.QueueEmpty):
        while True:
            kind, obj = subscription.get_nowait()
            if obj["kind"] == "Pod":
                there[obj["metadata"]["name"]] = obj["spec"]["containers"][0]["image"]
                if kind == "DELETED":
                    del there[obj["metadata"]["name"]]
            assert len(set(there.values())) <= 1
    assert set(there.values()) == {"web:2"}


async def test_scaling_and_a_deleted_pod(live: Registry) -> None:
    make(live, deployment(replicas=1))
    await complete(live)
    edit(live, "Deployment", "web", lambda d: d["spec"].update(replicas=3))
    await complete(live, replicas=3)
    edit(live, "Deployment", "web", lambda d: d["spec"].update(replicas=1))
    await complete(live, replicas=1)
    (only,) = await eventually(lambda: pods(live) if len(pods(live)) == 1 else None)
    live.delete("Pod", SPACE, only["metadata"]["name"])
    await eventually(
        lambda: [p for p in pods(live) if p["metadata"]["uid"] != only["metadata"]["uid"]]
    )
    await complete(live)
    edit(live, "Deployment", "web", lambda d: d["spec"].update(replicas=0))
    await eventually(lambda: not pods(live))


async def test_a_rollout_without_progress_is_said_to_have_timed_out(live: Registry) -> None:
    make(live, deployment(image="web:missing", progressDeadlineSeconds=1))
    found = await eventually(
        lambda: _with_reason(live, "Progressing", "ProgressDeadlineExceeded"), 8.0
    )
    assert condition(found, "Progressing")["status"] == "False"
    assert condition(found, "Available")["reason"] == "MinimumReplicasUnavailable"


def _with_reason(registry: Registry, kind: str, reason: str) -> Json | None:
    found = registry.get("Deployment", SPACE, "web")
    return found if condition(found, kind).get("reason") == reason else None


async def test_a_refused_pod_shows_on_the_deployment(
    live: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = live.create

    def refuse(obj: Json, *, manager: str, dry_run: bool = False) -> Json:
        if obj["kind"] == "Pod":
            raise ApiError(403, "Forbidden", "pods is forbidden: exceeded quota: small")
        return create(obj, manager=manager, dry_run=dry_run)

    monkeypatch.setattr(live, "create", refuse)
    make(live, deployment())
    found = await eventually(
        lambda: (d := live.get("Deployment", SPACE, "web")) and ready(d, "ReplicaFailure") and d
    )
    assert condition(found, "ReplicaFailure")["reason"] == "FailedCreate"
    assert "exceeded quota: small" in condition(found, "ReplicaFailure")["message"]
    assert events(live, "FailedCreate")


# StatefulSets


async def test_a_stateful_set_has_names_and_claims_that_stay(live: Registry) -> None:
    data = claim("data") | {"metadata": {"name": "data"}}
    del data["apiVersion"], data["kind"]
    make(
        live,
        workload("StatefulSet", "db", replicas=2, serviceName="db", volumeClaimTemplates=[data]),
    )
    found = await eventually(
        lambda: _stateful(live, readyReplicas=2, availableReplicas=2, currentReplicas=2)
    )
    assert found["status"]["currentRevision"] == found["status"]["updateRevision"]
    assert sorted(p["metadata"]["name"] for p in pods(live)) == ["db-0", "db-1"]
    first = live.get("Pod", SPACE, "db-0")
    assert first["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert first["spec"]["hostname"] == "db-0"
    held = live.get("PersistentVolumeClaim", SPACE, "data-db-0")
    assert held["status"]["phase"] == "Bound"
    assert held["metadata"]["labels"] == {"app": "db"}
    edit(live, "StatefulSet", "db", lambda s: s["spec"].update(replicas=1))
    await eventually(lambda: len(pods(live)) == 1)
    live.delete("Pod", SPACE, "db-0")
    await eventually(lambda: _another(live, "db-0", first["metadata"]["uid"]))
    assert (
        live.get("PersistentVolumeClaim", SPACE, "data-db-0")["metadata"]["uid"]
        == (held["metadata"]["uid"])
    )
    assert maybe(live, "PersistentVolumeClaim", "data-db-1")


def _stateful(registry: Registry, **counts: int) -> Json | None:
    found = registry.get("StatefulSet", SPACE, "db")
    return found if counts.items() <= found.get("status", {}).items() else None


def _another(registry: Registry, name: str, uid: str) -> Json | None:
    found = maybe(registry, "Pod", name)
    return found if found and found["metadata"]["uid"] != uid and ready(found) else None


async def test_a_stateful_set_updates_from_the_last(live: Registry) -> None:
    make(live, workload("StatefulSet", "db", replicas=2, serviceName="db"))
    before = await eventually(lambda: _stateful(live, readyReplicas=2))

    def newer(obj: Json) -> None:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"

    edit(live, "StatefulSet", "db", newer)
    found = await eventually(
        lambda: (
            (now := _stateful(live, readyReplicas=2, updatedReplicas=2, currentReplicas=2))
            and now["status"]["currentRevision"] != before["status"]["currentRevision"]
            and now
        )
    )
    assert found["status"]["currentRevision"] == found["status"]["updateRevision"]
    assert {p["spec"]["containers"][0]["image"] for p in pods(live)} == {"web:2"}


async def test_an_ordered_set_waits_for_the_first(live: Registry) -> None:
    make(live, workload("StatefulSet", "db", "web:missing", replicas=2, serviceName="db"))
    await settled(live)
    assert [p["metadata"]["name"] for p in pods(live)] == ["db-0"]


# Pods


async def test_a_pod_tells_its_whole_story(live: Registry) -> None:
    made = bare_pod(initContainers=[{"name": "setup", "image": "wordpress:6.9-apache"}])
    make(live, made)
    pod = await eventually(lambda: (p := live.get("Pod", SPACE, "bare")) and ready(p) and p)
    status = pod["status"]
    assert status["phase"] == "Running"
    assert pod["spec"]["nodeName"] == "sandbox"
    assert status["podIP"] and status["hostIP"] and status["startTime"]
    assert status["qosClass"] == "BestEffort"
    for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready"):
        assert ready(pod, kind)
    (first,) = status["initContainerStatuses"]
    ended = first["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert json.loads(ended["message"]) == {
        "simulated": True,
        "wordpress": "6.9-apache",
    }
    (main,) = status["containerStatuses"]
    assert main["ready"] and main["started"] and "running" in main["state"]
    assert main["image"] == "docker.io/library/web:1"
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert events(live, reason)
    assert events(live, "Scheduled")[0]["reportingComponent"] == "default-scheduler"
    assert all(e["involvedObject"]["uid"] == pod["metadata"]["uid"] for e in live.list("Event"))


async def test_writes_carry_the_managers_of_a_cluster(live: Registry) -> None:
    make(live, deployment())
    found = await complete(live)
    (pod,) = pods(live)
    for obj, name in ((found, "kube-controller-manager"), (pod, "kubelet")):
        entries = [e for e in obj["metadata"]["managedFields"] if e["manager"] == name]
        assert "status" in {e.get("subresource") for e in entries}


async def test_a_missing_image(live: Registry) -> None:
    make(live, bare_pod("registry.example.com/web:missing"))
    entry = await eventually(lambda: waiting(live, "ImagePullBackOff"))
    assert "registry.example.com/web:missing" in entry["state"]["waiting"]["message"]
    pod = live.get("Pod", SPACE, "bare")
    assert pod["status"]["phase"] == "Pending"
    assert condition(pod, "Ready")["reason"] == "ContainersNotReady"
    assert {e["message"] for e in events(live, "Failed")} >= {"Error: ImagePullBackOff"}


@pytest.mark.parametrize(
    ("tag", "code", "reason"), [("crash", 1, "Error"), ("oom", 137, "OOMKilled")]
)
async def test_a_container_that_crashes(live: Registry, tag: str, code: int, reason: str) -> None:
    make(live, bare_pod(f"web:{tag}"))
    entry = await eventually(lambda: waiting(live, "CrashLoopBackOff"))
    assert entry["restartCount"] == 1
    ended = entry["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)
    assert live.get("Pod", SPACE, "bare")["status"]["phase"] == "Running"
    assert events(live, "BackOff")
    version = await settled(live)
    assert await settled(live) == version, "it does not spin at speed 0"


async def test_a_crash_that_takes_time_is_waited_out_too(registry: Registry) -> None:
    async with running(registry, speed=0.01):
        make(registry, bare_pod("web:crash"))
        await eventually(lambda: events(registry, "BackOff"))
        entry = await eventually(lambda: waiting(registry, "CrashLoopBackOff"))
        version = await settled(registry)
        assert await settled(registry) == version
    assert entry["restartCount"] == 1


async def test_a_pod_that_no_node_can_take(live: Registry) -> None:
    body = bare_pod()
    body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "64", "memory": "1Ti"}}
    make(live, body)
    found = await eventually(
        lambda: condition(live.get("Pod", SPACE, "bare"), "PodScheduled") or None
    )
    assert (found["status"], found["reason"]) == ("False", "Unschedulable")
    assert found["message"].startswith(
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."
    )
    assert len(events(live, "FailedScheduling")) == 1


async def test_a_pod_waits_for_its_secret(live: Registry) -> None:
    body = bare_pod()
    reference = {"secretKeyRef": {"name": "s", "key": "password"}}
    body["spec"]["containers"][0]["env"] = [{"name": "P", "valueFrom": reference}]
    make(live, body)
    entry = await eventually(lambda: waiting(live, "CreateContainerConfigError"))
    assert entry["state"]["waiting"]["message"] == 'secret "s" not found'
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    make(live, secret | {"data": {"other": "eA=="}})
    words = "couldn't find key password in Secret shop/s"
    await eventually(
        lambda: (
            (e := waiting(live, "CreateContainerConfigError"))
            and e["state"]["waiting"]["message"] == words
        )
    )
    edit(live, "Secret", "s", lambda s: s["data"].update(password="eA=="))
    await eventually(lambda: ready(live.get("Pod", SPACE, "bare")))


async def test_a_pod_waits_for_what_it_mounts(live: Registry) -> None:
    make(live, bare_pod(volumes=[{"name": "v", "configMap": {"name": "c"}}]))
    event = (await eventually(lambda: events(live, "FailedMount")))[0]
    assert event["message"] == 'MountVolume.SetUp failed for volume "v" : configmap "c" not found'
    assert waiting(live, "ContainerCreating")
    make(live, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    await eventually(lambda: ready(live.get("Pod", SPACE, "bare")))


async def test_a_deleted_pod_goes(live: Registry) -> None:
    make(live, bare_pod())
    await eventually(lambda: ready(live.get("Pod", SPACE, "bare")))
    live.delete("Pod", SPACE, "bare")
    await eventually(lambda: maybe(live, "Pod", "bare") is None)
    assert events(live, "Killing")


# Claims


async def test_a_claim_is_bound_when_a_pod_uses_it(live: Registry) -> None:
    make(live, claim("data", "standard"))
    await eventually(lambda: events(live, "WaitForFirstConsumer"))
    assert live.get("PersistentVolumeClaim", SPACE, "data")["status"]["phase"] == "Pending"
    source = {"persistentVolumeClaim": {"claimName": "data"}}
    make(live, bare_pod(volumes=[{"name": "v"} | source]))
    await eventually(lambda: ready(live.get("Pod", SPACE, "bare")))
    found = live.get("PersistentVolumeClaim", SPACE, "data")
    assert found["status"]["phase"] == "Bound"
    assert found["status"]["capacity"] == {"storage": "1Gi"}
    volume = live.get("PersistentVolume", None, found["spec"]["volumeName"])
    assert volume["status"]["phase"] == "Bound"
    live.delete("PersistentVolumeClaim", SPACE, "data")
    await settled(live)
    live.delete("Pod", SPACE, "bare")
    await eventually(lambda: maybe(live, "PersistentVolumeClaim", "data") is None)
    await eventually(lambda: not live.list("PersistentVolume"))


async def test_a_claim_of_a_class_nobody_knows(live: Registry) -> None:
    make(live, claim("data", "none-such"))
    source = {"persistentVolumeClaim": {"claimName": "data"}}
    make(live, bare_pod(volumes=[{"name": "v"} | source]))
    event = (await eventually(lambda: events(live, "ProvisioningFailed")))[0]
    assert event["message"] == 'storageclass.storage.k8s.io "none-such" not found'
    found = await eventually(
        lambda: condition(live.get("Pod", SPACE, "bare"), "PodScheduled") or None
    )
    assert "unbound immediate PersistentVolumeClaims" in found["message"]
    meta = {"name": "none-such"}
    made = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": meta}
    late = made | {"provisioner": "example.com/x", "volumeBindingMode": "WaitForFirstConsumer"}
    live.create(late, manager="test")
    await eventually(lambda: ready(live.get("Pod", SPACE, "bare")))


# Services, Ingresses, budgets


async def test_a_service_leads_to_the_ready_pods(live: Registry) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"team": "shop"}},
        "spec": {
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }
    make(live, service)
    await eventually(lambda: live.list("EndpointSlice", SPACE))
    body = deployment(replicas=2)
    body["spec"]["template"]["spec"]["containers"][0]["ports"] = [
        {"name": "http", "containerPort": 8080}
    ]
    make(live, body)
    await complete(live, replicas=2)
    found = await eventually(
        lambda: (s := live.list("EndpointSlice", SPACE)[0]) and len(_ready(s)) == 2 and s
    )
    labels = found["metadata"]["labels"]
    assert labels["team"] == "shop"
    assert labels["kubernetes.io/service-name"] == "web"
    assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    edit(live, "Deployment", "web", lambda d: d["spec"].update(replicas=0))
    await eventually(lambda: not _ready(live.list("EndpointSlice", SPACE)[0]))


def _ready(found: Json) -> list[Json]:
    return [e for e in found.get("endpoints") or () if e["conditions"]["ready"]]


async def test_an_ingress_gets_an_address_when_its_class_is_there(live: Registry) -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]

    def ingress(name: str, kind: str) -> Json:
        rules = [{"host": f"{name}.example.com", "http": {"paths": paths}}]
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name},
            "spec": {"ingressClassName": kind, "rules": rules},
        }

    make(live, ingress("good", "traefik"))
    make(live, ingress("bad", "none-such"))
    await eventually(
        lambda: live.get("Ingress", SPACE, "good")["status"]["loadBalancer"].get("ingress")
    )
    await settled(live)
    assert not live.get("Ingress", SPACE, "bad")["status"]["loadBalancer"].get("ingress")


async def test_a_quota_is_counted(live: Registry) -> None:
    hard = {"pods": "10", "requests.cpu": "4", "limits.memory": "8Gi", "count/secrets": "9"}
    meta = {"name": "q"}
    make(
        live,
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}},
    )
    body = deployment(replicas=2)
    resources = {"requests": {"cpu": "250m"}, "limits": {"memory": "512Mi"}}
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    make(live, body)
    await complete(live, replicas=2)
    wanted = {"pods": "2", "requests.cpu": "500m", "limits.memory": "1Gi", "count/secrets": "0"}
    await eventually(lambda: live.get("ResourceQuota", SPACE, "q")["status"].get("used") == wanted)


async def test_a_disruption_budget_is_counted(live: Registry) -> None:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    body = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}}
    make(live, body | {"spec": spec})
    make(live, deployment(replicas=2))
    await complete(live, replicas=2)
    found = await eventually(
        lambda: (
            (b := live.get("PodDisruptionBudget", SPACE, "b"))
            and b["status"].get("currentHealthy") == 2
            and b["status"]
        )
    )
    assert (found["desiredHealthy"], found["disruptionsAllowed"]) == (1, 1)


# Jobs


async def test_a_job_completes(live: Registry) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}}
    make(live, job | {"spec": {"template": template(restartPolicy="Never")}})
    found = await eventually(
        lambda: (j := live.get("Job", SPACE, "once")) and ready(j, "Complete") and j
    )
    assert found["status"]["succeeded"] == 1
    assert found["status"]["completionTime"]
    assert [p["status"]["phase"] for p in pods(live)] == ["Succeeded"]


async def test_a_job_gives_up(live: Registry) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}}
    spec = {"backoffLimit": 1, "template": template("web:crash", restartPolicy="Never")}
    make(live, job | {"spec": spec})
    found = await eventually(
        lambda: (j := live.get("Job", SPACE, "once")) and ready(j, "Failed") and j
    )
    assert condition(found, "Failed")["reason"] == "BackoffLimitExceeded"
    assert found["status"]["failed"] == 2


# The engine


async def test_events_are_counted_and_expire(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = Access(registry)
    recorder = Recorder(access)
    pod = make(registry, bare_pod())
    for component in ("kubelet", "default-scheduler"):
        for _ in range(3):
            recorder.warning(pod, component, "Odd", "something is odd")
    counts = [e.get("count") or e["series"]["count"] for e in events(registry, "Odd")]
    assert counts == [3, 3]
    expiry = EventExpiry(access)
    expiry.reconcile(("", "sweep"))
    assert len(events(registry, "Odd")) == 2
    monkeypatch.setattr(recorder_module, "LIFETIME", -1.0)
    assert expiry.reconcile(("", "sweep"))
    assert events(registry, "Odd") == []


async def test_a_restart_goes_on_where_it_was(registry: Registry) -> None:
    async with running(registry, speed=0.05):
        make(registry, deployment(replicas=2))
        await eventually(lambda: pods(registry))
    async with running(registry):
        await complete(registry, replicas=2)
    version = registry.storage.version
    async with running(registry):
        assert await settled(registry) == version, "a restart writes nothing when all is well"


async def test_delays_are_a_factor_on_life_like_times(registry: Registry) -> None:
    async with running(registry, speed=0.1):
        began = time.monotonic()
        make(registry, bare_pod())
        await eventually(lambda: ready(registry.get("Pod", SPACE, "bare")))
        took = time.monotonic() - began
    assert 0.2 <= took < 2.0, "(0.2 + 0.8 + 1.5 s) x 0.1, and some work"


async def test_one_broken_object_stops_nobody(
    live: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from orchestrator.sandbox.controllers.deployments import Deployments

    whole = Deployments.reconcile

    def broken(self: Deployments, key: tuple[str, str]) -> float | None:
        if key[1] == "bad":
            raise ZeroDivisionError("an object that nobody thought of")
        return whole(self, key)

    monkeypatch.setattr(Deployments, "reconcile", broken)
    make(live, deployment("bad"))
    make(live, deployment("web"))
    await complete(live)
    assert "cannot handle shop/bad" in caplog.text


async def test_nothing_is_written_once_all_is_well(live: Registry) -> None:
    for number in range(5):
        make(live, deployment(f"web{number}", replicas=2))
    for number in range(5):
        await complete(live, f"web{number}", replicas=2)
    version = await settled(live)
    assert await settled(live) == version
