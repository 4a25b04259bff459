"""Stores over the API: create, get, list, change, delete, retry, and what a document holds."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any

import httpx
import pytest

from orchestrator.model.store import Phase
from tests.api.support import World

MEMBERS = """id name engine plan owner domain versions options phase message conditions progress
generation observedGeneration revision namespace url adminUrl createdAt updatedAt readyAt""".split()
NASTY = '"; {{ 7*7 }} </script> - x: y #\u202e🛒'


async def create(client: httpx.AsyncClient, id: str = "acme", **more: Any) -> dict[str, Any]:
    response = await client.post("/api/v1/stores", json={"id": id, "name": "Acme Ltd", **more})
    assert response.status_code == 202, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_a_new_store_is_accepted_whole(admin: httpx.AsyncClient) -> None:
    response = await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme Ltd"})
    assert response.status_code == 202
    assert response.headers["Location"] == "/api/v1/stores/acme"
    assert response.headers["ETag"] == '"1"'
    store = response.json()
    assert list(store) == MEMBERS
    assert store["versions"] == {"wordpress": "6.9-php8.4-apache", "mysql": "8.4"}
    assert store["options"] == {
        "title": "Acme Ltd",
        "adminEmail": "owner@example.com",
        "currency": "USD",
        "country": "US:CA",
        "demoProducts": True,
    }
    assert (store["engine"], store["plan"], store["domain"]) == ("woocommerce", "small", None)
    assert (store["phase"], store["generation"], store["observedGeneration"]) == ("Pending", 1, 0)
    assert (store["namespace"], store["owner"]) == ("store-acme", "admin")
    assert store["url"] == "http://store-acme.localtest.me"
    assert store["adminUrl"] == "http://store-acme.localtest.me/wp-admin/"
    assert [c["type"] for c in store["conditions"]] == [
        "Applied",
        "DatabaseReady",
        "WordPressReady",
        "SetupComplete",
        "RouteReady",
        "Ready",
    ]
    assert {c["status"] for c in store["conditions"]} == {"Unknown"}
    assert store["readyAt"] is None
    for name in ("createdAt", "updatedAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", store[name])
        datetime.fromisoformat(store[name])


async def test_a_store_without_an_id_gets_one_from_its_name(admin: httpx.AsyncClient) -> None:
    for name, start in (
        ("Café Ümläut & Co", "cafe-umlaut-co-"),
        ("漢字", "shop-"),
        ("kube-x", "shop-"),
    ):
        response = await admin.post("/api/v1/stores", json={"name": name})
        assert response.status_code == 202
        assert response.json()["id"].startswith(start)
        assert response.json()["name"] == name


async def test_a_name_is_kept_exactly(admin: httpx.AsyncClient) -> None:
    made = await create(admin, name=NASTY)
    assert made["name"] == NASTY == made["options"]["title"]
    assert (await admin.get("/api/v1/stores/acme")).json() == made


async def test_etag_is_the_generation_and_status_leaves_it(
    world: World, admin: httpx.AsyncClient
) -> None:
    await create(admin)
    await world.reach("acme", Phase.READY)
    response = await admin.get("/api/v1/stores/acme")
    assert response.json()["phase"] == "Ready"
    assert response.headers["ETag"] == '"1"'


@pytest.mark.parametrize("kind", ["application/json", "application/merge-patch+json"])
async def test_patch_merges(admin: httpx.AsyncClient, kind: str) -> None:
    await create(admin, options={"currency": "EUR"}, versions={"mysql": "8.4.1"})
    response = await admin.patch(
        "/api/v1/stores/acme",
        content=b'{"plan":"medium","options":{"country":"DE"},"domain":"shop.example.com"}',
        headers={"Content-Type": kind},
    )
    assert response.status_code == 202
    assert response.headers["ETag"] == '"2"'
    store = response.json()
    assert (store["plan"], store["generation"]) == ("medium", 2)
    assert (store["options"]["currency"], store["options"]["country"]) == ("EUR", "DE")
    assert store["versions"] == {"wordpress": "6.9-php8.4-apache", "mysql": "8.4.1"}
    assert store["url"] == "http://shop.example.com"


async def test_null_goes_back_to_the_default(admin: httpx.AsyncClient) -> None:
    await create(
        admin,
        plan="large",
        domain="shop.example.com",
        options={"currency": "EUR", "title": "Other"},
        versions={"mysql": "8.4.1", "wordpress": "6.8"},
    )
    patch = {
        "plan": None,
        "domain": None,
        "options": {"currency": None, "title": None},
        "versions": None,
    }
    store = (await admin.patch("/api/v1/stores/acme", json=patch)).json()
    assert (store["plan"], store["domain"]) == ("small", None)
    assert (store["options"]["currency"], store["options"]["title"]) == ("USD", "Acme Ltd")
    assert store["versions"] == {"wordpress": "6.9-php8.4-apache", "mysql": "8.4"}


async def test_an_unchanged_spec_makes_no_generation(
    world: World, admin: httpx.AsyncClient
) -> None:
    made = await create(admin, domain="shop.example.com")
    head = await world.records.feed.head()
    for patch in ({}, {"name": "Acme Ltd"}, {"options": {"currency": "USD"}, "plan": None}):
        response = await admin.patch("/api/v1/stores/acme", json=patch)
        assert (response.status_code, response.headers["ETag"]) == (202, '"1"')
        assert response.json() == made
    assert await world.records.feed.head() == head


async def test_if_match(admin: httpx.AsyncClient) -> None:
    await create(admin)
    for value, status in (
        ('"7"', 412),
        ('W/"1"', 412),
        ("1", 412),
        ('"x", "8"', 412),
        ("", 412),
        ('"7", "1"', 202),
        ("*", 202),
    ):
        response = await admin.patch(
            "/api/v1/stores/acme", json={"name": "Acme Ltd"}, headers={"If-Match": value}
        )
        assert response.status_code == status, value
    stale = await admin.patch(
        "/api/v1/stores/acme", json={"plan": "large"}, headers={"If-Match": '"9"'}
    )
    assert stale.json()["errors"][0]["field"] == "If-Match"
    assert (await admin.get("/api/v1/stores/acme")).json()["plan"] == "small"


async def test_patches_at_the_same_time_lose_nothing(admin: httpx.AsyncClient) -> None:
    await create(admin)
    patches: list[dict[str, Any]] = [
        {"plan": "large"},
        {"options": {"currency": "EUR"}},
        {"options": {"country": "DE"}},
        {"versions": {"mysql": "8.4.2"}},
        {"domain": "shop.example.com"},
    ]
    answers = await asyncio.gather(*(admin.patch("/api/v1/stores/acme", json=p) for p in patches))
    assert {a.status_code for a in answers} == {202}
    store = (await admin.get("/api/v1/stores/acme")).json()
    assert store["generation"] == 6
    assert (store["plan"], store["domain"]) == ("large", "shop.example.com")
    assert (store["options"]["currency"], store["options"]["country"]) == ("EUR", "DE")
    assert store["versions"]["mysql"] == "8.4.2"


async def test_a_store_in_deletion_keeps_its_id_until_it_is_gone(
    world: World, admin: httpx.AsyncClient
) -> None:
    await create(admin)
    for _ in range(2):
        response = await admin.delete("/api/v1/stores/acme")
        assert (response.status_code, response.json()["phase"]) == (202, "Deleting")
    patched = await admin.patch("/api/v1/stores/acme", json={"plan": "large"})
    again = await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
    dry = await admin.post("/api/v1/stores?dryRun=true", json={"id": "acme", "name": "Acme"})
    assert [r.status_code for r in (patched, again, dry)] == [409, 409, 409]
    assert again.json()["errors"][0]["field"] == "id"
    assert "in deletion" in again.json()["detail"] and "in deletion" in dry.json()["detail"]
    await world.remove("acme")
    assert (await admin.get("/api/v1/stores/acme")).status_code == 404
    assert (await admin.delete("/api/v1/stores/acme")).status_code == 404
    await create(admin)


async def test_retry_is_for_failed_stores(world: World, admin: httpx.AsyncClient) -> None:
    await create(admin)
    early = await admin.post("/api/v1/stores/acme/retry")
    assert (early.status_code, early.headers["content-type"]) == (409, "application/problem+json")
    await world.reach("acme", Phase.FAILED)
    response = await admin.post("/api/v1/stores/acme/retry")
    assert (response.status_code, response.json()["phase"]) == (202, "Pending")
    assert (await admin.post("/api/v1/stores/acme/retry")).status_code == 409


async def test_domains_are_free_once(admin: httpx.AsyncClient) -> None:
    await create(admin, domain="shop.example.com")
    await create(admin, "other")
    taken = [
        await admin.post(f"/api/v1/stores{q}", json={"name": "x", "domain": "shop.example.com"})
        for q in ("", "?dryRun=true")
    ]
    taken.append(await admin.patch("/api/v1/stores/other", json={"domain": "shop.example.com"}))
    for response in taken:
        assert response.status_code == 409
        assert response.json()["errors"][0]["field"] == "domain"


async def test_a_dry_run_checks_all_and_stores_nothing(
    world: World, admin: httpx.AsyncClient
) -> None:
    head = await world.records.feed.head()
    response = await admin.post(
        "/api/v1/stores?dryRun=true", json={"id": "acme", "name": "Acme", "plan": "large"}
    )
    assert response.status_code == 200
    assert list(response.json()) == MEMBERS
    assert (await admin.get("/api/v1/stores/acme")).status_code == 404
    assert await world.records.feed.head() == head


@pytest.mark.parametrize("world", [{"max_stores_per_user": "2"}], indirect=True)
async def test_the_limit_of_stores_is_named(world: World, admin: httpx.AsyncClient) -> None:
    await create(admin, "one")
    await create(admin, "two")
    await admin.delete("/api/v1/stores/two")  # in deletion counts
    for query in ("", "?dryRun=true"):
        response = await admin.post(f"/api/v1/stores{query}", json={"name": "three"})
        assert response.status_code == 403
        assert response.json()["limit"] == "URUMI_MAX_STORES_PER_USER"
    me = (await admin.get("/api/v1/me")).json()
    assert (me["limits"]["stores"], me["use"]["stores"]) == (2, 2)
    async with world.client(await world.member("jane")) as jane:
        await create(jane, "three")


async def test_the_list_is_stable_while_stores_come_and_go(
    world: World, admin: httpx.AsyncClient
) -> None:
    for i in range(7):
        await create(admin, f"s{i}", name=f"Store {i % 3}")
    for sort in ("createdAt", "-createdAt", "name", "-name", "id", "-id", "phase", "-updatedAt"):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": "2", "sort": sort, **({"cursor": cursor} if cursor else {})}
            page = (await admin.get("/api/v1/stores", params=query)).json()
            seen += [s["id"] for s in page["items"]]
            if len(seen) == 2:
                tag = sort.strip("-").lower()
                await create(admin, f"new-{tag}-{'d' if sort[0] == '-' else 'a'}", name="A new one")
            cursor = page["nextCursor"]
            if cursor is None:
                break
        old = [s for s in seen if not s.startswith("new-")]
        assert sorted(old) == [f"s{i}" for i in range(7)], sort
        assert len(set(seen)) == len(seen), sort


async def test_filters(world: World, admin: httpx.AsyncClient) -> None:
    await create(admin, "alpha", name="Ünique 100%")
    await create(admin, "beta", domain="shop.example.com")
    await world.reach("beta", Phase.READY)

    async def ids(**query: str) -> list[str]:
        response = await admin.get("/api/v1/stores", params=query)
        assert response.status_code == 200, response.text
        return [s["id"] for s in response.json()["items"]]

    assert await ids(phase="Ready") == ["beta"]
    assert await ids(q="üNIQUE") == ["alpha"]
    assert await ids(q="0%") == ["alpha"]
    assert await ids(q="%a%") == []
    assert await ids(q="SHOP.example") == ["beta"]
    assert await ids(q="") == ["alpha", "beta"]


async def test_cursors_of_others_are_refused(admin: httpx.AsyncClient) -> None:
    for i in range(3):
        await create(admin, f"s{i}")
    own = (await admin.get("/api/v1/stores?limit=1")).json()["nextCursor"]
    for query in (
        {"cursor": "nonsense"},
        {"cursor": own + "x"},
        {"cursor": own, "sort": "-id"},
        {"cursor": own, "phase": "Ready"},
        {"cursor": "é"},
    ):
        for path in ("stores", "users", "tokens", "stores/s0/revisions", "stores/s0/resources"):
            if path != "stores" and set(query) != {"cursor"}:
                continue
            response = await admin.get(f"/api/v1/{path}", params=query)
            assert response.status_code == 422, (path, query)
            assert response.json()["errors"][0]["field"] == "cursor"
