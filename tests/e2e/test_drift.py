"""What somebody else changes or deletes on a real node is put back, and the timeline names it."""

from __future__ import annotations

import json
from functools import partial

from tests.e2e.shop import Json, Shop
from tests.system.server import poll


def drifts(shop: Shop, mark: int, about: str) -> list[Json]:
    """Return what the timeline says since ``mark`` of drifts of an object."""
    ref = about.format(namespace=shop.namespace)
    return [e for e in shop.said_since(mark) if e["type"] == "drift" and e["object"] == ref]


def test_a_deleted_service_and_a_deleted_policy_are_made_anew(shop: Shop) -> None:
    mark = shop.mark()
    for target in ("service/wordpress", "networkpolicy/default-deny", "networkpolicy/database"):
        shop.kubectl("delete", target)
    for kind, name in (
        ("Service", "wordpress"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "database"),
    ):
        ref = f"{kind}/{{namespace}}/{name}"
        told = poll(partial(drifts, shop, mark, ref), what=f"{name} being told")
        assert "was deleted by somebody else" in told[0]["message"]
        assert shop.get(kind, name)["metadata"]["name"] == name
    shop.ready()


def test_a_changed_deployment_is_put_back(shop: Shop) -> None:
    mark = shop.mark()
    before = shop.get("deployment", "wordpress")["spec"]["template"]["spec"]["containers"][0]
    container = {"name": "wordpress", "image": "nginx:alpine", "env": [
        {"name": "STORE_WORKERS", "value": "1"}, {"name": "ADDED", "value": "by hand"},
    ]}  # fmt: skip
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    shop.kubectl(
        *("patch", "deployment", "wordpress", "--field-manager=somebody"),
        *("--type=strategic", "-p", json.dumps(patch)),
    )
    told = poll(
        lambda: drifts(shop, mark, "Deployment/{namespace}/wordpress"), what="the drift being told"
    )
    said = " ".join(e["message"] for e in told)
    assert "somebody" in said and "image" in said and "STORE_WORKERS" in said
    after = shop.get("deployment", "wordpress")["spec"]["template"]["spec"]["containers"][0]
    assert after["image"] == before["image"]
    assert before["env"][0] in after["env"]
    shop.ready()


def test_a_shop_scaled_by_hand_is_scaled_back(shop: Shop) -> None:
    mark = shop.mark()
    shop.kubectl("scale", "deployment", "wordpress", "--replicas=0")
    poll(lambda: drifts(shop, mark, "Deployment/{namespace}/wordpress"), what="the drift")
    shop.ready()
    assert shop.get("deployment", "wordpress")["spec"]["replicas"] == 1
