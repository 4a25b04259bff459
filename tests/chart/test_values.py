"""What the chart accepts, what it refuses and with which words."""

from __future__ import annotations

from typing import Any

import pytest
from helm_python import errors

from orchestrator.model.kinds import Json
from orchestrator.model.names import domain_problem, id_problem
from tests.chart.chart import CHART, chart, key, objects, values_file
from tests.renderer.samples import template_of

GOOD: Json = {"storeId": "acme"}


def refusal(values: Json) -> str:
    """Return why the chart does not render with ``values``."""
    with pytest.raises(errors.HelmError) as caught:
        objects(values)
    return str(caught.value)


@pytest.mark.parametrize("name", ["values-local.yaml", "values-prod.yaml"])
@pytest.mark.parametrize("engine", ["woocommerce", "wordpress"])
def test_the_shipped_values_need_an_id_and_no_more(name: str, engine: str) -> None:
    """The production command: ``-f values-prod.yaml --set storeId=demo --set engine=…``."""
    made = {key(o) for o in objects(values_file(name) | {"storeId": "demo", "engine": engine})}
    assert {("Deployment", "wordpress"), ("StatefulSet", "mysql"), ("Ingress", "wordpress")} <= made


def test_the_shipped_values_say_what_the_profiles_say() -> None:
    """Local: plain http on a name of this machine. Production: TLS, a storage class, no demo."""
    local, prod = (
        {key(o): o for o in objects(values_file(f"values-{name}.yaml") | GOOD)}
        for name in ("local", "prod")
    )
    ingress = ("Ingress", "wordpress")
    assert local[ingress]["spec"]["rules"][0]["host"] == "store-acme.localtest.me"
    assert "tls" not in local[ingress]["spec"]
    assert prod[ingress]["spec"]["tls"][0]["hosts"] == ["store-acme.stores.example.com"]
    claim = ("PersistentVolumeClaim", "data-mysql-0")
    assert "storageClassName" not in local[claim]["spec"]
    assert prod[claim]["spec"]["storageClassName"] == "local-path"
    assert '"demoProducts":false' in prod["ConfigMap", "wordpress"]["data"]["settings.json"]


WRONG: list[tuple[Json, str, str]] = [
    ({"storeId": None}, "storeId", ""),
    ({"storeId": ""}, "storeId", "minLength"),
    ({"storeId": "Acme"}, "storeId", "pattern"),
    ({"storeId": "a" * 41}, "storeId", "maxLength"),
    ({"storeId": "-a"}, "storeId", "pattern"),
    ({"storeId": 7}, "storeId", "string"),
    ({"storeId": "default"}, "storeId", "reserved"),
    ({"storeId": "kube-system"}, "storeId", "reserved"),
    ({"engine": "medusa"}, "engine", "woocommerce"),
    ({"plan": "huge"}, "plan", "small"),
    ({"name": "x" * 81}, "name", "maxLength"),
    ({"name": "   "}, "name", "pattern"),
    ({"name": "a\nb"}, "name", "pattern"),
    ({"domain": "Shop.example.com"}, "domain", "pattern"),
    ({"domain": "10.0.0.1"}, "domain", "pattern"),
    ({"domain": "*.example.com"}, "domain", "pattern"),
    ({"domain": "shop.local"}, "domain", "only a cluster"),
    ({"domain": "x.svc"}, "domain", "only a cluster"),
    ({"domain": "a.localtest.me"}, "domain", "ingress.baseDomain"),
    ({"domain": "localtest.me"}, "domain", "ingress.baseDomain"),
    ({"ingress": {"baseDomain": "http://x"}}, "ingress/baseDomain", "pattern"),
    ({"ingress": {"baseDomain": "10.0.0.1"}}, "ingress.baseDomain", "not a domain"),
    ({"ingress": {"baseDomain": "x.dev:99999"}}, "ingress.baseDomain", "65535"),
    ({"ingress": {"baseDomain": ".".join(["x" * 60] * 4)}}, "ingress/baseDomain", "206"),
    ({"ingress": None}, "ingress", "missing"),
    ({"options": {"currency": None}}, "currency", "missing"),
    ({"ingress": {"className": ""}}, "ingress/className", "pattern"),
    ({"ingress": {"namespace": "a.b"}}, "ingress/namespace", "pattern"),
    ({"ingress": {"tls": {"issuer": "Let's Encrypt"}}}, "ingress/tls/issuer", "pattern"),
    ({"ingress": {"tls": True}}, "ingress/tls", "object"),
    ({"storageClass": "Fast"}, "storageClass", "pattern"),
    ({"images": {"wordpress": "wordpress"}}, "images/wordpress", "pattern"),
    ({"images": {"wordpress": "wordpress:latest"}}, "images.wordpress", "name a version"),
    ({"images": {"mysql": "mysql:8.4@sha256:abc"}}, "images/mysql", "pattern"),
    ({"existingSecret": "My Secret"}, "existingSecret", "pattern"),
    ({"userNamespaces": "yes"}, "userNamespaces", "boolean"),
    ({"options": {"adminEmail": "nobody"}}, "options/adminEmail", "pattern"),
    ({"options": {"adminEmail": "a@-example-.com"}}, "options/adminEmail", "pattern"),
    ({"options": {"adminEmail": "a@b.c"}}, "options/adminEmail", "minLength"),
    ({"options": {"currency": "usd"}}, "options/currency", "pattern"),
    ({"options": {"currency": "XYZ"}}, "options.currency", "WooCommerce knows"),
    ({"options": {"country": "Germany"}}, "options/country", "pattern"),
    ({"options": {"country": "ZZ"}}, "options.country", "DE or US:CA"),
    ({"options": {"country": "US:XX"}}, "options.country", "US alone or with a state"),
    ({"options": {"demoProducts": "yes"}}, "options/demoProducts", "boolean"),
    ({"options": {"colour": "red"}}, "colour", "options"),
    ({"adminPassword": "s3cret"}, "adminPassword", ""),
    ({"ingres": {}}, "ingres", ""),
]


