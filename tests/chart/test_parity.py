"""The chart and the service render the same store: object by object, field by field."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.kinds import Json
from orchestrator.model.names import FIELD_MANAGER, name_problem, namespace_of
from orchestrator.model.plans import PLANS
from orchestrator.model.spec import StoreSpec, Versions
from orchestrator.renderer import Credentials, StoreProfile
from tests.chart.chart import is_hook, key, objects, values_of
from tests.renderer.samples import LOCAL, PROD, RENDERER, UID, make_spec

CREDENTIALS = Credentials("admin", "a", "b", "c", "d")

# All that may differ, by name and with its reason.
MANAGED_BY = "app.kubernetes.io/managed-by"  # who applies: Helm here, the service there
NAMESPACE = ("Namespace", "store-acme")  # a chart cannot own the namespace of its release
KEEP = "helm.sh/resource-policy"  # claims and Secret outlive the release
UID_ANNOTATION = "stores.urumi.dev/uid"  # of the service's record; a release has none
SECRET = ("Secret", "store-credentials")  # its data: each makes passwords of its own

NGINX = replace(LOCAL, ingress_class="nginx", ingress_namespace="ingress-nginx")
PORT = replace(LOCAL, base_port=8088)
PROFILES = {
    "local": LOCAL,
    "prod": PROD,
    "nginx": NGINX,
    "port": PORT,
    "local-tls": replace(LOCAL, tls_issuer="letsencrypt"),
    "tls-443": replace(PROD, base_port=443),
    "storage-class": replace(LOCAL, storage_class="fast"),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "owner's": {
        "title": 'Bäckerei "Süß" & <Söhne> $(HOME) {{ x }}',
        "name": "日本 ✓ \u2028 line \ufeff",
        "admin_email": "a+b@example.org",
        "currency": "EUR",
        "country": "DE:DE-BE",
        "demo_products": False,
        "domain": "shop.example.com",
    },
}
COMBINATIONS = list(itertools.product(("woocommerce", "wordpress"), PLANS, PROFILES, OPTIONS))


Twin = dict[tuple[str, str], Json]


def twins(store_id: str, spec: StoreSpec, profile: StoreProfile) -> tuple[Twin, Twin]:
    """Return both renders by kind and name, without what may differ."""
    service = list(RENDERER.render(store_id, UID, spec, profile).objects)
    service.append(RENDERER.credentials(store_id, UID, spec, CREDENTIALS))
    values = values_of(store_id, spec, profile)
    helm = objects(values, namespace=namespace_of(store_id))
    return (
        {key(o): alike(o) for o in service if o["kind"] != "Namespace"},
        {key(o): alike(o) for o in helm if not is_hook(o)},
    )


def alike(obj: Json) -> Json:
    """Return a copy without what is allowed to differ."""
    obj = copy.deepcopy(obj)
    for labels in _labels(obj):
        labels.pop(MANAGED_BY, None)
    annotations = obj["metadata"].get("annotations", {})
    annotations.pop(KEEP, None)
    annotations.pop(UID_ANNOTATION, None)
    if not annotations:
        obj["metadata"].pop("annotations", None)
    if key(obj) == SECRET:
        obj["data"] = dict.fromkeys(obj["data"])
    return obj


def _labels(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "labels" and isinstance(inner, dict):
                yield inner
            yield from _labels(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _labels(inner)


def assert_twins(store_id: str, spec: StoreSpec, profile: StoreProfile) -> None:
    service, helm = twins(store_id, spec, profile)
    assert set(helm) == set(service)
    for name, obj in service.items():
        assert helm[name] == obj, name


@pytest.mark.parametrize(
    ("engine", "plan", "profile", "options"), COMBINATIONS, ids=lambda value: str(value)
)
def test_both_render_the_same(engine: str, plan: str, profile: str, options: str) -> None:
    spec = make_spec(engine=engine, plan=plan, **OPTIONS[options])
    assert_twins("acme", spec, PROFILES[profile])


@pytest.mark.parametrize("store_id", ["a", "0", "a" * 40, "x-1", "shop-7"])
def test_any_id(store_id: str) -> None:
    assert_twins(store_id, make_spec(), LOCAL)


@pytest.mark.parametrize("tag", ["1", "v" * 128, "6.9_-", "7.1.0-php8.4-apache"])
def test_any_tag(tag: str) -> None:
    image = f"registry.example.com:5000/wordpress:{tag}"
    spec = make_spec(versions=Versions(wordpress=tag, mysql="8.4"))
    assert_twins("acme", spec, replace(LOCAL, image_wordpress=image))


TITLES = st.text(min_size=1, max_size=80).filter(lambda text: name_problem(text) is None)


@settings(max_examples=60, deadline=None)
@given(TITLES)
def test_any_title_is_the_same_data(title: str) -> None:
    """What people write is data, and the same bytes: the digest in the pods is of them."""
    assert_twins("acme", make_spec(title=title), LOCAL)


def test_managed_by_says_who() -> None:
    spec = make_spec()
    helm = objects(values_of("acme", spec, LOCAL))
    assert {labels[MANAGED_BY] for obj in helm for labels in _labels(obj)} == {"Helm"}
    service = RENDERER.render("acme", UID, spec, LOCAL).objects
    assert {labels[MANAGED_BY] for obj in service for labels in _labels(obj)} == {FIELD_MANAGER}


def test_the_release_has_no_say_in_names_or_fields() -> None:
    values = values_of("acme", make_spec(), LOCAL)
    one, other = (objects(values, release=name) for name in ("shop", "something-else"))
    for left, right in zip(one, other, strict=True):
        assert alike(left) == alike(right)
        assert "something-else" not in str(alike(right))


def test_the_name_defaults_to_the_id_and_the_title_to_the_name() -> None:
    bare = {
        o["metadata"]["name"]: o for o in objects({"storeId": "acme"}) if o["kind"] == "ConfigMap"
    }
    assert '"title":"acme"' in bare["wordpress"]["data"]["settings.json"]
    named = objects({"storeId": "acme", "name": "Acme Ltd"})
    told = next(o for o in named if key(o) == ("ConfigMap", "wordpress"))["data"]["settings.json"]
    assert '"title":"Acme Ltd"' in told
