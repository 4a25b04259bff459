"""A store to apply."""

from __future__ import annotations

from orchestrator.model.spec import Options, StoreSpec, Versions
from orchestrator.renderer import StoreProfile

PROFILE = StoreProfile(
    base_domain="localtest.me",
    ingress_class="traefik",
    ingress_namespace="traefik",
    tls_issuer=None,
    storage_class=None,
    image_wordpress="wordpress:6.9-php8.4-apache",
    image_mysql="mysql:8.4",
    user_namespaces=False,
)


def spec(plan: str) -> StoreSpec:
    """Return a spec with a plan."""
    return StoreSpec.model_validate(
        {
            "name": "Applied",
            "plan": plan,
            "versions": Versions(wordpress="6.9-php8.4-apache", mysql="8.4"),
            "options": Options(title="Applied"),
        }
    )
