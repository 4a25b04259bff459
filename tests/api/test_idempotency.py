"""Idempotency-Key: the same answer again, nothing created twice."""

from __future__ import annotations

import asyncio

import httpx

from tests.api.support import World

STORES = "/api/v1/stores"


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_again_is_the_same_answer(world: World, admin: httpx.AsyncClient) -> None:
    body = {"name": "Acme", "plan": "small"}
    first = await admin.post(STORES, json=body, headers=keyed("k1"))
    store_id = first.json()["id"]
    await admin.patch(f"{STORES}/{store_id}", json={"plan": "large"})
    # The same JSON value in another spelling is the same body.
    again = await admin.post(
        STORES,
        content=b'{ "plan":"small","name":"\\u0041cme" }',
        headers={**keyed("k1"), "Content-Type": "application/json"},
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    for name in ("location", "etag"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len((await admin.get(STORES)).json()["items"]) == 1


async def test_also_when_the_store_is_gone(world: World, admin: httpx.AsyncClient) -> None:
    first = await admin.post(STORES, json={"id": "acme", "name": "Acme"}, headers=keyed("k1"))
    await admin.delete(f"{STORES}/acme")
    await world.remove("acme")
    again = await admin.post(STORES, json={"id": "acme", "name": "Acme"}, headers=keyed("k1"))
    assert (again.status_code, again.json()) == (202, first.json())
    assert (await admin.get(f"{STORES}/acme")).status_code == 404


async def test_another_body_is_refused(admin: httpx.AsyncClient) -> None:
    await admin.post(STORES, json={"id": "acme", "name": "Acme"}, headers=keyed("k1"))
    other = await admin.post(STORES, json={"id": "acme", "name": "ACME"}, headers=keyed("k1"))
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_a_refused_create_leaves_the_key_free(admin: httpx.AsyncClient) -> None:
    await admin.post(STORES, json={"id": "acme", "name": "Acme"})
    taken = await admin.post(STORES, json={"id": "acme", "name": "B"}, headers=keyed("k1"))
    free = await admin.post(STORES, json={"id": "beta", "name": "B"}, headers=keyed("k1"))
    assert (taken.status_code, free.status_code) == (409, 202)


async def test_keys_are_per_user(world: World, admin: httpx.AsyncClient) -> None:
    async with world.client(await world.member("jane")) as jane:
        mine = await admin.post(STORES, json={"name": "Acme"}, headers=keyed("k1"))
        hers = await jane.post(STORES, json={"name": "Acme"}, headers=keyed("k1"))
    assert (mine.json()["owner"], hers.json()["owner"]) == ("admin", "jane")


async def test_a_race_creates_one_store(admin: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(admin.post(STORES, json={"name": "Acme"}, headers=keyed("race")) for _ in range(20))
    )
    assert {a.status_code for a in answers} == {202}
    assert len({a.text for a in answers}) == 1
    assert sum("idempotency-replayed" not in a.headers for a in answers) == 1
    assert len((await admin.get(STORES)).json()["items"]) == 1


async def test_a_race_without_keys_has_one_winner(admin: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(admin.post(STORES, json={"id": "acme", "name": "Acme"}) for _ in range(20))
    )
    assert sorted(a.status_code for a in answers) == [202] + [409] * 19


async def test_keys_have_a_form(admin: httpx.AsyncClient) -> None:
    for key in (b"", b"a b", "é".encode(), b"x" * 256):
        response = await admin.post(STORES, json={"name": "A"}, headers=[(b"Idempotency-Key", key)])
        assert response.status_code == 422, key
        assert response.json()["errors"][0]["field"] == "Idempotency-Key"
    fine = await admin.post(STORES, json={"name": "A"}, headers=keyed("!" + "x" * 254))
    assert fine.status_code == 202


async def test_a_dry_run_uses_no_key(admin: httpx.AsyncClient) -> None:
    body = {"id": "acme", "name": "A"}
    dry = await admin.post(f"{STORES}?dryRun=true", json=body, headers=keyed("k1"))
    real = await admin.post(STORES, json=body, headers=keyed("k1"))
    assert (dry.status_code, real.status_code) == (200, 202)
    assert "idempotency-replayed" not in real.headers
