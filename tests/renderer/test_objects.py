"""Which objects a store has, how they are named and labelled, and what makes them change."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.errors import TemplateError
from orchestrator.model.kinds import KINDS, Json, ObjectRef
from orchestrator.model.names import FIELD_MANAGER, tag_problem
from orchestrator.model.plans import PLANS
from orchestrator.model.spec import Versions
from orchestrator.renderer import ORDER, Rendered, Renderer, context_schema
from tests.renderer.samples import (
    DIGEST,
    LOCAL,
    PROD,
    PROFILES,
    RENDERER,
    TEMPLATES,
    UID,
    containers,
    find,
    make_spec,
    pod_templates,
    render,
    walk,
)

STANDARD = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "stores.urumi.dev/id",
}
ALWAYS = {
    "Namespace/store-acme",
    "ResourceQuota/store-acme/store",
    "LimitRange/store-acme/store",
    "NetworkPolicy/store-acme/default-deny",
    "NetworkPolicy/store-acme/database",
    "NetworkPolicy/store-acme/wordpress",
    "NetworkPolicy/store-acme/wp-cron",
    "ServiceAccount/store-acme/store",
    "ConfigMap/store-acme/mysql",
    "ConfigMap/store-acme/wordpress",
    "PersistentVolumeClaim/store-acme/data-mysql-0",
    "PersistentVolumeClaim/store-acme/wordpress",
    "Service/store-acme/mysql",
    "Service/store-acme/wordpress",
    "StatefulSet/store-acme/mysql",
    "Deployment/store-acme/wordpress",
    "CronJob/store-acme/wp-cron",
    "Ingress/store-acme/wordpress",
}


def refs(rendered: Rendered) -> list[str]:
    return [str(ObjectRef.of(obj)) for obj in rendered.objects]


def test_the_objects_of_a_store() -> None:
    assert set(refs(render())) == ALWAYS
    assert set(refs(render(profile=PROD))) == ALWAYS | {"NetworkPolicy/store-acme/acme-solver"}


def test_apply_order_puts_what_is_needed_first() -> None:
    kinds = [obj["kind"] for obj in render(profile=PROD).objects]
    assert kinds[0] == "Namespace"
    assert kinds == sorted(kinds, key=ORDER.index)
    assert set(kinds) <= set(KINDS)
    assert "Secret" not in kinds


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("engine", ["woocommerce", "wordpress"])
def test_same_input_same_bytes(profile: str, plan: str, engine: str) -> None:
    spec = make_spec(plan=plan, engine=engine)
    first = RENDERER.render("acme", UID, spec, PROFILES[profile])
    again = Renderer().render("acme", UID, spec, PROFILES[profile])
    assert first == again
    first.objects[0]["metadata"]["labels"].clear()
    assert RENDERER.render("acme", UID, spec, PROFILES[profile]) == again, "the cache was changed"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"title": "Other"},
        {"plan": "large"},
        {"domain": "shop.example.com"},
        {"versions": Versions(wordpress="7.1-apache", mysql="8.4")},
    ],
    ids=lambda c: next(iter(c)),
)
def test_each_change_of_the_spec_changes_the_digest(change: dict[str, Any]) -> None:
    assert render(make_spec(**change)).digest != render().digest


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_standard_labels_everywhere(profile: Any) -> None:
    rendered = render(profile=profile)
    labelled: list[Json] = [obj["metadata"] for obj in rendered.objects]
    labelled += [template["metadata"] for _, template in pod_templates(rendered)]
    for meta in labelled:
        labels = meta["labels"]
        assert set(labels) >= STANDARD, meta
        assert labels["app.kubernetes.io/instance"] == "acme"
        assert labels["stores.urumi.dev/id"] == "acme"
        assert labels["app.kubernetes.io/managed-by"] == FIELD_MANAGER
    components = {name: t["metadata"]["labels"] for name, t in pod_templates(rendered)}
    assert {n: c["app.kubernetes.io/component"] for n, c in components.items()} == {
        "mysql": "database",
        "wordpress": "wordpress",
        "wp-cron": "wp-cron",
    }


tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True).filter(
    lambda tag: tag_problem(tag) is None
)


@settings(max_examples=60, deadline=None)
@given(tags, tags)
def test_any_image_tag_makes_valid_labels(wordpress: str, mysql: str) -> None:
    rendered = render(make_spec(versions=Versions(wordpress=wordpress, mysql=mysql)))
    for _, value in walk(list(rendered.objects)):
        if isinstance(value, dict) and "app.kubernetes.io/version" in value:
            version = value["app.kubernetes.io/version"]
            assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", version)
    images = {c["image"] for _, t in pod_templates(rendered) for c in containers(t)}
    assert images == {f"wordpress:{wordpress}", f"mysql:{mysql}"}


def test_the_default_image_is_used_with_its_digest_and_another_tag_without() -> None:
    def image(tag: str) -> str:
        spec = make_spec(versions=Versions(wordpress=tag, mysql="8.4"))
        template = find(render(spec, PROD), "Deployment", "wordpress")["spec"]["template"]
        (found,) = {c["image"] for c in containers(template)}
        return str(found)

    repository = "registry.example.com:5000/shop/wordpress"
    assert image("6.9-php8.4-apache") == f"{repository}:6.9-php8.4-apache{DIGEST}"
    assert image("7.1-apache") == f"{repository}:7.1-apache"


def immutable(rendered: Rendered) -> dict[str, Any]:
    """What the API server refuses to change."""
    sts = find(rendered, "StatefulSet", "mysql")["spec"]
    return {
        "selectors": [
            sts["selector"],
            find(rendered, "Deployment", "wordpress")["spec"]["selector"],
        ],
        "statefulset": {k: sts.get(k) for k in ("serviceName", "podManagementPolicy")},
        "templates": "volumeClaimTemplates" in sts,
        "clusterIP": find(rendered, "Service", "mysql")["spec"]["clusterIP"],
        "claims": [
            find(rendered, "PersistentVolumeClaim", n)["spec"]["accessModes"]
            for n in ("data-mysql-0", "wordpress")
        ],
    }


@pytest.mark.parametrize("profile", [LOCAL, replace(PROD, storage_class=None)], ids=["a", "b"])
@pytest.mark.parametrize("plan", PLANS)
def test_no_change_of_spec_or_settings_touches_an_immutable_field(plan: str, profile: Any) -> None:
    changed = make_spec(
        name="Other",
        plan=plan,
        engine="wordpress",
        domain="shop.example.com",
        versions=Versions(wordpress="7.1-apache", mysql="9"),
    )
    assert immutable(render(changed, profile)) == immutable(render())


def digests(rendered: Rendered) -> dict[str, str]:
    return {
        name: template["metadata"]["annotations"]["stores.urumi.dev/config-digest"]
        for name, template in pod_templates(rendered)
        if template["metadata"].get("annotations")
    }


def test_a_changed_setting_rolls_wordpress_and_leaves_the_database_alone() -> None:
    before, after = digests(render()), digests(render(make_spec(title="Other")))
    assert before["wordpress"] != after["wordpress"]
    assert before["mysql"] == after["mysql"]
    assert digests(render(make_spec(name="Renamed"))) == before, "a rename restarts nothing"


def test_route_without_tls() -> None:
    route = find(render(), "Ingress", "wordpress")
    assert route["spec"]["ingressClassName"] == "traefik"
    assert [rule["host"] for rule in route["spec"]["rules"]] == ["store-acme.localtest.me"]
    assert "tls" not in route["spec"] and "annotations" not in route["metadata"]


def test_route_with_tls_and_an_own_domain() -> None:
    rendered = render(make_spec(domain="shop.example.com"), PROD)
    route = find(rendered, "Ingress", "wordpress")
    assert route["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert route["spec"]["tls"] == [{"hosts": ["shop.example.com"], "secretName": "wordpress-tls"}]
    assert [rule["host"] for rule in route["spec"]["rules"]] == ["shop.example.com"]
    told = find(rendered, "ConfigMap", "wordpress")["data"]["settings.json"]
    assert json.loads(told)["url"] == "https://shop.example.com"


def test_the_port_is_in_wordpress_address_and_not_in_the_host_rule() -> None:
    rendered = render(profile=replace(LOCAL, base_port=8088))
    told = find(rendered, "ConfigMap", "wordpress")["data"]["settings.json"]
    assert json.loads(told)["url"] == "http://store-acme.localtest.me:8088"
    assert "8088" not in str(find(rendered, "Ingress", "wordpress"))


def test_claims_follow_plan_and_storage_class() -> None:
    for plan, values in PLANS.items():
        rendered = render(make_spec(plan=plan), PROD)
        for name, share in (("data-mysql-0", values.mysql), ("wordpress", values.wordpress)):
            spec = find(rendered, "PersistentVolumeClaim", name)["spec"]
            assert spec["resources"]["requests"]["storage"] == share.storage
            assert spec["storageClassName"] == "fast"
    claim = find(render(), "PersistentVolumeClaim", "wordpress")
    assert "storageClassName" not in claim["spec"], "none means the cluster's default"


def test_namespace_enforces_pod_security_and_says_whose_it_is() -> None:
    meta = find(render(), "Namespace", "store-acme")["metadata"]
    for mode in ("enforce", "warn", "audit"):
        assert meta["labels"][f"pod-security.kubernetes.io/{mode}"] == "restricted"
    assert meta["annotations"]["stores.urumi.dev/uid"] == UID


def test_cron_runs_beside_wordpress_and_not_all_stores_at_once() -> None:
    cron = find(render(), "CronJob", "wp-cron")["spec"]
    pod = cron["jobTemplate"]["spec"]["template"]["spec"]
    (term,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    web = find(render(), "Deployment", "wordpress")["spec"]["template"]["metadata"]["labels"]
    assert term["labelSelector"]["matchLabels"].items() <= web.items()
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert cron["concurrencyPolicy"] == "Forbid"
    minutes = {
        find(render(store_id=f"s{n}"), "CronJob", "wp-cron")["spec"]["schedule"] for n in range(40)
    }
    assert minutes == {f"{n}-59/5 * * * *" for n in range(5)}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_fit_for_server_side_apply(profile: Any) -> None:
    for obj in render(profile=profile).objects:
        for path, value in walk(obj):
            assert value is not None, f"{path}: null means 'remove' to some and 'own' to others"
            assert value != [], f"{obj['kind']}{path}"
            assert value != {} or path.endswith("podSelector"), f"{obj['kind']}{path}"
            if path.endswith((".env", ".ports", ".volumes", ".volumeMounts")):
                keys = [
                    (i.get("name"), i.get("mountPath"), i.get("port"), i.get("protocol"))
                    for i in value
                ]
                assert len(set(keys)) == len(keys), f"duplicate in {path}"
            if path.endswith(".ports") and obj["kind"] != "NetworkPolicy":
                assert all(port["name"] and port["protocol"] == "TCP" for port in value)


def test_one_object_a_file_named_by_its_kind() -> None:
    for path in TEMPLATES.glob("*.j2"):
        found = re.findall(r"^kind: (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(found) == 1, path.name
        assert path.name.split(".")[0].split("-")[0] == found[0].lower()


def test_shipped_files_are_found_in_checkout_and_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator.model import shipped

    checkout, package = tmp_path / "checkout", tmp_path / "checkout" / "orchestrator"
    (checkout / "charts" / "store").mkdir(parents=True)
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.shipped("charts", "store") == checkout / "charts" / "store"
    (package / "charts" / "store").mkdir(parents=True)
    assert shipped.shipped("charts", "store") == package / "charts" / "store"
    with pytest.raises(TemplateError, match=r"charts/none is missing"):
        shipped.shipped("charts", "none")


def test_the_context_has_a_schema() -> None:
    schema = context_schema()
    assert schema["additionalProperties"] is False
    assert {"store_id", "name", "host", "quota", "wordpress"} <= set(schema["properties"])
