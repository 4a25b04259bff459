"""`urumi doctor` says what a cluster lacks, and exits 1 when it is essential."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from orchestrator.cli.doctor import DEFAULT_CLASS, Finding, Level, examine
from orchestrator.cluster import Cluster, ObjectList
from orchestrator.model.errors import ClusterForbidden, ObjectNotFound
from orchestrator.model.kinds import KINDS, ResourceKind
from orchestrator.settings import load
from tests.renderer.test_platform import group_of, verbs


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **more.pop("metadata", {})}, **more}


READY_NODE = named("node-1", status={"conditions": [{"type": "Ready", "status": "True"}]})
DEFAULT = named("local-path", metadata={"annotations": {DEFAULT_CLASS: "true"}})


@dataclass
class FakeCluster:
    release: str = "v1.36.3"
    objects: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {
            "IngressClass": [named("traefik")],
            "StorageClass": [DEFAULT],
            "Node": [READY_NODE],
        }
    )
    denied: frozenset[tuple[str, str]] = frozenset()
    reviews: bool = True

    async def version(self) -> str:
        return self.release

    async def list(self, kind: ResourceKind) -> ObjectList:
        if ("list", kind.plural) in self.denied:
            raise ClusterForbidden(403, "Forbidden", f"may not list {kind.plural}")
        return ObjectList(self.objects[kind.kind], "1")

    async def review_access(
        self, verb: str, group: str, resource: str, namespace: str | None = None
    ) -> bool:
        if not self.reviews:
            raise ObjectNotFound(404, "NotFound", "no such path")
        if resource == "deployments":
            assert group == "apps"
        if resource == "secrets":
            assert group == ""
        return (verb, resource) not in self.denied


async def lacks(cluster: FakeCluster, **settings: str) -> list[Finding]:
    environ = {f"URUMI_{name.upper()}": value for name, value in settings.items()}
    found = await examine(cast(Cluster, cluster), load(environ))
    return [finding for finding in found if finding.level is Level.LACKS]


async def test_a_good_cluster_lacks_nothing() -> None:
    assert await lacks(FakeCluster()) == []


@pytest.mark.parametrize(
    ("release", "old"), [("v1.34.9", True), ("v1.35.0", False), ("2.0", False)]
)
async def test_the_version_is_judged(release: str, old: bool) -> None:
    assert bool(await lacks(FakeCluster(release=release))) is old


async def test_a_missing_ingress_class_is_named_with_those_there_are() -> None:
    (finding,) = await lacks(FakeCluster(), ingress_class="nginx")
    assert "nginx" in finding.message and "traefik" in finding.message


async def test_no_storage_to_be_had() -> None:
    cluster = FakeCluster()
    cluster.objects["StorageClass"] = [named("slow")]
    (finding,) = await lacks(cluster)
    assert "URUMI_STORAGE_CLASS" in finding.message and "slow" in finding.message
    assert await lacks(cluster, storage_class="slow") == []
    (finding,) = await lacks(cluster, storage_class="fast")
    assert "fast does not exist" in finding.message


async def test_no_node_is_ready() -> None:
    cluster = FakeCluster()
    cluster.objects["Node"] = [named("n", status={"conditions": []})]
    (finding,) = await lacks(cluster)
    assert finding.subject == "nodes"


async def test_missing_rights_are_named() -> None:
    denied = frozenset({("create", "secrets"), ("patch", "services"), ("watch", "pods")})
    found = await lacks(replace(FakeCluster(), denied=denied))
    assert {f.message for f in found} == {
        "create on secrets",
        "patch on services",
        "watch on pods",
    }


async def test_the_rights_that_the_service_ships_are_enough() -> None:
    every = ("get", "list", "watch", "create", "patch", "delete")
    shipped = {
        kind.plural: verbs(group_of(kind.api_version), kind.plural) for kind in KINDS.values()
    }
    denied = frozenset((v, plural) for plural, have in shipped.items() for v in {*every} - have)
    assert ("patch", "secrets") in denied
    assert await lacks(replace(FakeCluster(), denied=denied)) == []


async def test_what_may_not_be_listed_is_said_but_nodes_are_not_essential() -> None:
    denied = frozenset({("list", "nodes")})
    assert await lacks(replace(FakeCluster(), denied=denied)) == []
    denied = frozenset({("list", "ingressclasses")})
    assert {f.subject for f in await lacks(replace(FakeCluster(), denied=denied))} == {
        "rights",
        "ingress class",
    }


async def test_a_cluster_without_access_reviews_is_no_failure() -> None:
    assert await lacks(FakeCluster(reviews=False)) == []


def test_the_sandbox_that_does_not_run_lacks_nothing(run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("URUMI_CLUSTER", "sandbox")
    result = run("doctor")
    assert result.exit_code == 0, result.stderr
    assert "sandbox" in result.stdout


def test_a_cluster_that_does_not_answer_is_3(run: Any, monkeypatch: Any, tmp_path: Any) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
    )
    monkeypatch.setenv("URUMI_KUBECONFIG", str(kubeconfig))
    result = run("doctor")
    assert result.exit_code == 3, (result.stdout, result.stderr)
