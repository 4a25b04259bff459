"""Bad input: each kind gets its status and a problem that names field and rule."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from orchestrator.model.errors import RecordsUnavailable
from tests.api.support import World

STORES = "/api/v1/stores"
JSON = {"Content-Type": "application/json"}


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    assert body["requestId"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return body


NO_JSON = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b'{"name": NaN}', "NaN"),
    (b'{"name": -Infinity}', "Infinity"),
    (b'{"name": "a", "name": "b"}', "twice"),
    (b'{"name": "\xff"}', "UTF-8"),
    (b'\xef\xbb\xbf{"name": "a"}', "not JSON"),
    ('{"name": "a"}'.encode("utf-16"), "UTF-8"),
    (b"[" * 100_000, "deep"),
    (b'{"a":' * 40 + b"1" + b"}" * 40, "deep"),
    (b'{"name": ' + b"9" * 5000 + b"}", "too long"),
    (b"{'name': 'a'}", "not JSON"),
    (b'{"name": "a"} {}', "not JSON"),
]


async def test_what_is_no_json(admin: httpx.AsyncClient) -> None:
    for body, says in NO_JSON:
        response = await admin.post(STORES, content=body, headers=JSON)
        assert says in problem(response, 400)["detail"]


WRONG: list[tuple[object, str, str]] = [
    ([], "body", "object"),
    ("text", "body", "object"),
    (None, "body", "object"),
    ({}, "name", "required"),
    ({"name": 7}, "name", "string"),
    ({"name": None}, "name", "string"),
    ({"name": ""}, "name", "1 to 80"),
    ({"name": " \t "}, "name", "white space"),
    ({"name": "a\u0000b"}, "name", "control"),
    ({"name": "x" * 81}, "name", "1 to 80"),
    ({"name": "a", "id": "A"}, "id", "lower-case"),
    ({"name": "a", "id": "-a"}, "id", "DNS label"),
    ({"name": "a", "id": "a" * 41}, "id", "40"),
    ({"name": "a", "id": "a\n"}, "id", "DNS label"),
    ({"name": "a", "id": "default"}, "id", "reserved"),
    ({"name": "a", "id": "kube-x"}, "id", "reserved"),
    ({"name": "a", "id": 5}, "id", "string"),
    ({"name": "a", "plan": "huge"}, "plan", "'small', 'medium' or 'large'"),
    ({"name": "a", "engine": "magento"}, "engine", "'woocommerce' or 'wordpress'"),
    ({"name": "a", "plan": ["small"]}, "plan", "small"),
    ({"name": "a", "domain": "10.0.0.1"}, "domain", "IP address"),
    ({"name": "a", "domain": "*.example.com"}, "domain", "wildcard"),
    ({"name": "a", "domain": "Shop.example.com"}, "domain", "lower-case"),
    ({"name": "a", "domain": "x.svc.cluster.local"}, "domain", ".svc"),
    ({"name": "a", "domain": "localtest.me"}, "domain", "localtest.me"),
    ({"name": "a", "domain": "a.b.localtest.me"}, "domain", "localtest.me"),
    ({"name": "a", "versions": {"mysql": 8.4}}, "versions.mysql", "string"),
    ({"name": "a", "versions": {"mysql": "a/b"}}, "versions.mysql", "tag"),
    ({"name": "a", "versions": {"php": "8"}}, "versions.php", "wordpress, mysql"),
    ({"name": "a", "versions": []}, "versions", "object"),
    ({"name": "a", "options": {"currency": "usd"}}, "options.currency", "USD"),
    ({"name": "a", "options": {"currency": "USD\n"}}, "options.currency", "USD"),
    ({"name": "a", "options": {"currency": "XYZ"}}, "options.currency", "WooCommerce knows"),
    ({"name": "a", "options": {"currency": 1}}, "options.currency", "string"),
    ({"name": "a", "options": {"country": "Germany"}}, "options.country", "DE"),
    ({"name": "a", "options": {"country": "ZZ"}}, "options.country", "DE or US:CA"),
    ({"name": "a", "options": {"country": "US:XX"}}, "options.country", "US with a state"),
    ({"name": "a", "options": {"country": "FR:75"}}, "options.country", "FR alone"),
    ({"name": "a", "options": {"adminEmail": "nobody"}}, "options.adminEmail", "e-mail"),
    ({"name": "a", "options": {"adminEmail": "a@-example-.com"}}, "options.adminEmail", "e-mail"),
    ({"name": "a", "options": {"adminEmail": "a@b.c"}}, "options.adminEmail", "e-mail"),
    ({"name": "a", "options": {"adminEmail": f"a@{'b' * 96}.co"}}, "options.adminEmail", "e-mail"),
    ({"name": "a", "options": {"demoProducts": "yes"}}, "options.demoProducts", "true or"),
    ({"name": "a", "options": {"demoProducts": 1}}, "options.demoProducts", "true or"),
    ({"name": "a", "options": {"admin_email": "a@b.de"}}, "options.admin_email", "adminEmail"),
    ({"name": "a", "owner": "me"}, "owner", ""),
    ({"name": "a", "colour": "red"}, "colour", "name, engine, plan"),
    ({"name": "a", "x\ud800": "red"}, "x\\ud800", "surrogate"),
    ({"name": "a\ud800"}, "name", "surrogate"),
    ({"name": "a", "options": {"title": "\udc00"}}, "options.title", "surrogate"),
]


async def test_wrong_values_name_field_and_rule(world: World, admin: httpx.AsyncClient) -> None:
    head = await world.records.feed.head()
    for body, field, says in WRONG:
        for query in ("", "?dryRun=true"):
            response = await admin.post(
                STORES + query, content=json.dumps(body).encode(), headers=JSON
            )
            errors = problem(response, 422)["errors"]
            assert [e["field"] for e in errors] == [field], body
            assert says in errors[0]["rule"], body
    assert await world.records.feed.head() == head


async def test_all_broken_rules_are_listed_at_once(admin: httpx.AsyncClient) -> None:
    body = {"id": "A", "name": "", "options": {"currency": "x", "country": "y"}, "plan": "z"}
    errors = problem(await admin.post(STORES, json=body), 422)["errors"]
    assert [e["field"] for e in errors] == [
        "id",
        "name",
        "plan",
        "options.currency",
        "options.country",
    ]


PATCHES: list[tuple[object, str, str]] = [
    ({"id": "acme"}, "id", "cannot be changed"),
    ({"engine": "wordpress"}, "engine", "cannot be changed"),
    ({"phase": "Ready"}, "phase", "cannot be changed"),
    ({"name": None}, "name", "string"),
    ({"plan": "huge"}, "plan", "'small', 'medium' or 'large'"),
    ({"domain": "x.localtest.me"}, "domain", "localtest.me"),
    ({"options": {"size": 1}}, "options.size", "currency"),
    ([], "body", "object"),
]


async def test_wrong_patches(admin: httpx.AsyncClient) -> None:
    await admin.post(STORES, json={"id": "acme", "name": "Acme"})
    for patch, field, says in PATCHES:
        errors = problem(await admin.patch(f"{STORES}/acme", json=patch), 422)["errors"]
        assert [e["field"] for e in errors] == [field], patch
        assert says in errors[0]["rule"], patch
    assert (await admin.get(f"{STORES}/acme")).json()["generation"] == 1


@pytest.mark.parametrize("size", [300_000, 1_000_000])
async def test_large_bodies(admin: httpx.AsyncClient, size: int) -> None:
    body = b'{"name":"' + b"a" * size + b'"}'

    async def chunks() -> Any:
        for i in range(0, len(body), 8192):
            yield body[i : i + 8192]

    for content in (body, chunks()):
        response = await admin.post(STORES, content=content, headers=JSON)
        assert "256 KiB" in problem(response, 413)["detail"]


TYPES: list[dict[str, str]] = [
    {},
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "application/json; charset=latin-1"},
    {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    {"Content-Type": "application/merge-patch+json"},
]


async def test_content_types(admin: httpx.AsyncClient) -> None:
    for headers in TYPES:
        response = await admin.post(STORES, content=b'{"name":"a"}', headers=headers)
        assert problem(response, 415)["errors"][0]["field"] == "Content-Type"


async def test_a_charset_of_utf_8_is_fine(admin: httpx.AsyncClient) -> None:
    headers = {"Content-Type": 'Application/JSON; Charset="UTF-8"'}
    response = await admin.post(STORES, content=b'{"name":"a"}', headers=headers)
    assert response.status_code == 202


async def test_no_or_wrong_token(world: World) -> None:
    wrong = [None, "", "Bearer", "Bearer ", "Bearer nope", "Basic YTpi", "Bearer é"]
    async with world.client(token=None) as client:
        for authorization in wrong:
            raw = [] if authorization is None else [(b"authorization", authorization.encode())]
            # Before anything else: neither body nor path is looked at.
            for method, path in (("GET", "me"), ("POST", "stores"), ("GET", "stores/nope")):
                body = b"{" if method == "POST" else None
                response = await client.request(
                    method, f"/api/v1/{path}", headers=raw, content=body
                )
                problem(response, 401)
                assert response.headers["www-authenticate"].startswith("Bearer")


QUERIES = [
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("limit=-1", "limit"),
    ("limit=ten", "limit"),
    ("limit=1.0", "limit"),
    ("limit=%31_0", "limit"),
    ("limit=", "limit"),
    ("limit=1&limit=2", "limit"),
    ("phase=Happy", "phase"),
    ("sort=colour", "sort"),
    ("q=%00", "q"),
    ("q=" + "x" * 201, "q"),
    ("colour=red", "colour"),
    ("cursor=", "cursor"),
]


async def test_wrong_queries(admin: httpx.AsyncClient) -> None:
    for query, field in QUERIES:
        errors = problem(await admin.get(f"{STORES}?{query}"), 422)["errors"]
        assert [e["field"] for e in errors] == [field], query


async def test_wrong_queries_elsewhere(admin: httpx.AsyncClient) -> None:
    await admin.post(STORES, json={"id": "acme", "name": "Acme"})
    for path in (
        "stores?dryRun=1",
        "stores/acme/events?after=-1",
        "stores/acme/events?after=x",
        f"stores/acme/events?after={2**63}",
        "stores/acme?verbose=true",
        "me?x=y",
        "events/stream?lastEventId=x",
    ):
        method = "POST" if "dryRun" in path else "GET"
        response = await admin.request(
            method, f"/api/v1/{path}", json={"name": "a"} if method == "POST" else None
        )
        assert len(problem(response, 422)["errors"]) == 1, path


NOWHERE = [
    "/nowhere",
    "/api/v1/",
    "/api/v1/stores/",
    "/api/v1/stores/none",
    "/api/v1/stores/NONE",
    "/api/v1/stores/%00",
    "/api/v1/stores/%ff",
    "/api/v1/stores/a%2Fb",
    "/api/v1/stores/" + "x" * 3000,
    "/api/v1/stores/%3Cscript%3E",
    "/api/v1/stores/acme/revisions/0/evidence",
    "/api/v1/stores/acme/revisions/x/evidence",
    "/api/v1/stores/acme/revisions/%D9%A1/evidence",
    "/api/v1/stores/acme/revisions/1/evidence",
    "/api/v1/stores/acme/revisions/99999999999999999999/evidence",
    "/api/v1/stores/none/events",
    "/api/v1/stores/none/resources",
]


async def test_what_is_not_there(admin: httpx.AsyncClient) -> None:
    await admin.post(STORES, json={"id": "acme", "name": "Acme"})
    for path in NOWHERE:
        body = problem(await admin.get(path), 404)
        assert "<script>" not in body["detail"] and len(body["detail"]) < 200


async def test_methods_that_a_path_does_not_know(admin: httpx.AsyncClient) -> None:
    for method, path, allow in (
        ("PUT", STORES, "GET, HEAD, POST"),
        ("POST", f"{STORES}/acme", "DELETE, GET, HEAD, PATCH"),
        ("BREW", "/healthz", "GET, HEAD"),
        ("OPTIONS", "/api/v1/tokens/x", "DELETE"),
    ):
        response = await admin.request(method, path)
        problem(response, 405)
        assert response.headers["allow"] == allow


async def test_an_unexpected_error_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> int:
        raise ZeroDivisionError("postgresql://user:hunter2@db")

    monkeypatch.setattr(world.records.stores, "count_owned", fails)
    async with world.client() as client:
        response = await client.get("/api/v1/me", headers={"X-Request-Id": "trace-7"})
    body = problem(response, 500)
    assert "hunter2" not in response.text and "ZeroDivision" not in response.text
    assert body["requestId"] == "trace-7"


async def test_a_database_that_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RecordsUnavailable("cannot connect to postgresql://user:hunter2@db")

    monkeypatch.setattr(world.records.people, "by_token_hash", fails)
    async with world.client() as client:
        response = await client.get("/api/v1/me")
        assert "hunter2" not in response.text
        problem(response, 503)
        assert int(response.headers["retry-after"]) > 0
        assert (await client.get("/api/v1/docs")).status_code == 200
