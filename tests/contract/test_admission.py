"""Admission: quotas, limit ranges, Pod Security, priorities of the namespace over the request."""

from __future__ import annotations

from tests.contract.manifests import (
    configmap,
    container,
    deployment,
    pod,
    quota,
    safe_container,
)
from tests.contract.wire import MERGE, Json, Space, eventually, ok, parsed, refused


def limit_range(**limits: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "limits"},
        "spec": {"limits": [{"type": "Container"} | limits]},
    }


def with_quota(space: Space, body: Json) -> None:
    """Create a quota and wait until its use has been counted: from then on it is enforced."""
    space.create(body)
    name = body["metadata"]["name"]
    hard = set(body["spec"]["hard"])
    eventually(
        lambda: set(space.get("ResourceQuota", name).get("status", {}).get("used", {})) == hard
    )


def test_a_quota_counts_objects(space: Space) -> None:
    with_quota(space, quota("q", **{"count_configmaps": "3", "secrets": "5"}))
    made = space.get("ResourceQuota", "q")["status"]
    assert made["hard"] == {"count/configmaps": "3", "secrets": "5"}
    used = int(made["used"]["count/configmaps"])
    for number in range(3 - used):
        space.create(configmap(f"c{number}"))
    status = refused(space.api.post(space.path("ConfigMap"), configmap("more")), 403, "Forbidden")
    assert status["message"] == (
        'configmaps "more" is forbidden: exceeded quota: q, requested: count/configmaps=1, '
        "used: count/configmaps=3, limited: count/configmaps=3"
    )
    space.delete("ConfigMap", "c0")
    eventually(lambda: space.api.post(space.path("ConfigMap"), configmap("m")).status_code == 201)


def test_a_quota_sums_requests(space: Space) -> None:
    with_quota(space, quota("q", requests__cpu="1", limits__memory="1Gi", pods="5"))
    resources = {"requests": {"cpu": "600m"}, "limits": {"memory": "512Mi"}}
    space.create(pod("a", container(resources=resources)))
    status = refused(
        space.api.post(space.path("Pod"), pod("b", container(resources=resources))),
        403,
        "Forbidden",
    )
    assert status["message"] == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, '
        "used: requests.cpu=600m, limited: requests.cpu=1"
    )
    used = eventually(lambda: space.get("ResourceQuota", "q")["status"]["used"])
    assert used["requests.cpu"] == "600m"
    assert used["limits.memory"] == "512Mi"
    assert used["pods"] == "1"


def test_a_quota_asks_for_what_it_counts(space: Space) -> None:
    with_quota(space, quota("q", requests__cpu="1", limits__memory="1Gi"))
    status = refused(space.api.post(space.path("Pod"), pod("a")), 403, "Forbidden")
    assert status["message"] == (
        'pods "a" is forbidden: failed quota: q: must specify limits.memory for: web; '
        "requests.cpu for: web"
    )


def test_a_refused_pod_uses_nothing(space: Space) -> None:
    with_quota(space, quota("q", pods="0"))
    refused(space.api.post(space.path("Pod"), pod("a")), 403, "Forbidden")
    assert space.items("Pod") == []
    assert space.get("ResourceQuota", "q")["status"]["used"] == {"pods": "0"}


def test_a_limit_range_fills_in(space: Space) -> None:
    ranges = limit_range(default={"cpu": "200m", "memory": "64Mi"}, defaultRequest={"cpu": "100m"})
    space.create(ranges)
    found = eventually(lambda: _limited(space))
    assert found["limits"] == {"cpu": "200m", "memory": "64Mi"}
    assert found["requests"] == {"cpu": "100m", "memory": "64Mi"}


def _limited(space: Space) -> Json | None:
    """Create a pod until admission knows of the limit range: it reads from a cache."""
    answer = space.api.post(space.path("Pod"), pod("p"), dryRun="All")
    spec = ok(answer, 201)["spec"]
    found: Json = spec["containers"][0]["resources"]
    return found or None


def test_a_limit_range_refuses(space: Space) -> None:
    space.create(limit_range(max={"cpu": "1"}, min={"memory": "32Mi"}))
    eventually(lambda: _limited_status(space, {"cpu": "500m", "memory": "16Mi"}) == 403)
    assert _limited_status(space, {"cpu": "500m", "memory": "64Mi"}) == 201
    greedy = container(resources={"limits": {"cpu": "2", "memory": "64Mi"}})
    status = refused(space.api.post(space.path("Pod"), pod("p", greedy)), 403, "Forbidden")
    assert "maximum cpu usage per Container is 1, but limit is 2" in status["message"]


def _limited_status(space: Space, limits: Json) -> int:
    body = pod("p", container(resources={"limits": limits}))
    return space.api.post(space.path("Pod"), body, dryRun="All").status_code


def test_restricted_refuses_a_pod_and_says_why(restricted: Space) -> None:
    answer = restricted.api.post(restricted.path("Pod"), pod("p"))
    message = refused(answer, 403, "Forbidden")["message"]
    assert message.startswith('pods "p" is forbidden: violates PodSecurity "restricted:latest": ')
    for words in (
        "allowPrivilegeEscalation != false",
        "unrestricted capabilities",
        "runAsNonRoot != true",
        "seccompProfile",
    ):
        assert words in message


def test_restricted_takes_a_safe_pod(restricted: Space) -> None:
    answer = restricted.api.post(restricted.path("Pod"), pod("p", safe_container()))
    assert answer.status_code == 201, answer.text
    assert "warning" not in answer.headers


def test_restricted_takes_the_pods_context_for_its_containers(restricted: Space) -> None:
    safe = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    body = pod("p", container(securityContext=safe))
    body["spec"]["securityContext"] = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert restricted.api.post(restricted.path("Pod"), body).status_code == 201


def test_restricted_looks_at_init_containers_and_volumes(restricted: Space) -> None:
    body = pod("p", safe_container())
    body["spec"]["initContainers"] = [container("setup")]
    body["spec"]["volumes"] = [{"name": "host", "hostPath": {"path": "/"}}]
    message = refused(restricted.api.post(restricted.path("Pod"), body), 403, "Forbidden")[
        "message"
    ]
    assert 'container "setup"' in message
    assert "hostPath" in message


def test_restricted_only_warns_about_a_workload(restricted: Space) -> None:
    answer = restricted.api.post(restricted.path("Deployment"), deployment())
    assert answer.status_code == 201
    warning = answer.headers["warning"]
    assert 'would violate PodSecurity \\"restricted:latest\\"' in warning
    assert parsed(answer)["kind"] == "Deployment"


def test_labels_of_pod_security_are_checked(space: Space) -> None:
    path = f"/api/v1/namespaces/{space.name}"
    labels = {"pod-security.kubernetes.io/enforce": "strict"}
    answer = space.api.patch(path, MERGE, {"metadata": {"labels": labels}})
    refused(answer, 422, "Invalid")


def test_a_pod_gets_its_service_account_and_priority(space: Space) -> None:
    made = space.create(pod("p"))["spec"]
    assert made["serviceAccountName"] == "default"
    assert made["enableServiceLinks"] is True
    assert made["preemptionPolicy"] == "PreemptLowerPriority"
    assert made["priority"] == 0
    assert {t["key"] for t in made["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }
    body = pod("q")
    body["spec"]["serviceAccountName"] = "nobody"
    status = refused(space.api.post(space.path("Pod"), body), 403, "Forbidden")
    assert "error looking up service account" in status["message"]
