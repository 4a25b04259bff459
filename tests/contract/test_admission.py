"""Admission: quotas, limit ranges, Pod Security, priorities of the namespace over the request."""

from __future__ import annotations

import pytest

from tests.contract.manifests import (
    claim_of,
    configmap,
    container,
    deployment,
    pod,
    quota,
    safe_container,
    service,
)
from tests.contract.wire import MERGE, Api, Json, Space, eventually, ok, parsed, refused


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


def test_a_limit_range_bounds_claims_pods_and_ratios(space: Space) -> None:
    space.create({
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "limits"},
        "spec": {"limits": [
            {"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}, "min": {"storage": "1Gi"}},
            {"type": "Pod", "max": {"cpu": "1"}},
            {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
        ]},
    })  # fmt: skip

    def why(body: Json) -> str | None:
        answer = space.api.post(space.path(body["kind"]), body, dryRun="All")
        return refused(answer, 403, "Forbidden")["message"] if answer.status_code != 201 else None

    def claim(size: str) -> Json:
        body = claim_of("data")
        body["spec"]["resources"]["requests"]["storage"] = size
        return body

    def with_cpu(*cpus: tuple[str, str]) -> Json:
        return pod("p", *(
            container(f"c{n}", resources={"requests": {"cpu": low}, "limits": {"cpu": high}})
            for n, (low, high) in enumerate(cpus)
        ))  # fmt: skip

    storage = "storage usage per PersistentVolumeClaim is"
    assert eventually(lambda: why(claim("5Gi"))) == (
        f'persistentvolumeclaims "data" is forbidden: maximum {storage} 2Gi, but request is 5Gi'
    )
    assert f"minimum {storage} 1Gi, but request is 1Mi" in str(why(claim("1Mi")))
    assert why(claim("2Gi")) is None
    most = "maximum cpu usage per Pod is 1, but limit is 1200m"
    assert most in str(why(with_cpu(("600m", "600m"), ("600m", "600m"))))
    ratio = "cpu max limit to request ratio per Container is 2, but provided ratio is 6.000000"
    assert ratio in str(why(with_cpu(("100m", "600m"))))
    assert why(with_cpu(("500m", "1"))) is None


def test_a_quota_counts_storage_ports_and_objects_of_a_kind(space: Space) -> None:
    with_quota(space, quota("q", **{
        "requests__storage": "3Gi", "persistentvolumeclaims": "2", "services__nodeports": "0",
        "count_deployments__apps": "0",
    }))  # fmt: skip
    big = claim_of("big", "contract-no-such-class")
    big["spec"]["resources"]["requests"]["storage"] = "2Gi"
    space.create(big)
    answer = space.api.post(space.path("PersistentVolumeClaim"), big | claim_named("more"))
    message = refused(answer, 403, "Forbidden")["message"]
    assert "requested: requests.storage=2Gi, used: requests.storage=2Gi, limited" in message
    answer = space.api.post(space.path("Deployment"), deployment())
    message = refused(answer, 403, "Forbidden")["message"]
    assert "requested: count/deployments.apps=1" in message
    answer = space.api.post(space.path("Service"), service("web", type="NodePort"))
    assert "requested: services.nodeports=1" in refused(answer, 403, "Forbidden")["message"]
    space.create(service("web"))


def claim_named(name: str) -> Json:
    return {"metadata": {"name": name}}


def test_a_quotas_scopes_must_fit_and_stay(space: Space) -> None:
    body = quota("q", pods="5")
    body["spec"]["scopes"] = ["BestEffort"]
    space.create(body)
    body["spec"]["scopes"] = ["NotBestEffort"]
    status = refused(space.api.put(space.path("ResourceQuota", "q"), body), 422, "Invalid")
    assert {c["field"] for c in status["details"]["causes"]} == {"spec.scopes"}
    wrong = quota("w", requests__cpu="5")
    wrong["spec"]["scopes"] = ["BestEffort"]
    refused(space.api.post(space.path("ResourceQuota"), wrong), 422, "Invalid")


def enforce(space: Space, level: str, **params: str) -> list[str]:
    """Label the namespace; returns the warnings."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    path = f"/api/v1/namespaces/{space.name}"
    answer = space.api.patch(path, MERGE, {"metadata": {"labels": labels}}, **params)
    ok(answer)
    return [text.removeprefix("299 - ") for text in answer.headers.get_list("warning")]


def test_to_enforce_more_warns_of_the_pods_that_are_there(space: Space) -> None:
    host = pod("host")
    host["spec"]["hostNetwork"] = True
    space.create(host)
    for name in ("a", "b"):
        space.create(pod(name))
    # A real API server judges by what its own watch has brought it, a moment later.
    eventually(lambda: "and 1 other pod" in str(enforce(space, "restricted", dryRun="All")))
    first, *rest = enforce(space, "restricted", dryRun="All")
    assert first == (
        f'"existing pods in namespace \\"{space.name}\\" violate the new PodSecurity enforce '
        'level \\"restricted:latest\\""'
    )
    safe = (
        "allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, "
        "seccompProfile"
    )
    assert rest == [f'"a (and 1 other pod): {safe}"', f'"host: host namespaces, {safe}"']
    assert [text for text in enforce(space, "baseline")][1:] == ['"host: host namespaces"']
    assert enforce(space, "privileged") == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}, 'hostPath volumes (volume "h")'),
        ({"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
         "forbidden sysctls (kernel.msgmax)"),
        ({"securityContext": {"seLinuxOptions": {"type": "evil", "user": "u"}}},
         "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: "
         'type "evil"; user may not be set)'),
        ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
         'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")'),
        ({"containers": [container(livenessProbe={"httpGet": {"port": 80, "host": "10.0.0.1"}})]},
         'probe or lifecycle host (container "web" uses probe or lifecycle host "10.0.0.1")'),
        ({"containers": [container(securityContext={"capabilities": {"add": ["NET_ADMIN"]}})]},
         'non-default capabilities (container "web" must not include "NET_ADMIN" in '
         "securityContext.capabilities.add)"),
    ],
)  # fmt: skip
def test_baseline_refuses_what_reaches_for_the_node(space: Space, fields: Json, words: str) -> None:
    enforce(space, "baseline")
    body = pod("p")
    body["spec"] |= fields
    message = refused(space.api.post(space.path("Pod"), body), 403, "Forbidden")["message"]
    assert message == f'pods "p" is forbidden: violates PodSecurity "baseline:latest": {words}'
    assert space.api.post(space.path("Pod"), pod("p")).status_code == 201


def test_versions_of_pod_security_are_checked(space: Space) -> None:
    path = f"/api/v1/namespaces/{space.name}"
    for version, code in (("v9", 422), ("1.30", 422), ("v1.30", 200), ("latest", 200)):
        labels = {"pod-security.kubernetes.io/enforce-version": version}
        answer = space.api.patch(path, MERGE, {"metadata": {"labels": labels}}, dryRun="All")
        assert answer.status_code == code, (version, answer.text)


def test_an_admission_policy_refuses(api: Api, space: Space) -> None:
    root = "/apis/admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    here = {"matchLabels": {"kubernetes.io/metadata.name": space.name}}
    meta = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": space.name}}
    policy = meta | {"kind": "ValidatingAdmissionPolicy", "spec": {
        "matchConstraints": {"namespaceSelector": here,
                             "resourceRules": [rule | {"resources": ["configmaps"]}]},
        "validations": [{"expression": "object.metadata.name != 'bad'", "message": "no bad ones"}],
    }}  # fmt: skip
    binding = meta | {"kind": "ValidatingAdmissionPolicyBinding", "spec": {
        "policyName": space.name, "validationActions": ["Deny"],
    }}  # fmt: skip
    made = (("validatingadmissionpolicies", policy), ("validatingadmissionpolicybindings", binding))
    try:
        for plural, body in made:
            ok(api.post(f"{root}/{plural}", body), 201)

        def denied() -> str | None:
            answer = space.api.post(space.path("ConfigMap"), configmap("bad"), dryRun="All")
            return answer.json()["message"] if answer.status_code == 422 else None

        assert eventually(denied).endswith("denied request: no bad ones")
        space.create(configmap("good"))
    finally:
        for plural, _ in made:
            api.delete(f"{root}/{plural}/{space.name}")
