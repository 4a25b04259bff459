"""Who may do what: two members who must not learn of each other, and the admin."""

from __future__ import annotations

import httpx
import pytest

from orchestrator.model.errors import ClusterUnreachable, ObjectNotFound
from orchestrator.model.people import Role
from orchestrator.service import hash_token
from tests.api.support import ADMIN, World

API = "/api/v1"


async def test_a_member_sees_only_its_own(world: World, admin: httpx.AsyncClient) -> None:
    async with (
        world.client(await world.member("jane")) as jane,
        world.client(await world.member("joe")) as joe,
    ):
        made = await jane.post(f"{API}/stores", json={"id": "janes", "name": "Jane's"})
        assert made.json()["owner"] == "jane"
        await joe.post(f"{API}/stores", json={"id": "joes", "name": "Joe's"})
        calls = [
            ("GET", "", None),
            ("PATCH", "", {"plan": "large"}),
            ("DELETE", "", None),
            ("POST", "/retry", None),
            ("GET", "/revisions", None),
            ("GET", "/revisions/1/evidence", None),
            ("GET", "/resources", None),
            ("GET", "/events", None),
            ("POST", "/credentials", None),
        ]
        for method, path, body in calls:
            theirs = await joe.request(method, f"{API}/stores/janes{path}", json=body)
            nobodys = await joe.request(method, f"{API}/stores/nobodys{path}", json=body)
            assert (theirs.status_code, nobodys.status_code) == (404, 404), (method, path)
            # But for the id the answers are the same: nobody can tell what is there.
            assert theirs.json()["detail"].replace("janes", "nobodys") == nobodys.json()["detail"]
        for client, ids in ((jane, ["janes"]), (joe, ["joes"]), (admin, ["janes", "joes"])):
            found = (await client.get(f"{API}/stores")).json()["items"]
            assert [s["id"] for s in found] == ids
            found = (await client.get(f"{API}/stores?q=janes")).json()["items"]
            assert [s["id"] for s in found] == [i for i in ids if i == "janes"]
        assert (await admin.get(f"{API}/stores/janes")).json()["plan"] == "small"
        taken = await joe.post(f"{API}/stores", json={"id": "janes", "name": "Mine"})
        assert taken.status_code == 409 and "jane" not in taken.text.replace("janes", "")


async def test_people_are_for_admins(world: World) -> None:
    async with world.client(await world.member("jane")) as jane:
        for method, path, body in (
            ("GET", "users", None),
            ("POST", "users", {"name": "x", "role": "admin"}),
            ("GET", "tokens", None),
            ("POST", "tokens", {"user": "admin", "name": "x"}),
            ("DELETE", "tokens/admin", None),
        ):
            response = await jane.request(method, f"{API}/{path}", json=body)
            assert response.status_code == 403, path
            assert response.headers["content-type"] == "application/problem+json"
        me = (await jane.get(f"{API}/me")).json()
        assert (me["user"], me["role"]) == ("jane", "member")


async def test_users_and_tokens(world: World, admin: httpx.AsyncClient) -> None:
    user = await admin.post(f"{API}/users", json={"name": "Zoë", "role": "member"})
    assert user.status_code == 201 and user.json()["name"] == "Zoë"
    again = await admin.post(f"{API}/users", json={"name": "Zoë", "role": "admin"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "name")
    role = await admin.post(f"{API}/users", json={"name": "x", "role": "king"})
    assert (role.status_code, role.json()["errors"][0]["field"]) == (422, "role")
    assert "'admin' or 'member'" in role.json()["errors"][0]["rule"]
    nobody = await admin.post(f"{API}/tokens", json={"user": "nobody", "name": "x"})
    assert nobody.status_code == 404

    made = await admin.post(f"{API}/tokens", json={"user": "Zoë", "name": "laptop"})
    assert made.status_code == 201 and set(made.json()) == {"id", "token"}
    token, token_id = made.json()["token"], made.json()["id"]
    assert token.startswith("urumi_") and len(token) == 6 + 43
    listed = await admin.get(f"{API}/tokens")
    assert [t["name"] for t in listed.json()["items"]] == ["admin token", "laptop"]
    assert token not in listed.text and hash_token(token) not in listed.text

    async with world.client(token) as zoe:
        assert (await zoe.get(f"{API}/me")).json()["user"] == "Zoë"
        assert (await admin.delete(f"{API}/tokens/{token_id}")).status_code == 204
        assert (await zoe.get(f"{API}/me")).status_code == 401
    for gone in (token_id, "no%20such", "x" * 100):
        assert (await admin.delete(f"{API}/tokens/{gone}")).status_code == 404


async def test_users_come_in_pages(admin: httpx.AsyncClient) -> None:
    for name in ("ann", "bob", "cyd"):
        await admin.post(f"{API}/users", json={"name": name, "role": "member"})
    names: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "1", **({"cursor": cursor} if cursor else {})}
        page = (await admin.get(f"{API}/users", params=query)).json()
        names += [u["name"] for u in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert names == ["admin", "ann", "bob", "cyd"]


async def test_no_token_is_stored(world: World, admin: httpx.AsyncClient) -> None:
    made = (await admin.post(f"{API}/tokens", json={"user": "admin", "name": "x"})).json()
    files = [p for p in world.settings.data_dir.iterdir() if p.is_file()]
    assert files
    for path in files:
        raw = path.read_bytes()
        assert made["token"].encode() not in raw and ADMIN.encode() not in raw


async def test_ensure_admin_is_safe_to_repeat(world: World) -> None:
    await world.service.ensure_admin(ADMIN)
    await world.member("boss", Role.ADMIN)
    await world.service.ensure_admin("another-one")
    async with world.client("another-one") as client:
        assert (await client.get(f"{API}/me")).json()["role"] == "admin"


async def test_credentials_are_audited_and_never_cached(
    world: World, admin: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    await admin.post(f"{API}/stores", json={"id": "acme", "name": "Acme"})
    response = await admin.post(f"{API}/stores/acme/credentials")
    assert response.status_code == 200
    assert response.json() == {"username": "admin", "password": "s3cret-pass"}
    assert response.headers["cache-control"] == "no-store"
    events = await admin.get(f"{API}/stores/acme/events")
    last = events.json()["items"][-1]
    assert (last["type"], last["reason"]) == ("audit", "CredentialsRead")
    assert "admin" in last["message"]
    assert "s3cret-pass" not in events.text
    captured = capfd.readouterr()
    assert "s3cret-pass" not in captured.out + captured.err
    assert ADMIN not in captured.out + captured.err


async def test_credentials_that_are_not_to_be_had(world: World, admin: httpx.AsyncClient) -> None:
    await admin.post(f"{API}/stores", json={"id": "acme", "name": "Acme"})
    for error, status in (
        (ObjectNotFound(404, "NotFound", "no secret"), 404),
        (ClusterUnreachable("refused", retry_after=7), 503),
    ):
        world.cluster.credentials = error
        response = await admin.post(f"{API}/stores/acme/credentials")
        assert response.status_code == status
    assert response.headers["retry-after"] == "7"
    events = (await admin.get(f"{API}/stores/acme/events")).json()["items"]
    assert [e["type"] for e in events] == ["spec"]