@pytest.mark.parametrize(("wrong", "field", "rule"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_value_is_refused_by_name(wrong: Json, field: str, rule: str) -> None:
    said = refusal(GOOD | wrong)
    assert field in said, said
    assert rule in said, said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "text", ["acme", "a-b", "0", "A", "-a", "a-", "a.b", "kube-x", "default", "ä"]
)
def test_ids_are_those_of_the_service(text: str) -> None:
    if id_problem(text) is None:
        assert objects({"storeId": text})
    else:
        assert "storeId" in refusal({"storeId": text})


@pytest.mark.parametrize(
    "text",
    ["shop.example.com", "x.co", "1.2.3.4", "localhost", "a.localhost", "a..b", "a.internal",
     "a.cluster.local", "münchen.de", "xn--mnchen-3ya.de", "a.123", "example"],
)  # fmt: skip
def test_domains_are_those_of_the_service(text: str) -> None:
    if domain_problem(text) is None:
        assert objects(GOOD | {"domain": text})
    else:
        assert "domain" in refusal(GOOD | {"domain": text})


def test_the_schema_is_closed_and_every_value_is_described() -> None:
    def walk(schema: Json, path: str) -> None:
        assert schema["description"], path
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False, path
            for name, inner in schema["properties"].items():
                walk(inner, f"{path}.{name}")

    schema = chart().schema
    assert schema is not None
    walk(schema, "values")
    defaults = chart().values
    assert set(schema["properties"]) == {*defaults, "storeId"}
    for name, inner in schema["properties"].items():
        if inner["type"] == "object":
            assert set(inner["properties"]) == set(defaults[name]), name


def secret(values: Json, **kwargs: Any) -> Json:
    """Return the rendered Secret's data."""
    found = [o for o in objects(values, **kwargs) if o["kind"] == "Secret"]
    return dict(found[0]["data"]) if found else {}


def test_passwords_are_new_and_nowhere_else() -> None:
    """Nothing can be looked up here: each render makes passwords, as the README says."""
    one, other = secret(GOOD), secret(GOOD)
    assert set(one) == {
        "admin-username", "admin-password", "database-password", "database-root-password",
        "wordpress-salt",
    }  # fmt: skip
    assert one["admin-username"] == other["admin-username"]
    assert all(one[k] != other[k] for k in one if k != "admin-username")
    rendered = chart().render(values=GOOD, name="shop", namespace="store-acme")
    held = {text for name, text in rendered.items() if "secret" not in name}
    for value in secret(GOOD).values():
        assert not any(value in text for text in held)
    assert not any("password:" in (CHART / n).read_text().lower() for n in ("values.yaml",))


def test_a_secret_of_ones_own_is_used_and_none_is_made() -> None:
    made = objects(GOOD | {"existingSecret": "mine"})
    assert not [o for o in made if o["kind"] == "Secret"]
    text = str([template_of(o) for o in made])
    assert "store-credentials" not in text
    assert text.count("'secretName': 'mine'") == 3, "the web server, set-up and cron"
    assert text.count("{'name': 'mine', 'key':") == 2, "the database's two passwords"
    notes = chart().render(
        values=GOOD | {"existingSecret": "mine"}, name="shop", namespace="store-acme"
    )["store/templates/NOTES.txt"]
    assert "get secret mine" in notes and "secret/store-credentials" not in notes


def test_what_must_outlive_the_release_is_kept() -> None:
    kept = {
        key(o)
        for o in objects(GOOD)
        if o["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    }
    assert kept == {
        ("Secret", "store-credentials"),
        ("PersistentVolumeClaim", "data-mysql-0"),
        ("PersistentVolumeClaim", "wordpress"),
    }


def test_the_notes_say_the_address_and_how_pod_security_is_enforced() -> None:
    notes = chart().render(values=GOOD, name="shop", namespace="store-acme")[
        "store/templates/NOTES.txt"
    ]
    assert "http://store-acme.localtest.me" in notes
    label = "pod-security.kubernetes.io/enforce=restricted"
    assert f"kubectl label --overwrite namespace store-acme {label}" in notes
