"""What a store's containers say, as text and as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from orchestrator.api import stream
from orchestrator.model.errors import ClusterUnreachable
from orchestrator.model.logs import LogQuery
from tests.api.support import Event, World, served
from tests.api.test_stream import listening

LOGS = "/api/v1/stores/acme/logs"
FOLLOW = f"{LOGS}?follow=1"


@pytest.fixture(autouse=True)
async def acme(admin: httpx.AsyncClient) -> None:
    made = await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
    assert made.status_code == 202


async def test_lines_come_as_text(world: World, admin: httpx.AsyncClient) -> None:
    answer = await admin.get(LOGS, params={"component": "database", "tail": 7, "previous": "true"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.split("\n") == [
        "[mysql-0/mysql] ready for connections",
        "[wordpress-1/setup] Ladenöffnung\u2028",
        "",
    ]
    assert (await admin.get(LOGS)).status_code == 200
    assert world.cluster.asked == [LogQuery("database", 7, True), LogQuery(None, 100, False)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("component=redis", "component"),
        ("tail=0", "tail"),
        ("tail=2001", "tail"),
        ("tail=many", "tail"),
        ("previous=perhaps", "previous"),
        ("follow=yes", "follow"),
        ("since=yesterday", "since"),
    ],
)
async def test_what_cannot_be_asked(
    world: World, admin: httpx.AsyncClient, query: str, field: str
) -> None:
    answer = await admin.get(f"{LOGS}?{query}")
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == [field]
    assert world.cluster.asked == []


@pytest.mark.parametrize("path", [LOGS, FOLLOW])
async def test_others_learn_nothing(world: World, path: str) -> None:
    async with world.client(await world.member("jane")) as jane:
        assert (await jane.get(path)).status_code == 404
    assert world.cluster.asked == []


async def test_a_cluster_that_is_away_is_said(world: World, admin: httpx.AsyncClient) -> None:
    world.cluster.lines = ClusterUnreachable("no answer")
    assert (await admin.get(LOGS)).status_code == 503


async def test_followed_lines_are_events_until_the_store_is_gone(world: World) -> None:
    async with served(world.app) as url, listening(url, path=FOLLOW) as events:
        found = await _so_many(events, 2)
        assert [(e.name, e.data) for e in found] == [
            ("log", {"pod": "mysql-0", "container": "mysql", "line": "ready for connections"}),
            ("log", {"pod": "wordpress-1", "container": "setup", "line": "Ladenöffnung\u2028"}),
        ]
        world.cluster.over.set()
        async with asyncio.timeout(10):
            assert [e async for e in events if isinstance(e, Event)] == []
    await _left(world, 1)


async def test_a_revoked_token_and_the_servers_end_end_it(
    world: World, admin: httpx.AsyncClient
) -> None:
    made = (await admin.post("/api/v1/tokens", json={"user": "admin", "name": "x"})).json()
    async with served(world.app) as url:
        async with listening(url, made["token"], path=FOLLOW) as events:
            assert (await admin.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
            async with asyncio.timeout(10):
                async for _ in events:
                    """Whatever comes before the end."""
        async with listening(url, path=FOLLOW) as events:
            world.app.state.feed.close()
            async with asyncio.timeout(10):
                async for _ in events:
                    """Whatever comes before the end."""
    await _left(world, 2)


async def test_a_client_that_goes_lets_go_of_the_cluster(world: World) -> None:
    async with served(world.app) as url:
        async with listening(url, path=FOLLOW) as events:
            await _so_many(events, 1)
        await _left(world, 1)


async def test_so_many_may_follow_that_the_watch_finds_a_connection(
    world: World, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_RELAYS", 1)
    async with served(world.app) as url:
        async with listening(url, path=FOLLOW):
            answer = await admin.get(FOLLOW)
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        await _left(world, 1)
        async with listening(url, path=FOLLOW):
            """It is free again."""


async def _so_many(events: AsyncIterator[Event | str], count: int) -> list[Event]:
    found: list[Event] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            event = await anext(events)
            found += [event] if isinstance(event, Event) else []
    return found


async def _left(world: World, count: int) -> None:
    async with asyncio.timeout(10):
        while world.cluster.left < count:
            await asyncio.sleep(0.01)
