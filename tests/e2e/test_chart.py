"""The chart on real pods, by Helm: install, ``helm test``, and nothing left but data."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml
from helm_python import Config

from tests.chart.chart import CHART
from tests.e2e import needs
from tests.e2e.conftest import Installation
from tests.e2e.shop import Shop
from tests.e2e.site import Site
from tests.system.server import poll

TIMEOUT = 240  # seconds


@pytest.fixture
def engine(first: Shop) -> str:
    """A whole shop where the image of WordPress holds WooCommerce."""
    return "woocommerce" if first.has_woocommerce() else "wordpress"


@pytest.fixture
def release(installation: Installation, engine: str) -> Iterator[tuple[Config, str, str]]:
    """The chart, installed and available: Helm, the release's namespace, the shop's address."""
    settings = installation.server.environ
    store = f"{installation.run}-chart"
    values = yaml.safe_load((CHART / "values-local.yaml").read_text())
    values |= {"storeId": store, "engine": engine}
    values["ingress"] |= {
        "baseDomain": settings["URUMI_BASE_DOMAIN"],
        "className": needs.ingress_class(settings),
        "namespace": needs.ingress_namespace(settings),
    }
    if settings.get("URUMI_STORAGE_CLASS"):
        values["storageClass"] = settings["URUMI_STORAGE_CLASS"]
    images = {
        name: settings[f"URUMI_IMAGE_{name.upper()}"]
        for name in ("wordpress", "mysql")
        if settings.get(f"URUMI_IMAGE_{name.upper()}")
    }
    kubeconfig, namespace = installation.server.ground.kubeconfig, f"store-{store}"
    with Config(kubeconfig_path=kubeconfig, namespace=namespace) as helm:
        helm.install(
            CHART, "demo-store", values | ({"images": images} if images else {}),
            namespace=namespace, create_namespace=True, rollback_on_failure=True,
            wait="watcher", timeout=TIMEOUT,
        )  # fmt: skip
        yield helm, namespace, f"http://store-{store}.{settings['URUMI_BASE_DOMAIN']}"


def test_a_release_serves_passes_its_test_and_leaves_its_data(
    release: tuple[Config, str, str], installation: Installation, first: Shop
) -> None:
    helm, namespace, url = release
    site = Site(first.where(), url)
    poll(site.answers, seconds=30, what="the page behind the release")
    helm.test("demo-store", timeout=TIMEOUT)

    def names(kinds: str) -> set[str]:
        found = installation.server.kubectl("-n", namespace, "get", kinds, "-o", "json")
        return {item["metadata"]["name"] for item in json.loads(found)["items"]}

    assert not names("pods,networkpolicies") & {"order-test", "order-test-wordpress"}
    helm.uninstall("demo-store")
    poll(lambda: not names("pods"), seconds=150, what="the end of the pods")
    assert names("pvc") == {"data-mysql-0", "wordpress"}
    assert "store-credentials" in names("secrets")
