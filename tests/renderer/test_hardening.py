"""What Pod Security ``restricted`` asks, and what we ask beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.model.kinds import Json
from orchestrator.model.plans import PLANS
from tests.renderer.samples import (
    LOCAL,
    PROD,
    PROFILES,
    containers,
    find,
    make_spec,
    pod_templates,
    render,
)

USERS = {"mysql": 999, "wordpress": 33, "wp-cron": 33}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_pods(profile: Any) -> None:
    for name, template in pod_templates(render(profile=profile)):
        spec = template["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert (context["runAsUser"], context["fsGroup"]) == (USERS[name], USERS[name])
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert not any(spec.get(k) for k in ("hostNetwork", "hostPID", "hostIPC"))
        assert spec.get("hostUsers") is (False if profile.user_namespaces else None)
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"persistentVolumeClaim", "configMap", "secret", "emptyDir"}


def test_containers() -> None:
    for name, template in pod_templates(render(profile=PROD)):
        for container in containers(template):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["imagePullPolicy"] == "IfNotPresent"
            resources = container["resources"]
            assert set(resources["requests"]) == set(resources["limits"]) == {"cpu", "memory"}


def test_every_mount_has_its_volume_and_every_folder_that_is_written_one() -> None:
    for name, template in pod_templates(render()):
        volumes = {volume["name"] for volume in template["spec"]["volumes"]}
        for container in containers(template):
            mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
            assert {mount["name"] for mount in mounts.values()} <= volumes
            assert "/tmp" in mounts
            assert all(m.get("readOnly") for m in mounts.values() if m["name"] == "config")
            if container["name"] == "wordpress":
                assert {"/var/run/apache2", "/var/lock/apache2"} <= set(mounts), name


def test_mounted_files_exist() -> None:
    rendered = render()
    data = find(rendered, "ConfigMap", "wordpress")["data"]
    scripts = find(rendered, "ConfigMap", "mysql")["data"]
    for _, template in pod_templates(rendered):
        for container in containers(template):
            for mount in container["volumeMounts"]:
                assert mount.get("subPath", "settings.json") in data
            probes = [container.get(f"{k}Probe") for k in ("startup", "readiness", "liveness")]
            commands = [container.get("command", [])]
            commands += [p["exec"]["command"] for p in probes if p and "exec" in p]
            for word in (word for command in commands for word in command):
                if word.startswith("/etc/urumi/"):
                    assert word.removeprefix("/etc/urumi/") in data | scripts


def test_only_setup_sees_the_administrators_password() -> None:
    seen = {
        container["name"]
        for _, template in pod_templates(render())
        for container in containers(template)
        if any(mount["name"] == "admin" for mount in container["volumeMounts"])
    }
    assert seen == {"setup"}
    for name, template in pod_templates(render()):
        for volume in template["spec"]["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["items"], f"{name}: the whole Secret is mounted"


def test_init_containers_explain_their_end() -> None:
    template = find(render(), "Deployment", "wordpress")["spec"]["template"]
    init = template["spec"]["initContainers"]
    assert [container["name"] for container in init] == ["prepare", "setup"]
    assert {c["terminationMessagePolicy"] for c in init} == {"FallbackToLogsOnError"}


def probe(container: Json, kind: str) -> Json:
    found: Json = container[f"{kind}Probe"]
    return found


def test_probes_ask_what_matters() -> None:
    rendered = render()
    (web,) = find(rendered, "Deployment", "wordpress")["spec"]["template"]["spec"]["containers"]
    assert probe(web, "readiness")["httpGet"]["path"] == "/urumi-health.php"
    assert probe(web, "liveness")["httpGet"]["path"] == "/urumi-alive.txt", "not the database"
    (database,) = find(rendered, "StatefulSet", "mysql")["spec"]["template"]["spec"]["containers"]
    script = find(rendered, "ConfigMap", "mysql")["data"]["probe.sh"]
    assert probe(database, "readiness")["exec"]["command"] == ["sh", "/etc/urumi/probe.sh"]
    assert "SELECT 1" in script and "127.0.0.1" in script and "--user=wordpress" in script
    for container, least in ((web, 120), (database, 300)):
        start = probe(container, "startup")
        assert start["periodSeconds"] * start["failureThreshold"] >= least


def test_strategies_suit_single_volumes() -> None:
    rendered = render()
    assert find(rendered, "Deployment", "wordpress")["spec"]["strategy"] == {"type": "Recreate"}
    assert find(rendered, "StatefulSet", "mysql")["spec"]["podManagementPolicy"] == "Parallel"


@pytest.mark.parametrize("plan", PLANS)
def test_apache_and_innodb_are_sized_by_the_plan(plan: str) -> None:
    rendered = render(make_spec(plan=plan), LOCAL)
    (web,) = find(rendered, "Deployment", "wordpress")["spec"]["template"]["spec"]["containers"]
    assert {e["name"]: e["value"] for e in web["env"]} == {
        "STORE_WORKERS": str(PLANS[plan].workers)
    }
    assert (
        "MaxRequestWorkers ${STORE_WORKERS}"
        in (find(rendered, "ConfigMap", "wordpress")["data"]["vhost.conf"])
    )
    (database,) = find(rendered, "StatefulSet", "mysql")["spec"]["template"]["spec"]["containers"]
    assert f"--innodb-buffer-pool-size={PLANS[plan].buffer_pool}" in database["args"]
