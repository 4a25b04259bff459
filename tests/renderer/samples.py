"""Inputs and small readers shared by the renderer's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.model.kinds import Json
from orchestrator.model.spec import Options, StoreSpec, Versions
from orchestrator.renderer import Rendered, Renderer, StoreProfile

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "manifests" / "store"
FILES = ROOT / "charts" / "store" / "files"
PLATFORM = ROOT / "manifests" / "platform"
UID = "6f1c2f4e-0000-4000-8000-000000000001"
RENDERER = Renderer()

LOCAL = StoreProfile(
    base_domain="localtest.me",
    ingress_class="traefik",
    ingress_namespace="traefik",
    tls_issuer=None,
    storage_class=None,
    image_wordpress="wordpress:6.9-php8.4-apache",
    image_mysql="mysql:8.4",
    user_namespaces=False,
)
DIGEST = "@sha256:" + "ab" * 32
PROD = StoreProfile(
    base_domain="stores.example.com",
    ingress_class="nginx",
    ingress_namespace="ingress-nginx",
    tls_issuer="letsencrypt",
    storage_class="fast",
    image_wordpress="registry.example.com:5000/shop/wordpress:6.9-php8.4-apache" + DIGEST,
    image_mysql="mysql:8.4" + DIGEST,
    user_namespaces=True,
)
PROFILES = {"local": LOCAL, "prod": PROD}


def make_spec(**changes: Any) -> StoreSpec:
    """A spec; ``title``, ``admin_email`` and the like go to the options."""
    names = set(Options.model_fields) & set(changes)
    options = {"title": "Acme Ltd"} | {name: changes.pop(name) for name in names}
    values: dict[str, Any] = {
        "name": "Acme Ltd",
        "versions": Versions(wordpress="6.9-php8.4-apache", mysql="8.4"),
        "options": Options(**options),
    }
    return StoreSpec(**(values | changes))


def render(
    spec: StoreSpec | None = None, profile: StoreProfile = LOCAL, store_id: str = "acme"
) -> Rendered:
    return RENDERER.render(store_id, UID, spec or make_spec(), profile)


def find(rendered: Rendered, kind: str, name: str) -> Json:
    (found,) = (
        obj for obj in rendered.objects if obj["kind"] == kind and obj["metadata"]["name"] == name
    )
    return found


def pod_templates(rendered: Rendered) -> Iterator[tuple[str, Json]]:
    """Every pod template, by the name of its owner."""
    for obj in rendered.objects:
        template = template_of(obj)
        if template is not None:
            yield obj["metadata"]["name"], template


def template_of(obj: Json) -> Json | None:
    """The pod template of a workload; a pod is its own; None for what has none."""
    if obj["kind"] == "Pod":
        return obj
    owner = obj["spec"]["jobTemplate"] if obj["kind"] == "CronJob" else obj
    found: Json | None = owner.get("spec", {}).get("template")
    return found


def containers(template: Json) -> list[Json]:
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside ``value`` with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, f"{path}[{index}]")
