"""Hosts and addresses."""

from __future__ import annotations

import pytest

from orchestrator.model.urls import store_host, store_url
from tests.renderer.samples import make_spec


@pytest.mark.parametrize(
    ("domain", "port", "tls", "expected"),
    [
        (None, None, False, "http://store-acme.localtest.me"),
        (None, 8088, False, "http://store-acme.localtest.me:8088"),
        (None, 80, False, "http://store-acme.localtest.me"),
        (None, 443, True, "https://store-acme.localtest.me"),
        (None, 8443, True, "https://store-acme.localtest.me:8443"),
        ("shop.example.com", None, True, "https://shop.example.com"),
        ("shop.example.com", 8088, False, "http://shop.example.com:8088"),
    ],
)
def test_url(domain: str | None, port: int | None, tls: bool, expected: str) -> None:
    spec = make_spec(domain=domain)
    assert store_url("acme", spec, base_domain="localtest.me", port=port, tls=tls) == expected


def test_host_has_no_port() -> None:
    assert store_host("acme", make_spec(), "localtest.me") == "store-acme.localtest.me"
    assert store_host("acme", make_spec(domain="a.example"), "localtest.me") == "a.example"
