"""Signing a browser in and out: the cookie, log-in links, and what other sites cannot do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from orchestrator.records.tables import sessions
from orchestrator.service.people import SESSION_LASTS
from tests.api.support import ADMIN, World, running

API = "/api/v1"
SESSION = f"{API}/session"
COOKIE = "urumi-session-4000"


async def test_a_token_opens_a_session_and_is_not_kept_in_the_browser(world: World) -> None:
    async with world.client(None) as browser:
        assert (await browser.get(f"{API}/me")).status_code == 401
        answer = await browser.post(SESSION, json={"token": f" {ADMIN}\n"})
        assert answer.status_code == 200 and answer.json()["user"] == "admin"
        cookie = answer.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={7 * 86400}"):
            assert part in cookie
        assert "Secure" not in cookie and ADMIN not in cookie
        assert (await browser.get(f"{API}/me")).json()["user"] == "admin"
        made = await browser.post(f"{API}/stores", json={"id": "acme", "name": "Acme"})
        assert made.status_code == 202
        assert (await browser.delete(SESSION)).status_code == 204
        assert browser.cookies.get(COOKIE) is None
        browser.cookies.set(COOKIE, cookie.partition("=")[2].partition(";")[0])
        assert (await browser.get(f"{API}/me")).status_code == 401, "signed out is signed out"


async def test_behind_tls_the_cookie_is_for_tls(world: World) -> None:
    async with world.client(None) as browser:
        answer = await browser.post(
            SESSION, json={"token": ADMIN}, headers={"X-Forwarded-Proto": "https"}
        )
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-urumi-session=") and "Domain" not in cookie
        for part in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
            assert part in cookie
        value = cookie.partition("=")[2].partition(";")[0]
        for name, proto, status in (
            ("__Host-urumi-session", "https", 200),
            ("__Host-urumi-session", "http", 401),
            (COOKIE, "https", 401),
        ):
            headers = {"Cookie": f"{name}={value}", "X-Forwarded-Proto": proto}
            assert (await browser.get(f"{API}/me", headers=headers)).status_code == status
        headers = {"Cookie": f"__Host-urumi-session={value}", "X-Forwarded-Proto": "https"}
        gone = (await browser.delete(SESSION, headers=headers)).headers["set-cookie"]
        assert gone.startswith('__Host-urumi-session=""') and "Secure" in gone, "else it is kept"


async def test_services_on_other_ports_of_a_host_leave_each_other_signed_in(
    world: World, tmp_path: Path
) -> None:
    async with running(tmp_path / "other", port="4100") as other, world.client(None) as browser:
        await browser.post(SESSION, json={"token": ADMIN})
        async with other.client(None, cookies=browser.cookies) as same_browser:
            assert (await same_browser.get(f"{API}/me")).status_code == 401
            await same_browser.post(SESSION, json={"token": ADMIN})
            assert set(same_browser.cookies) == {COOKIE, "urumi-session-4100"}
            assert (await same_browser.delete(SESSION)).status_code == 204
            browser.cookies = same_browser.cookies
        assert (await browser.get(f"{API}/me")).status_code == 200


async def test_of_several_cookies_of_the_name_any_may_be_the_session(world: World) -> None:
    people = world.service.people
    (_, one), (_, two) = await people.sign_in(ADMIN), await people.sign_in(ADMIN)
    async with world.client(None) as browser:
        for values in ((one, "old"), ("old", one), ("", "x" * 5000, one)):
            headers = {"Cookie": "; ".join(f"{COOKIE}={value}" for value in values)}
            assert (await browser.get(f"{API}/me", headers=headers)).status_code == 200, values
        none = {"Cookie": f"{COOKIE}=old; {COOKIE}2={one}; x{COOKIE}={one}"}
        assert (await browser.get(f"{API}/me", headers=none)).status_code == 401
        both = {"Cookie": f"{COOKIE}={one}; {COOKIE}={two}"}
        assert (await browser.delete(SESSION, headers=both)).status_code == 204
        assert (await browser.get(f"{API}/me", headers=both)).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "urumi_guess"}, 401),
        ({"code": "urumi_guess"}, 401),
        ({}, 422),
        ({"token": ADMIN, "code": "x"}, 422),
        ({"token": ""}, 422),
        ({"token": "x" * 513}, 422),
        ({"password": "x"}, 422),
    ],
)
async def test_nothing_else_opens_one(world: World, body: dict[str, str], status: int) -> None:
    async with world.client(None) as browser:
        answer = await browser.post(SESSION, json=body)
        assert answer.status_code == status, answer.text
        assert "set-cookie" not in answer.headers
        assert ADMIN not in answer.text


async def test_a_login_link_signs_in_once(world: World, admin: httpx.AsyncClient) -> None:
    made = await admin.post(f"{API}/login-links")
    assert made.status_code == 201
    address, _, code = made.json()["url"].partition("/?code=")
    assert address == "http://api.test" and code
    async with world.client(None) as browser, world.client(None) as other:
        assert (await browser.post(SESSION, json={"code": code})).status_code == 200
        again = await other.post(SESSION, json={"code": code})
        assert again.status_code == 401 and "urumi login-link" in again.json()["detail"]
        assert (await browser.get(f"{API}/me")).status_code == 200
        as_token = await other.get(f"{API}/me", headers={"Authorization": f"Bearer {code}"})
        assert as_token.status_code == 401


async def test_a_member_gets_a_link_for_itself(world: World) -> None:
    async with world.client(await world.member("jane")) as jane, world.client(None) as browser:
        code = (await jane.post(f"{API}/login-links")).json()["url"].partition("code=")[2]
        assert (await browser.post(SESSION, json={"code": code})).json()["user"] == "jane"
        assert (await browser.get(f"{API}/overview")).status_code == 403


@pytest.mark.parametrize("world", [{"env": "prod"}], indirect=True)
async def test_there_are_no_links_in_production(world: World, admin: httpx.AsyncClient) -> None:
    answer = await admin.post(f"{API}/login-links")
    assert answer.status_code == 403 and "profile local" in answer.json()["detail"]


async def test_a_session_ends_with_its_token(world: World, admin: httpx.AsyncClient) -> None:
    token = await world.member("jane")
    async with world.client(None) as browser:
        await browser.post(SESSION, json={"token": token})
        listed = (await admin.get(f"{API}/tokens")).json()["items"]
        theirs = next(t["id"] for t in listed if t["user"] == "jane")
        assert (await admin.delete(f"{API}/tokens/{theirs}")).status_code == 204
        assert (await browser.get(f"{API}/me")).status_code == 401


async def test_sessions_expire_and_are_forgotten(world: World) -> None:
    async with world.client(None) as browser:
        await browser.post(SESSION, json={"token": ADMIN})
        engine = world.records.sessions._engine
        past = engine.now() - 1
        await engine.write(lambda s: s.run(sessions.update().values(expires_at=past)))
        assert (await browser.get(f"{API}/me")).status_code == 401
        await browser.post(SESSION, json={"token": ADMIN})
        rows = await engine.all(sessions.select())
        assert len(rows) == 1
        lasts = rows[0]["expires_at"] - rows[0]["created_at"]
        assert lasts == SESSION_LASTS.total_seconds() * 1_000_000
        assert len(rows[0]["hash"]) == 64 and "urumi_" not in str(dict(rows[0]))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.test"},
        {"Origin": "http://api.test:8080"},
        {"Origin": "null"},
    ],
)
async def test_a_page_of_another_site_can_do_nothing_with_the_cookie(
    world: World, headers: dict[str, str]
) -> None:
    async with world.client(None) as browser:
        await browser.post(SESSION, json={"token": ADMIN})
        for method, path in (("POST", "stores"), ("DELETE", "session"), ("POST", "login-links")):
            answer = await browser.request(
                method, f"{API}/{path}", json={"name": "x"}, headers=headers
            )
            assert answer.status_code == 403, path
        assert (await browser.get(f"{API}/me", headers=headers)).status_code == 200
        own = {"Origin": "http://api.test", "Sec-Fetch-Site": "same-origin"}
        made = await browser.post(f"{API}/stores", json={"name": "x"}, headers=own)
        assert made.status_code == 202
        signed_in = await browser.post(SESSION, json={"token": ADMIN}, headers=headers)
        assert signed_in.status_code == 403, "nor sign somebody in as another"


async def test_behind_a_proxy_with_a_host_of_its_own_people_sign_in(world: World) -> None:
    async with world.client(None) as browser:
        headers = {"Origin": "https://urumi.example.com", "Sec-Fetch-Site": "same-origin"}
        answer = await browser.post(SESSION, json={"token": ADMIN}, headers=headers)
        assert answer.status_code == 200


async def test_signing_out_ends_the_sessions_streams_and_no_others(world: World) -> None:
    people = world.service.people
    (admin, one), (_, other) = await people.sign_in(ADMIN), await people.sign_in(ADMIN)
    feed = world.app.state.feed
    streams = [feed.events(await people.by_session(secret), 0) for secret in (one, other)]
    waiting = [asyncio.ensure_future(anext(stream, None)) for stream in streams]
    await asyncio.sleep(0)
    async with world.client(None) as browser:
        browser.cookies.set(COOKIE, one)
        assert (await browser.delete(SESSION)).status_code == 204
    async with asyncio.timeout(5):
        assert await waiting[0] is None
    assert not waiting[1].done()
    waiting[1].cancel()
    assert admin.session == ""


async def test_a_new_sign_in_ends_the_session_that_the_browser_had(world: World) -> None:
    people, token = world.service.people, await world.member("jane")
    _, old = await people.sign_in(ADMIN)
    feed = world.app.state.feed
    stream = feed.events(await people.by_session(old), 0)
    waiting = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0)
    async with world.client(None) as browser:
        came_with = {"Cookie": f"{COOKIE}={old}"}
        refused = await browser.post(SESSION, json={"token": "wrong"}, headers=came_with)
        assert refused.status_code == 401
        assert (await browser.get(f"{API}/me", headers=came_with)).json()["user"] == "admin"
        signed_in = await browser.post(SESSION, json={"token": token}, headers=came_with)
        assert signed_in.json()["user"] == "jane"
        assert (await browser.get(f"{API}/me")).json()["user"] == "jane"
        browser.cookies.clear()
        assert (await browser.get(f"{API}/me", headers=came_with)).status_code == 401
    async with asyncio.timeout(5):
        assert await waiting is None


async def test_a_wrong_token_is_not_made_up_for_by_a_cookie(world: World) -> None:
    async with world.client(None) as browser:
        await browser.post(SESSION, json={"token": ADMIN})
        answer = await browser.get(f"{API}/me", headers={"Authorization": "Bearer wrong"})
        assert answer.status_code == 401
