"""The real kubectl, with its validation on."""

from __future__ import annotations

import json

import yaml

from tests.contract.manifests import configmap, deployment, quota, service, statefulset
from tests.contract.wire import Kubectl, Space, eventually

WORKLOADS = yaml.safe_dump_all([deployment("web"), service("web"), statefulset("db")])


def columns(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_apply_with_validation(kubectl: Kubectl, space: Space) -> None:
    args = ("-n", space.name, "apply", "--server-side", "--validate=strict", "-f", "-")
    assert kubectl(*args, stdin=WORKLOADS).splitlines() == [
        "deployment.apps/web serverside-applied",
        "service/web serverside-applied",
        "statefulset.apps/db serverside-applied",
    ]
    first = space.get("Service", "web")
    kubectl(*args, stdin=WORKLOADS)
    assert space.get("Service", "web") == first
    assert {e["manager"] for e in first["metadata"]["managedFields"]} == {"kubectl"}


def test_apply_of_a_wrong_field_is_refused(kubectl: Kubectl, space: Space) -> None:
    wrong = deployment("web")
    wrong["spec"]["replcas"] = 1
    args = ("-n", space.name, "apply", "--server-side", "-f", "-")
    done = kubectl.run(*args, stdin=yaml.safe_dump(wrong))
    assert done.returncode == 1
    assert "replcas" in done.stderr
    assert not space.exists("Deployment", "web")


def test_apply_shows_a_conflict(kubectl: Kubectl, space: Space) -> None:
    space.apply(configmap("c", data={"a": "1"}), "alice")
    args = ("-n", space.name, "apply", "--server-side", "-f", "-")
    text = yaml.safe_dump(configmap("c", data={"a": "2"}))
    done = kubectl.run(*args, stdin=text)
    assert done.returncode == 1
    assert 'conflict with "alice"' in done.stderr and ".data.a" in done.stderr
    kubectl(*args, "--force-conflicts", stdin=text)
    assert space.get("ConfigMap", "c")["data"] == {"a": "2"}


def test_client_side_apply(kubectl: Kubectl, space: Space) -> None:
    args = ("-n", space.name, "apply", "-f", "-")
    text = yaml.safe_dump(configmap("c", data={"a": "1", "b": "2"}))
    assert kubectl(*args, stdin=text) == "configmap/c created\n"
    assert kubectl(*args, stdin=text) == "configmap/c unchanged\n"
    text = yaml.safe_dump(configmap("c", data={"a": "3"}))
    assert kubectl(*args, stdin=text) == "configmap/c configured\n"
    assert space.get("ConfigMap", "c")["data"] == {"a": "3"}


def test_get_prints_the_servers_columns(kubectl: Kubectl, space: Space) -> None:
    space.create(deployment("web"))
    space.create(service("web"))
    head, row = columns(kubectl("-n", space.name, "get", "deployments"))
    assert head == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row[:4] == ["web", "0/0", "0", "0"]
    head, row = columns(kubectl("-n", space.name, "get", "svc"))
    assert head == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert row[1] == "ClusterIP" and row[3:5] == ["<none>", "80/TCP"]
    text = kubectl("-n", space.name, "get", "all")
    assert "deployment.apps/web" in text and "service/web" in text
    found = json.loads(kubectl("-n", space.name, "get", "deploy", "web", "-o", "json"))
    assert found["kind"] == "Deployment"
    wide = kubectl("-n", space.name, "get", "deploy", "-o", "wide").splitlines()[0].split()
    assert wide[5:] == ["CONTAINERS", "IMAGES", "SELECTOR"]


def test_get_of_nothing(kubectl: Kubectl, space: Space) -> None:
    done = kubectl.run("-n", space.name, "get", "deployments")
    assert done.returncode == 0
    assert done.stderr == f"No resources found in {space.name} namespace.\n"
    done = kubectl.run("-n", space.name, "get", "deployment", "none")
    assert done.returncode == 1
    assert 'deployments.apps "none" not found' in done.stderr


def test_get_watch_prints_changes_as_they_come(kubectl: Kubectl, space: Space) -> None:
    space.create(configmap("a", labels={"mine": "1"}))
    args = ("-n", space.name, "get", "configmaps", "-l", "mine", "-w", "--output-watch-events")
    with kubectl.lines(*args) as lines:
        assert next(lines).split() == ["EVENT", "NAME", "DATA", "AGE"]
        assert next(lines).split()[:3] == ["ADDED", "a", "0"]
        space.apply(configmap("b", data={"x": "1"}, labels={"mine": "1"}))
        assert next(lines).split()[:3] == ["ADDED", "b", "1"]
        space.delete("ConfigMap", "a")
        assert next(lines).split()[:3] == ["DELETED", "a", "0"]


def test_describe(kubectl: Kubectl, space: Space) -> None:
    space.create(deployment("web", replicas=0))
    text = kubectl("-n", space.name, "describe", "deployment", "web")
    assert "Name:                   web" in text
    assert "Selector:               app=web" in text
    assert "StrategyType:           RollingUpdate" in text
    space.create(quota("q", pods="3"))
    text = eventually(lambda: _with_use(kubectl, space))
    assert ["pods", "0", "3"] in columns(text)
    text = kubectl("describe", "namespace", space.name)
    assert "Status:       Active" in text
    text = kubectl("-n", space.name, "describe", "statefulset,service,configmap")
    assert "kube-root-ca.crt" in text


def _with_use(kubectl: Kubectl, space: Space) -> str | None:
    used = space.get("ResourceQuota", "q").get("status", {}).get("used")
    return kubectl("-n", space.name, "describe", "quota", "q") if used else None


def test_scale(kubectl: Kubectl, space: Space) -> None:
    body = deployment("web")
    body["spec"]["paused"] = True
    space.create(body)
    done = kubectl("-n", space.name, "scale", "deployment/web", "--replicas=2")
    assert done == "deployment.apps/web scaled\n"
    assert space.get("Deployment", "web")["spec"]["replicas"] == 2
    wrong = ("scale", "deployment/web", "--current-replicas=7", "--replicas=3")
    assert kubectl.run("-n", space.name, *wrong).returncode == 1


def test_edits(kubectl: Kubectl, space: Space) -> None:
    space.create(deployment("web"))
    base = ("-n", space.name)
    kubectl(*base, "label", "deployment/web", "team=shop")
    kubectl(*base, "annotate", "deployment/web", "note=x")
    kubectl(*base, "set", "image", "deployment/web", "web=example.com/other:1")
    kubectl(*base, "set", "env", "deployment/web", "A=1")
    found = space.get("Deployment", "web")
    assert found["metadata"]["labels"] == {"team": "shop"}
    (only,) = found["spec"]["template"]["spec"]["containers"]
    assert only["image"] == "example.com/other:1"
    assert only["env"] == [{"name": "A", "value": "1"}]
    kubectl(*base, "patch", "deployment", "web", "--type=merge", "-p", '{"spec":{"paused":true}}')
    assert space.get("Deployment", "web")["spec"]["paused"] is True


def test_create_and_delete_a_namespace(kubectl: Kubectl, space: Space) -> None:
    name = f"{space.name}-too"
    assert kubectl("create", "ns", name) == f"namespace/{name} created\n"
    kubectl("-n", name, "create", "configmap", "c", "--from-literal=a=1")
    kubectl("-n", name, "create", "secret", "generic", "s", "--from-literal=p=x")
    assert kubectl("-n", name, "delete", "configmap", "c").startswith('configmap "c" deleted')
    assert kubectl("delete", "ns", name).startswith(f'namespace "{name}" deleted')
    assert kubectl.run("get", "ns", name).returncode == 1


def test_delete_waits_for_the_end(kubectl: Kubectl, space: Space) -> None:
    space.create(deployment("web"))
    eventually(lambda: space.items("ReplicaSet"))
    kubectl("-n", space.name, "delete", "deployment", "web", "--cascade=foreground")
    assert not space.exists("Deployment", "web")
    assert space.items("ReplicaSet") == []


def test_diff_shows_what_an_apply_would_change(kubectl: Kubectl, space: Space) -> None:
    space.apply(configmap("c", data={"a": "1"}), "kubectl")
    text = yaml.safe_dump(configmap("c", data={"a": "2"}))
    done = kubectl.run("-n", space.name, "diff", "--server-side", "-f", "-", stdin=text)
    assert done.returncode == 1, done.stderr
    assert '-  a: "1"' in done.stdout and '+  a: "2"' in done.stdout


def test_explain_and_api_resources(kubectl: Kubectl) -> None:
    assert "KIND:       Deployment" in kubectl("explain", "deployment.spec.replicas")
    assert "deployments" in kubectl("api-resources", "--api-group=apps")
    assert "Server Version: v1." in kubectl("version")
    assert kubectl("auth", "can-i", "create", "deployments") == "yes\n"


def test_wait(kubectl: Kubectl, space: Space) -> None:
    space.create(deployment("web"))
    base = ("-n", space.name)
    kubectl(*base, "wait", "--for=condition=Available", "deployment/web", "--timeout=20s")
    kubectl(*base, "rollout", "status", "deployment/web", "--timeout=20s")


def test_a_list_is_taken_apart_and_checked(kubectl: Kubectl, space: Space) -> None:
    items = [configmap("one", data={"a": "1"}), configmap("two", data={"a": "2"})]
    several = {"apiVersion": "v1", "kind": "List", "items": items}
    args = ("-n", space.name, "create", "-f", "-")
    assert kubectl(*args, stdin=json.dumps(several)).splitlines() == [
        "configmap/one created",
        "configmap/two created",
    ]
    wrong = {"apiVersion": "v1", "kind": "List", "items": [configmap("three") | {"dta": {}}]}
    done = kubectl.run(*args, stdin=json.dumps(wrong))
    assert done.returncode == 1 and "dta" in done.stderr
    assert not space.exists("ConfigMap", "three")
