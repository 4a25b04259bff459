"""Where a store is reached: one place decides host and address, for manifests and documents alike.

A store answers under one host: its own domain, or ``store-<id>.<base domain>``. The port is that
of the ingress as people see it; it is part of addresses and never of host rules.
"""

from __future__ import annotations

from orchestrator.model.names import namespace_of
from orchestrator.model.spec import StoreSpec


def store_host(store_id: str, spec: StoreSpec, base_domain: str) -> str:
    """Return the host of a store, without a port."""
    return spec.domain or f"{namespace_of(store_id)}.{base_domain}"


def store_url(
    store_id: str, spec: StoreSpec, *, base_domain: str, port: int | None, tls: bool
) -> str:
    """Return the address of a store's shop, without a trailing slash.

    ``port`` None, or the scheme's own, is left out.
    """
    scheme, usual = ("https", 443) if tls else ("http", 80)
    suffix = "" if port in (None, usual) else f":{port}"
    return f"{scheme}://{store_host(store_id, spec, base_domain)}{suffix}"
