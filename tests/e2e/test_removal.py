"""A deleted store leaves nothing: no namespace, no volume, no object anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from tests.contract.wire import Json, ok
from tests.e2e.shop import Shop
from tests.ground import LABEL
from tests.system.server import poll, wait_gone


def volumes_of(shop: Shop) -> list[str]:
    """Return the persistent volumes that belong to a store's claims."""
    api = shop.server.ground.api
    assert api is not None
    items = ok(api.get("/api/v1/persistentvolumes"))["items"]
    mine = (
        i for i in items if (i["spec"].get("claimRef") or {}).get("namespace") == shop.namespace
    )
    return [i["metadata"]["name"] for i in mine]


def everything(shop: Shop) -> Iterator[str]:
    """Yield every object of the cluster, of whatever kind, that carries the store's label."""
    api = shop.server.ground.api
    assert api is not None
    groups = [g["preferredVersion"]["groupVersion"] for g in ok(api.get("/apis"))["groups"]]
    for root in ("/api/v1", *(f"/apis/{g}" for g in groups)):
        for kind in ok(api.get(root))["resources"]:
            if "list" not in kind["verbs"] or "/" in kind["name"]:
                continue
            answer = api.get(f"{root}/{kind['name']}", labelSelector=f"{LABEL}={shop.id}")
            found: list[Json] = (
                answer.json().get("items") or [] if answer.status_code == 200 else []
            )
            yield from (f"{kind['kind']}/{i['metadata']['name']}" for i in found)


def test_a_deleted_store_leaves_nothing(doomed: Shop) -> None:
    shop, site = doomed, doomed.site()
    assert len(volumes_of(shop)) == 2
    assert len(list(everything(shop))) > 15, "the same look before it goes"
    assert shop.api.delete(shop.path).status_code == 202
    wait_gone(shop.api, shop.id, seconds=120)
    assert "NotFound" in shop.server.kubectl("get", "namespace", shop.namespace, check=False)
    assert list(everything(shop)) == []
    poll(lambda: not volumes_of(shop), seconds=60, what="the volumes' end")
    poll(lambda: site.get("/").status_code == 404, what="the route's end")
