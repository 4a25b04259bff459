"""The chart as Helm renders it, and the values that say what a spec and a profile say."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import yaml
from helm_python import Chart

from orchestrator.model.kinds import Json
from orchestrator.model.spec import StoreSpec
from orchestrator.renderer import StoreProfile

CHART: Final = Path(__file__).parents[2] / "charts" / "store"


@cache
def chart() -> Chart:
    """Load the chart, once."""
    return Chart.load(CHART)


def values_file(name: str) -> Json:
    """Read one of the chart's files of values."""
    found: Json = yaml.safe_load((CHART / name).read_text(encoding="utf-8"))
    return found


def values_of(store_id: str, spec: StoreSpec, profile: StoreProfile) -> Json:
    """Return the values under which the chart means the same store."""
    port = f":{profile.base_port}" if profile.base_port else ""
    return {
        "storeId": store_id,
        "name": spec.name,
        "engine": spec.engine,
        "plan": spec.plan,
        "domain": spec.domain or "",
        "ingress": {
            "baseDomain": profile.base_domain + port,
            "className": profile.ingress_class,
            "namespace": profile.ingress_namespace,
            "tls": {"issuer": profile.tls_issuer or ""},
        },
        "storageClass": profile.storage_class or "",
        "images": {"wordpress": profile.image_wordpress, "mysql": profile.image_mysql},
        "userNamespaces": profile.user_namespaces,
        "options": spec.options.to_json(),
    }


def objects(values: Json, *, namespace: str = "store-acme", release: str = "shop") -> list[Json]:
    """Render the chart; return its objects, those of ``helm test`` too."""
    files = chart().render(values=values, name=release, namespace=namespace)
    return [
        document
        for name, text in files.items()
        if not name.endswith("NOTES.txt")
        for document in yaml.safe_load_all(text)
        if document is not None
    ]


def is_hook(obj: Json) -> bool:
    """Whether Helm makes it for ``helm test`` only."""
    return "helm.sh/hook" in (obj["metadata"].get("annotations") or {})


def key(obj: Json) -> tuple[str, str]:
    """Return kind and name."""
    return obj["kind"], obj["metadata"]["name"]
