"""How the dashboard's files are served."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from orchestrator.api.dashboard import Dashboard
from tests.api.support import World

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INDEX = '<script nonce="__NONCE__" src="/assets/a-1.js"></script>'


@pytest.fixture
def built(world: World, tmp_path: Path) -> World:
    asset = tmp_path / "a-1.js"
    asset.write_text("1")
    dashboard = Dashboard(INDEX, {"a-1.js": asset})
    for route in world.app.routes:
        deps = getattr(route.endpoint, "_deps", None)  # type: ignore[attr-defined]
        object.__setattr__(deps, "dashboard", dashboard)
    return world


@pytest.mark.parametrize("path", ["/", "/stores", "/stores/acme", "/operator"])
async def test_every_address_of_the_page_has_a_nonce_of_its_own(built: World, path: str) -> None:
    async with built.client(None) as client:
        answers = [await client.get(path) for _ in range(2)]
    nonces = []
    for answer in answers:
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        found = re.search(r"'nonce-([\w-]+)'", policy)
        assert found and f'nonce="{found[1]}"' in answer.text
        assert "unsafe" not in policy and "http" not in policy
        nonces.append(found[1])
    assert len(set(nonces)) == 2


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/stores/", "/stores"),
        ("/stores//", "/stores"),
        ("/stores/acme/?tab=logs", "/stores/acme?tab=logs"),
        ("/stores/%C3%BC%20%0d%0a/", "/stores/%C3%BC%20%0D%0A"),
        ("/operator/", "/operator"),
        ("//", "/"),
    ],
)
async def test_a_slash_too_many_leads_to_the_view(built: World, path: str, leads_to: str) -> None:
    async with built.client(None, also=BROWSER) as client:
        answer = await client.get(f"http://api.test{path}")
    assert answer.is_redirect and answer.headers["location"] == leads_to


@pytest.mark.parametrize("path", ["/nope", "/stores/a/b", "/assets/b.js", "//evil.test/", "/x/"])
async def test_a_person_at_a_wrong_address_sees_the_dashboard(built: World, path: str) -> None:
    async with built.client(None, also=BROWSER) as client:
        answer = await client.get(f"http://api.test{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html") and "nonce-" in str(
            answer.headers
        )
        assert "/assets/a-1.js" in answer.text
        assert (await client.head(f"http://api.test{path}")).status_code == 404
        posted = await client.post("http://api.test/nope")
        assert posted.headers["content-type"] == "application/problem+json"


async def test_programs_are_told_by_a_problem(built: World) -> None:
    paths = ["/nope", "/stores/", "/assets/b.js"]
    for accept in ("*/*", "application/json"):
        async with built.client(None, also={"Accept": accept}) as client:
            answers = [await client.get(path) for path in paths]
            assert {a.headers["content-type"] for a in answers} == {"application/problem+json"}
            assert {a.status_code for a in answers} == {404}
    async with built.client(also=BROWSER) as client:
        for path in ("/api/v1/nope", "/api/v1/stores/none", "/healthz/", "/readyz/x", "/metrics/"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json", path


async def test_without_a_build_a_person_is_told_too(world: World) -> None:
    async with world.client(None, also=BROWSER) as client:
        answer = await client.get("/nope")
    assert answer.status_code == 404 and "There is no such page" in answer.text


async def test_files_are_kept_for_a_year_and_no_others_are_there(built: World) -> None:
    async with built.client(None) as client:
        answer = await client.get("/assets/a-1.js")
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")
        for path in ("/assets/b.js", "/assets/..%2findex.html", "/assets/%2e%2e/x", "/assets/"):
            assert (await client.get(path)).status_code == 404, path


async def test_without_a_build_there_is_a_page_that_leads_on(admin: httpx.AsyncClient) -> None:
    assert "/api/v1/docs" in (await admin.get("/stores/acme")).text
