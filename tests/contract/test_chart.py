"""A release of the chart by Helm itself: what must outlive it does, and passwords never change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from helm_python import Config, errors

from tests.chart.chart import CHART
from tests.contract.wire import Space, Target, eventually

Json = dict[str, Any]
VALUES: Json = {"storeId": "chart", "engine": "wordpress"}
KEPT = [
    ("Secret", "store-credentials"),
    ("PersistentVolumeClaim", "data-mysql-0"),
    ("PersistentVolumeClaim", "wordpress"),
]


@pytest.fixture
def helm(cluster: Target, restricted: Space) -> Iterator[Config]:
    """Helm, with its releases in a namespace where Pod Security is enforced."""
    with Config(kubeconfig_path=cluster.kubeconfig, namespace=restricted.name) as config:
        yield config


@pytest.fixture
def apply(helm: Config, restricted: Space) -> Callable[..., Json]:
    """Install, or upgrade where it is installed; nothing is waited for."""

    def run(release: str = "shop", **changes: object) -> Json:
        values = VALUES | changes
        if any(found["name"] == release for found in helm.list()):
            return helm.upgrade(CHART, release, values, namespace=restricted.name)
        return helm.install(CHART, release, values, namespace=restricted.name)

    return run


def passwords(space: Space) -> Json:
    """Return what the Secret holds."""
    return dict(space.get("Secret", "store-credentials")["data"])


def test_an_upgrade_keeps_the_passwords_and_changes_the_rest(
    apply: Callable[..., Json], restricted: Space
) -> None:
    apply()
    before = passwords(restricted)
    quota = restricted.get("ResourceQuota", "store")["spec"]["hard"]
    apply(plan="medium")
    assert passwords(restricted) == before
    assert restricted.get("ResourceQuota", "store")["spec"]["hard"] != quota


def test_the_same_again_changes_nothing_in_the_workloads(
    apply: Callable[..., Json], restricted: Space
) -> None:
    apply()
    names = (("Deployment", "wordpress"), ("StatefulSet", "mysql"), ("Ingress", "wordpress"))
    before = [restricted.get(*name)["metadata"]["generation"] for name in names]
    apply()
    assert [restricted.get(*name)["metadata"]["generation"] for name in names] == before


def test_uninstalling_keeps_volumes_and_passwords_and_installing_finds_them(
    helm: Config, apply: Callable[..., Json], restricted: Space
) -> None:
    apply()
    before = passwords(restricted)
    uids = [restricted.get(*name)["metadata"]["uid"] for name in KEPT]
    helm.uninstall("shop")
    eventually(lambda: not restricted.exists("Deployment", "wordpress"))
    eventually(lambda: not restricted.exists("Ingress", "wordpress"))
    assert all(restricted.exists(*name) for name in KEPT)
    apply()
    assert passwords(restricted) == before
    assert [restricted.get(*name)["metadata"]["uid"] for name in KEPT] == uids


@pytest.mark.parametrize("lost", ["the Secret", "database-password", "database-root-password"])
def test_no_password_is_made_for_a_database_that_has_one(
    apply: Callable[..., Json], restricted: Space, lost: str
) -> None:
    apply()
    secret = restricted.get("Secret", "store-credentials")
    restricted.delete("Secret", "store-credentials")
    if lost != "the Secret":
        data = {key: value for key, value in secret["data"].items() if key != lost}
        kept = {k: secret["metadata"][k] for k in ("name", "namespace", "labels", "annotations")}
        restricted.create(secret | {"metadata": kept, "data": data})
    with pytest.raises(errors.HelmError, match="a new one would lose the shop"):
        apply(plan="medium")
    if lost == "the Secret":
        assert not restricted.exists("Secret", "store-credentials")


def test_a_namespace_that_the_service_made_is_refused(
    apply: Callable[..., Json], restricted: Space
) -> None:
    """Helm takes over nothing that another one made."""
    restricted.create(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": "store",
                "namespace": restricted.name,
                "labels": {"app.kubernetes.io/managed-by": "urumi-orchestrator"},
            },
        }
    )
    with pytest.raises(errors.HelmError, match="ServiceAccount"):
        apply()
    assert not restricted.exists("Deployment", "wordpress")


def test_another_store_or_engine_in_the_same_namespace_changes_nothing(
    apply: Callable[..., Json], restricted: Space
) -> None:
    apply()
    before = restricted.get("Ingress", "wordpress")
    with pytest.raises(errors.HelmError, match=r"storeId: .* holds the store chart"):
        apply(storeId="other")
    with pytest.raises(errors.HelmError, match="engine: this store was made with wordpress"):
        apply(engine="woocommerce")
    with pytest.raises(errors.HelmError, match=r"storeId: .* holds the store chart"):
        apply(release="second", storeId="other")
    assert restricted.get("Ingress", "wordpress") == before


def test_a_smaller_plan_keeps_the_volumes_and_says_so(
    apply: Callable[..., Json], restricted: Space
) -> None:
    def sizes() -> list[str]:
        claims = [restricted.get(*name) for name in KEPT if name[0] == "PersistentVolumeClaim"]
        return [claim["spec"]["resources"]["requests"]["storage"] for claim in claims]

    apply(plan="medium")
    before = sizes()
    told = apply(plan="small")
    assert sizes() == before
    assert "a volume never shrinks" in str(told)
    deployment = restricted.get("Deployment", "wordpress")
    apply(plan="small")
    assert restricted.get("Deployment", "wordpress")["spec"] == deployment["spec"]


def test_a_class_that_was_wrong_is_told_before_anything_changes(
    apply: Callable[..., Json], restricted: Space
) -> None:
    """The volumes of an installation that was rolled back stay, and wait for their class."""
    apply(storageClass="no-such-class")
    generation = restricted.get("Deployment", "wordpress")["metadata"]["generation"]
    with pytest.raises(errors.HelmError, match="waits for a volume of the class no-such-class"):
        apply(storageClass="another", plan="medium")
    assert restricted.get("Deployment", "wordpress")["metadata"]["generation"] == generation


def test_a_class_that_is_named_and_then_left_out_stays(
    apply: Callable[..., Json], restricted: Space
) -> None:
    def classes() -> list[str]:
        claims = [restricted.get(*name) for name in KEPT if name[0] == "PersistentVolumeClaim"]
        return [claim["spec"]["storageClassName"] for claim in claims]

    apply()
    before = classes()
    apply(storageClass=before[0])
    apply(plan="small")
    assert classes() == before


def test_another_store_does_not_take_the_volumes_that_one_left(
    helm: Config, apply: Callable[..., Json], restricted: Space
) -> None:
    apply()
    helm.uninstall("shop")
    with pytest.raises(errors.HelmError, match=r"storeId: .* holds the store chart"):
        apply(storeId="other")


def test_a_new_name_is_no_new_title(apply: Callable[..., Json], restricted: Space) -> None:
    def title() -> str:
        settings = restricted.get("ConfigMap", "wordpress")["data"]["settings.json"]
        return str(json.loads(settings)["title"])

    apply(name="First")
    apply(name="Second")
    assert title() == "First"
    apply(name="Second", options={"title": "Third"})
    assert title() == "Third"


def test_a_secret_of_ones_own_has_to_be_there_and_whole(
    apply: Callable[..., Json], restricted: Space
) -> None:
    with pytest.raises(errors.HelmError, match=r"existingSecret: the Secret mine .* no admin-user"):
        apply(existingSecret="mine")
    assert not restricted.exists("Deployment", "wordpress")


def test_a_namespace_that_others_use_is_refused(helm: Config) -> None:
    with pytest.raises(errors.HelmError, match=r"namespace: .* default is shared"):
        helm.install(CHART, "shop", VALUES, namespace="default")
