"""Lint that bites: Helm's, Kubernetes' schemas, and a list of our own, on both renders."""

from __future__ import annotations

from collections.abc import Iterator

import kubernetes_validate
import pytest
from helm_python.chart import lint

from orchestrator.model.kinds import Json
from orchestrator.model.plans import PLANS
from tests.chart.chart import CHART, is_hook, key, objects, values_file, values_of
from tests.renderer.samples import PROFILES, containers, make_spec, render, template_of
from tests.renderer.test_schema import SUPPORTED

FILES = ("values-local.yaml", "values-prod.yaml")
LABELS = {
    *(f"app.kubernetes.io/{n}" for n in ("name", "instance", "component", "part-of")),
    *(f"app.kubernetes.io/{n}" for n in ("managed-by", "version")),
    "stores.urumi.dev/id",
}


def renders() -> Iterator[tuple[str, list[Json]]]:
    """Give both renders of every engine and profile, by name."""
    for engine in ("woocommerce", "wordpress"):
        for name, profile in PROFILES.items():
            spec = make_spec(engine=engine)
            yield f"service-{engine}-{name}", list(render(spec, profile).objects)
            yield f"chart-{engine}-{name}", objects(values_of("acme", spec, profile))


RENDERS = dict(renders())
EACH = pytest.mark.parametrize("found", RENDERS.values(), ids=RENDERS)


def templates(found: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Give the workloads and tests, each with its pod template."""
    for obj in found:
        template = template_of(obj)
        if template is not None:
            yield obj, template


def pods(found: list[Json]) -> Iterator[tuple[str, Json]]:
    """Give the pods of workloads and tests, by name."""
    for obj, template in templates(found):
        yield obj["metadata"]["name"], template["spec"]


def every_container(found: list[Json]) -> Iterator[tuple[str, Json]]:
    """Give every container, the ones that run before too."""
    for obj, template in templates(found):
        for container in containers(template):
            yield f"{obj['metadata']['name']}/{container['name']}", container


@pytest.mark.parametrize("name", [None, *FILES])
def test_helm_lint_finds_nothing(name: str | None) -> None:
    values = (values_file(name) if name else {}) | {"storeId": "acme"}
    report = lint(CHART, values, strict=True, kube_version="v1.36.0")
    found = [m["error"] for m in report["messages"] if m["severity"] > 1]
    assert (report["errors"], found) == ([], [])


def test_helm_lint_bites() -> None:
    report = lint(CHART, {"storeId": "Acme"}, strict=True)
    assert any("storeId" in m["error"] for m in report["messages"])


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("name", FILES)
def test_kubernetes_knows_every_field(version: str, name: str) -> None:
    for plan in PLANS:
        for obj in objects(values_file(name) | {"storeId": "acme", "plan": plan}):
            assert kubernetes_validate.validate(obj, version, strict=True) == version


@EACH
def test_every_container_has_requests_and_limits(found: list[Json]) -> None:
    names = [name for name, _ in every_container(found)]
    assert {"wordpress/prepare", "wordpress/setup", "wordpress/wordpress"} <= set(names)
    for name, container in every_container(found):
        for kind in ("requests", "limits"):
            assert set(container["resources"][kind]) == {"cpu", "memory"}, name


@EACH
def test_no_image_is_latest_or_untagged(found: list[Json]) -> None:
    for name, container in every_container(found):
        tag = container["image"].partition("@")[0].rpartition("/")[2].partition(":")[2]
        assert tag not in ("", "latest"), name
        assert container["imagePullPolicy"] == "IfNotPresent", name


@EACH
def test_nothing_runs_as_root_or_may_become_it(found: list[Json]) -> None:
    for name, pod in pods(found):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True and context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert not [v for v in pod["volumes"] if "hostPath" in v], name
    for name, container in every_container(found):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, name
        assert context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name
        assert not container.get("ports") or all("hostPort" not in p for p in container["ports"])


@EACH
def test_what_serves_is_probed_and_what_ends_is_bounded(found: list[Json]) -> None:
    served = 0
    for obj, template in templates(found):
        pod = template["spec"]
        if obj["kind"] in ("Deployment", "StatefulSet"):
            for container in pod["containers"]:
                served += 1
                assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
                assert container["readinessProbe"] != container.get("livenessProbe"), key(obj)
        elif obj["kind"] == "CronJob":
            assert obj["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
        else:
            assert pod["activeDeadlineSeconds"] > 0
    assert served == 2


@EACH
def test_every_object_has_the_standard_labels_and_a_namespace(found: list[Json]) -> None:
    for obj in found:
        assert set(obj["metadata"]["labels"]) >= LABELS, key(obj)
        assert obj["kind"] == "Namespace" or obj["metadata"]["namespace"] == "store-acme"
        assert obj["metadata"]["labels"]["app.kubernetes.io/instance"] == "acme"


@EACH
def test_selectors_select_what_they_mean(found: list[Json]) -> None:
    labels = [(key(o), template["metadata"]["labels"]) for o, template in templates(found)]

    def selected(selector: Json) -> list[tuple[str, str]]:
        return [name for name, has in labels if selector.items() <= has.items()]

    for obj in found:
        if obj["kind"] == "Service":
            assert len(selected(obj["spec"]["selector"])) == 1, key(obj)
        if obj["kind"] in ("Deployment", "StatefulSet"):
            assert selected(obj["spec"]["selector"]["matchLabels"]) == [key(obj)]


@EACH
def test_empty_dirs_are_bounded_and_claims_have_a_size(found: list[Json]) -> None:
    for name, pod in pods(found):
        for volume in pod["volumes"]:
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], f"{name}: {volume['name']}"
    for obj in found:
        if obj["kind"] == "PersistentVolumeClaim":
            assert obj["spec"]["resources"]["requests"]["storage"]


def test_helm_test_is_a_hook_and_cleans_up_after_itself() -> None:
    hooks = [o for o in objects({"storeId": "acme"}) if is_hook(o)]
    assert [o["kind"] for o in hooks].count("Pod") == 1
    for obj in hooks:
        notes = obj["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "test"
        assert set(notes["helm.sh/hook-delete-policy"].split(",")) == {
            "before-hook-creation",
            "hook-succeeded",
        }
    (pod,) = (o for o in hooks if o["kind"] == "Pod")
    command = pod["spec"]["containers"][0]["command"]
    assert "exec sh /smoke/order.sh" in command[2]
    plain = objects({"storeId": "acme", "engine": "wordpress"})
    (pod,) = (o for o in plain if o["kind"] == "Pod")
    assert "order.sh" not in pod["spec"]["containers"][0]["command"][2]
