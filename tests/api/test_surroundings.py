"""Health, metrics, pages, ids, rate limit, hosts of simulated stores."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from orchestrator.api import Check
from orchestrator.api.limiter import MOST_KEYS, RateLimiter, address_of
from orchestrator.api.problems import Problem
from orchestrator.model.errors import ClusterUnreachable
from orchestrator.model.kinds import ObjectRef
from orchestrator.model.store import Phase
from orchestrator.model.timeline import EntryType, NewEntry, ObjectEvent, Severity
from tests.api.support import World

API = "/api/v1"


async def test_health_and_readiness(world: World) -> None:
    async with world.client(token=None) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        well = await client.get("/readyz")
        assert (well.status_code, set(well.json()["checks"])) == (
            200,
            {"database", "cluster", "watch"},
        )
        world.cluster.checks["cluster"] = Check(False, "connection refused")
        ill = await client.get("/readyz")
    assert ill.status_code == 503
    assert ill.json()["checks"]["cluster"] == {"ok": False, "message": "connection refused"}
    assert ill.json()["checks"]["database"]["ok"] is True


async def test_metrics_know_routes_and_not_paths(world: World, admin: httpx.AsyncClient) -> None:
    await admin.post(f"{API}/stores", json={"id": "acme", "name": "Acme"})
    await world.reach("acme", Phase.READY)
    for path in ("stores/acme", "stores/beta", "nowhere/1", "nowhere/2"):
        await admin.get(f"{API}/{path}")
    await admin.request("BREW", f"{API}/stores")
    response = await admin.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    text = response.text
    assert 'route="/api/v1/stores/{id}",status="200"' in text
    assert 'route="unmatched",status="404"} 2.0' in text
    assert 'urumi_stores{phase="Ready"} 1.0' in text
    assert 'urumi_stores{phase="Failed"} 0.0' in text
    for word in ("acme", "nowhere", "BREW"):
        assert word not in text


async def test_request_ids(world: World) -> None:
    async with world.client(token=None) as client:
        for sent in ("abc-123", "trace/7:x@y=z"):
            response = await client.get("/healthz", headers={"X-Request-Id": sent})
            assert response.headers["x-request-id"] == sent
        for sent in ("", "a b", "x" * 129, "a\x7fb"):
            response = await client.get("/healthz", headers={"X-Request-Id": sent})
            assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


async def test_pages_load_nothing_and_say_so(world: World) -> None:
    async with world.client(token=None) as client:
        for path in ("/", f"{API}/docs"):
            page = await client.get(path)
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
            style = page.text.split("<style>")[1].split("</style>")[0]
            digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
            assert not re.search(r"<script|<link|<img|src=|@import|url\(", page.text)
        home = (await client.get("/")).text
        assert f'href="{API}/docs"' in home and "simulation" not in home
        docs = (await client.get(f"{API}/docs")).text
        for word in ("/api/v1/stores/{id}/retry", "Idempotency-Key", "StoreDocument", "412"):
            assert word in docs
        anchors = set(re.findall(r'id="([^"]+)"', docs))
        assert set(re.findall(r'href="#([^"]+)"', docs)) <= anchors
        missing = (await client.get("/nowhere")).json()
        assert missing["type"].partition("#")[2] in anchors


async def test_resources_and_events_come_in_pages(world: World, admin: httpx.AsyncClient) -> None:
    await admin.post(f"{API}/stores", json={"id": "acme", "name": "Acme"})
    for plan in ("medium", "large"):
        await admin.patch(f"{API}/stores/acme", json={"plan": plan})
    first = (await admin.get(f"{API}/stores/acme/resources?limit=1")).json()
    rest = (
        await admin.get(f"{API}/stores/acme/resources", params={"cursor": first["nextCursor"]})
    ).json()
    assert first["items"] == [
        {
            "kind": "Deployment",
            "namespace": "store-acme",
            "name": "wordpress",
            "health": "Progressing",
            "reason": "Starting",
            "message": "The web server starts",
            "events": [],
        }
    ]
    assert [i["namespace"] for i in rest["items"]] == [None]
    assert rest["nextCursor"] is None

    whole = (await admin.get(f"{API}/stores/acme/events")).json()
    assert [e["reason"] for e in whole["items"]] == ["Created", "Changed", "Changed"]
    assert set(whole["items"][0]) >= set("seq time type severity reason message object".split())
    assert "plan" in whole["items"][1]["message"]
    page = (await admin.get(f"{API}/stores/acme/events?limit=2")).json()
    for name in ("cursor", "after"):
        more = (
            await admin.get(f"{API}/stores/acme/events", params={name: page["nextCursor"]})
        ).json()
        assert page["items"] + more["items"] == whole["items"]
        assert more["nextCursor"] is None

    world.cluster.observed = ClusterUnreachable("refused")
    away = await admin.get(f"{API}/stores/acme/resources")
    assert away.status_code == 503 and "refused" not in away.text
    assert int(away.headers["retry-after"]) > 0


async def test_resources_say_what_happened_to_them(world: World, admin: httpx.AsyncClient) -> None:
    await admin.post(f"{API}/stores", json={"id": "acme", "name": "Acme"})
    name = "Deployment/store-acme/wordpress"
    said = [("Drifted", "replicas"), ("Drifted", "image"), ("Drifted", "replicas")]
    for reason, text in said:
        entry = NewEntry(EntryType.DRIFT, reason, text, Severity.WARNING, name)
        await world.records.timeline.append("acme", entry)
    other = NewEntry(EntryType.APPLY, "Applied", "All", object="Service/store-acme/wordpress")
    await world.records.timeline.append("acme", other)
    items = (await admin.get(f"{API}/stores/acme/resources")).json()["items"]
    assert [i["name"] for i in items if i["events"]] == ["wordpress"]
    events = items[0]["events"]
    assert [(e["message"], e["count"]) for e in events] == [("replicas", 2), ("image", 1)]
    newest = (await admin.get(f"{API}/stores/acme/events")).json()["items"][-2]
    kept = ("time", "type", "severity", "reason", "message")
    assert events[0] == {**{k: newest[k] for k in kept}, "count": 2, "object": None}


async def test_resources_say_what_kubernetes_tells_of_them(
    world: World, admin: httpx.AsyncClient
) -> None:
    await admin.post(f"{API}/stores", json={"id": "acme", "name": "Acme"})
    name = "Deployment/store-acme/wordpress"
    await world.records.timeline.append(
        "acme", NewEntry(EntryType.APPLY, "Applied", "It", object=name)
    )
    ref = ObjectRef("Deployment", "store-acme", "wordpress")
    now = datetime.now(UTC)

    def told(ago: int) -> ObjectEvent:
        time = now - timedelta(minutes=ago)
        said = ("BackOff", "Back-off pulling image", 3, "Pod/wordpress-x")
        return ObjectEvent(time, None, Severity.WARNING, *said)

    world.cluster.told = {ref: [told(ago) for ago in (-1, *range(1, 11))]}
    items = (await admin.get(f"{API}/stores/acme/resources")).json()["items"]
    events = next(i["events"] for i in items if i["name"] == "wordpress")
    assert [e["reason"] for e in events] == ["BackOff", "Applied", *10 * ["BackOff"]]
    assert events[0] == {
        "time": (now + timedelta(minutes=1))
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "type": None,
        "severity": "warning",
        "reason": "BackOff",
        "message": "Back-off pulling image",
        "count": 3,
        "object": "Pod/wordpress-x",
    }


async def test_plans(admin: httpx.AsyncClient) -> None:
    body = (await admin.get(f"{API}/plans")).json()
    assert [p["name"] for p in body["plans"]] == ["small", "medium", "large"]
    assert [e["name"] for e in body["engines"]] == ["woocommerce", "wordpress"]
    assert body["plans"][0]["mysql"]["memoryLimit"] == "768Mi"


@pytest.mark.parametrize("world", [{"rate_limit": "5/hour"}], indirect=True)
async def test_the_rate_limit(world: World, admin: httpx.AsyncClient) -> None:
    answers = [await admin.get(f"{API}/me") for _ in range(6)]
    assert [a.status_code for a in answers] == [200] * 5 + [429]
    assert [a.headers["ratelimit-remaining"] for a in answers] == ["4", "3", "2", "1", "0", "0"]
    assert {a.headers["ratelimit-limit"] for a in answers} == {"5"}
    assert answers[5].headers["content-type"] == "application/problem+json"
    assert 0 < int(answers[5].headers["retry-after"]) <= 3600
    for path in ("/healthz", "/metrics", "/"):
        free = await admin.get(path)
        assert free.status_code == 200 and "ratelimit-limit" not in free.headers
    # Neither another token nor a forwarded address helps the same address ...
    async with world.client(token=None) as stranger:
        spoofed = await stranger.get(f"{API}/me", headers={"X-Forwarded-For": "198.51.100.9"})
    assert spoofed.status_code == 429
    # ... and another address does not help the same token.
    elsewhere = httpx.ASGITransport(app=world.app, client=("198.51.100.9", 1))
    async with httpx.AsyncClient(
        transport=elsewhere, base_url="http://api.test", headers=admin.headers
    ) as client:
        assert (await client.get(f"{API}/me")).status_code == 429
        assert (await client.get(f"{API}/docs")).status_code == 200


async def test_strangers_cannot_fill_the_memory() -> None:
    limiter = RateLimiter("1000000/day")
    for i in range(MOST_KEYS + 500):
        await limiter.check({}, "address", f"10.0.{i // 256}.{i % 256}")
    assert limiter.size <= MOST_KEYS + 1
    strict = RateLimiter("2/day")
    for i in range(2):
        await strict.check({}, "address", address_of({"client": (f"2001:db8::{i}", 1)}))
    with pytest.raises(Problem):
        await strict.check({}, "address", address_of({"client": ("2001:db8::ffff", 1)}))
    await strict.check({}, "address", address_of({"client": ("2001:db8:1::1", 1)}))


@pytest.mark.parametrize("world", [{"sandbox": True}], indirect=True)
async def test_simulated_stores_say_so(world: World, admin: httpx.AsyncClient) -> None:
    assert "simulation" in (await admin.get("/")).text
    name = "<img src=x onerror=alert(1)> & Söhne"
    await admin.post(
        f"{API}/stores", json={"id": "acme", "name": name, "domain": "shop.example.com"}
    )
    for host in ("store-acme.localtest.me", "store-acme.localtest.me:4000", "SHOP.example.com."):
        for path in ("/", "/wp-admin/", "/api/v1/stores"):
            page = await admin.get(path, headers={"Host": host})
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
            assert "simulation" in page.text and "<img" not in page.text
            assert "&lt;img src=x onerror=alert(1)&gt; &amp; Söhne" in page.text
    for host in ("store-none.localtest.me", "store-a.b.localtest.me", "store-.localtest.me"):
        page = await admin.get("/", headers={"Host": host})
        assert page.status_code == 404 and "simulation" in page.text
    for host in (
        "localtest.me:4000",
        "127.0.0.1:4000",
        "api.example.com",
        "[::1]:4000",
        "localhost",
    ):
        assert (await admin.get(f"{API}/me", headers={"Host": host})).status_code == 200


async def test_without_the_sandbox_hosts_mean_nothing(admin: httpx.AsyncClient) -> None:
    response = await admin.get(f"{API}/me", headers={"Host": "store-acme.localtest.me"})
    assert response.status_code == 200
