"""The service in a cluster: enough rights to do its work, and no more."""

from __future__ import annotations

from typing import Any

import yaml

from orchestrator.model.kinds import KINDS, Json
from tests.renderer.samples import PLATFORM, PROD, containers, render

OBJECTS: list[Json] = [
    obj
    for path in sorted(PLATFORM.glob("*.yaml"))
    for obj in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]


def of_kind(kind: str) -> Json:
    (found,) = (obj for obj in OBJECTS if obj["kind"] == kind)
    return found


def verbs(group: str, resource: str) -> set[str]:
    return {
        verb
        for rule in of_kind("ClusterRole")["rules"]
        if group in rule["apiGroups"] and resource in rule["resources"]
        for verb in rule["verbs"]
    }


def group_of(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def test_all_that_is_rendered_may_be_applied_and_watched() -> None:
    for obj in render(profile=PROD).objects:
        kind = KINDS[obj["kind"]]
        granted = verbs(group_of(kind.api_version), kind.plural)
        assert {"get", "list", "watch", "create", "patch"} <= granted, kind.kind


def test_every_kind_of_the_service_may_be_read() -> None:
    for kind in KINDS.values():
        assert "list" in verbs(group_of(kind.api_version), kind.plural), kind.kind


def test_data_and_passwords_are_never_deleted_or_overwritten() -> None:
    assert "delete" not in verbs("", "persistentvolumeclaims")
    assert verbs("", "secrets") == {"get", "list", "watch", "create"}


def test_no_wildcards_no_way_to_more_rights() -> None:
    for rule in of_kind("ClusterRole")["rules"]:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert "rbac.authorization.k8s.io" not in rule["apiGroups"]
        assert not {"escalate", "bind", "impersonate", "deletecollection"} & set(rule["verbs"])
        assert not {"pods/exec", "pods/attach", "serviceaccounts/token"} & set(rule["resources"])


def test_writes_are_fenced_to_namespaces_of_stores() -> None:
    policy, binding = (
        of_kind("ValidatingAdmissionPolicy"),
        of_kind("ValidatingAdmissionPolicyBinding"),
    )
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert binding["spec"]["validationActions"] == ["Deny"]
    account = of_kind("ServiceAccount")["metadata"]
    who = f"system:serviceaccount:{account['namespace']}:{account['name']}"
    assert who in policy["spec"]["matchConditions"][0]["expression"]
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    written = {
        g for r in of_kind("ClusterRole")["rules"] if "create" in r["verbs"] for g in r["apiGroups"]
    }
    assert written <= set(rule["apiGroups"])


def test_the_pod_is_as_restricted_as_a_shop() -> None:
    template: Any = of_kind("Deployment")["spec"]["template"]
    spec = template["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(template):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    names = {volume["name"] for volume in spec["volumes"]}
    assert {m["name"] for c in containers(template) for m in c["volumeMounts"]} == names


def test_names_fit_together() -> None:
    deployment, service = of_kind("Deployment"), of_kind("Service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()
    (subject,) = of_kind("ClusterRoleBinding")["subjects"]
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == subject["name"]
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    claims = [v.get("persistentVolumeClaim", {}).get("claimName") for v in volumes]
    assert of_kind("PersistentVolumeClaim")["metadata"]["name"] in claims


def test_its_environment_is_accepted(tmp_path: Any) -> None:
    from orchestrator.settings import load

    (container,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    environ = {e["name"]: e["value"] for e in container["env"]}
    settings = load(environ | {"URUMI_DATA_DIR": str(tmp_path)})
    assert (settings.env, settings.cluster, settings.port) == ("prod", "in-cluster", 4000)
