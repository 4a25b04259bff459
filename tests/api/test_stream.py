"""The event stream: nothing is lost, nothing comes twice, nobody sees what is not theirs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest

from orchestrator.api import stream
from orchestrator.api.stream import Feed
from orchestrator.model.errors import RecordsUnavailable
from orchestrator.model.people import Principal, Role
from orchestrator.model.store import Phase
from orchestrator.model.timeline import EntryType, NewEntry
from orchestrator.records.tables import sessions
from orchestrator.service import ChangePage, hash_token
from orchestrator.service.requests import CreateToken
from tests.api.support import ADMIN, Event, World, read_events, served

STREAM = "/api/v1/events/stream"


@contextlib.asynccontextmanager
async def listening(
    url: str, token: str = ADMIN, after: int | None = None, path: str = STREAM
) -> AsyncIterator[AsyncIterator[Event | str]]:
    """Open a stream; its first comment has arrived when this returns, so it has started."""
    headers = {"Authorization": f"Bearer {token}"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    async with (
        httpx.AsyncClient(base_url=url, timeout=20, headers=headers) as client,
        client.stream("GET", path) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        events = read_events(response.aiter_lines())
        assert isinstance(await anext(events), str)
        yield events


async def until(events: AsyncIterator[Event | str], last: int) -> list[Event]:
    """Read until the event numbered ``last``."""
    found: list[Event] = []
    async with asyncio.timeout(20):
        async for event in events:
            if isinstance(event, Event):
                found.append(event)
                if event.id >= last:
                    return found
    raise AssertionError(f"the stream ended before {last}: {found}")


def feed_of(world: World, **options: Any) -> Feed:
    """A feed beside the one of the application."""
    people = world.service.people
    return Feed(world.service.changes, lambda _: "http://x", people.is_in, **options)


async def newest(world: World) -> int:
    """Return the number of the newest change that anybody can see."""
    head = await world.records.feed.head()
    entries = await world.records.feed.since(0, 10_000, None)
    stores = await world.records.feed.stores_changed_since(0, None, 10_000)
    seen = max([e.seq for e in entries] + [s for s, _ in stores])
    assert seen <= head
    return seen


async def test_it_starts_now_and_tells_all(world: World, admin: httpx.AsyncClient) -> None:
    await admin.post("/api/v1/stores", json={"id": "old", "name": "Old"})
    async with served(world.app) as url, listening(url) as events:
        await admin.post("/api/v1/stores", json={"id": "acme", "name": "Line\u2028break"})
        await world.reach("acme", Phase.READY)
        document = (await admin.get("/api/v1/stores/acme")).json()
        await admin.delete("/api/v1/stores/acme")
        await world.remove("acme")
        found = await until(events, await newest(world))
    ids = [e.id for e in found]
    assert ids == sorted(set(ids))
    assert "old" not in json.dumps([e.data for e in found])
    assert [e.data["reason"] for e in found if e.name == "timeline"][:2] == ["Created", "Ready"]
    assert (found[-1].name, found[-1].data) == ("deleted", {"id": "acme"})
    assert {e.data["store"] for e in found if e.name == "timeline"} == {"acme"}
    assert document in [e.data for e in found if e.name == "store"]


async def test_it_starts_now_though_the_reader_is_behind(
    world: World, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened before the stream was opened is not sent when the reader comes to it."""
    feed = feed_of(world)
    principal = Principal("admin", Role.ADMIN, "t")
    held = asyncio.Event()
    whole = world.service.changes.page

    async def late(*args: Any) -> ChangePage:
        await held.wait()
        return await whole(*args)

    monkeypatch.setattr(world.service.changes, "page", late)
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(feed.run())
        await feed.open(principal, None)  # the reader has started
        await admin.post("/api/v1/stores", json={"id": "old", "name": "Old"})
        events = feed.events(principal, await world.records.feed.head())
        first = group.create_task(anext(events))
        held.set()
        async with asyncio.timeout(20):
            while feed.held < 2:
                await asyncio.sleep(0.01)
        await admin.post("/api/v1/stores", json={"id": "new", "name": "New"})
        assert '"id":"new"' in str((await asyncio.wait_for(first, 20)).data)
        reader.cancel()
        await events.aclose()


async def test_a_member_sees_only_its_own(world: World, admin: httpx.AsyncClient) -> None:
    token = await world.member("jane")
    start = await world.records.feed.head()
    async with world.client(token) as jane, served(world.app) as url:
        async with listening(url, token) as live:
            await admin.post("/api/v1/stores", json={"id": "secret", "name": "Secret"})
            await jane.post("/api/v1/stores", json={"id": "janes", "name": "Jane's"})
            await world.reach("secret", Phase.READY)
            await admin.delete("/api/v1/stores/secret")
            await world.remove("secret")
            await jane.patch("/api/v1/stores/janes", json={"plan": "large"})
            last = await newest(world)
            seen = await until(live, last)
        async with listening(url, token, after=start) as replayed:
            again = await until(replayed, last)
    for found in (seen, again):
        assert found and "secret" not in json.dumps([e.data for e in found])
        assert [e.data["reason"] for e in found if e.name == "timeline"] == ["Created", "Changed"]


async def test_it_resumes_after_every_id(world: World, admin: httpx.AsyncClient) -> None:
    start = await world.records.feed.head()
    for i in range(3):
        await admin.post("/api/v1/stores", json={"id": f"s{i}", "name": f"Store {i}"})
        await world.reach(f"s{i}", Phase.READY)
        await admin.patch(f"/api/v1/stores/s{i}", json={"plan": "large"})
    await admin.delete("/api/v1/stores/s1")
    await world.remove("s1")
    last = await newest(world)
    entries = await world.records.feed.since(start, 1000, None)
    states = await world.records.feed.stores_changed_since(start, None, 1000)
    assert {s.id for _, s in states} == {"s0", "s2"}
    async with served(world.app) as url:
        for after in range(start, last):
            async with listening(url, after=after) as events:
                found = await until(events, last)
            expected = [e.seq for e in entries if e.seq > after]
            assert [e.id for e in found if e.name in ("timeline", "deleted")] == expected
            states_found = {e.id for e in found if e.name == "store"}
            assert {seq for seq, _ in states if seq > after} <= states_found
            assert [e.id for e in found] == sorted(e.id for e in found)


async def test_a_client_that_breaks_off_again_and_again_loses_nothing(
    world: World, admin: httpx.AsyncClient
) -> None:
    start = await world.records.feed.head()

    async def write() -> None:
        for i in range(25):
            await admin.post("/api/v1/stores", json={"id": f"s{i}", "name": "x"})
            await admin.patch(f"/api/v1/stores/s{i}", json={"plan": "large"})

    got: list[int] = []
    async with served(world.app) as url, asyncio.TaskGroup() as group:
        writing = group.create_task(write())
        position = start
        for taken in itertools.cycle((1, 7, 3, 0, 19)):
            async with listening(url, after=position) as events:
                for _ in range(taken):
                    event = await asyncio.wait_for(anext(events), 20)
                    if isinstance(event, str):
                        continue
                    assert event.id > position
                    position = event.id
                    if event.name == "timeline":
                        got.append(event.id)
                    if writing.done() and position >= await newest(world):
                        break
            if writing.done() and position >= await newest(world):
                break
    assert got == [e.seq for e in await world.records.feed.since(start, 1000, None)]
    assert len(got) == 50


async def test_a_slow_client_falls_back_to_the_database(
    world: World, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ring forgets; whoever is behind it reads on from the records, in pages."""
    monkeypatch.setattr("orchestrator.service.changes.PAGE", 3)
    feed = feed_of(world, ring=4)
    principal = Principal("admin", Role.ADMIN, "t")
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(feed.run())
        await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        after = await world.records.feed.head()
        events = feed.events(principal, after)
        got: list[int] = []
        for round_number in range(6):
            for i in range(10):
                entry = NewEntry(EntryType.HEALTH, "Seen", f"{round_number}.{i}")
                await world.records.timeline.append("acme", entry)
            while len(got) < 10 * (round_number + 1) - 5:  # stays five behind
                got.append(int((await asyncio.wait_for(anext(events), 20)).id or 0))
        while len(got) < 60:
            got.append(int((await asyncio.wait_for(anext(events), 20)).id or 0))
        reader.cancel()
        await events.aclose()
    assert got == [e.seq for e in await world.records.feed.since(after, 1000, None)]
    assert feed.held <= 4


async def test_last_event_ids_that_are_none(world: World) -> None:
    async with world.client() as client:
        for value in ("x", "-1", "1.5", "9" * 30, "0x1"):
            response = await client.get(STREAM, headers={"Last-Event-ID": value})
            assert response.status_code == 422
            assert response.json()["errors"][0]["field"] == "Last-Event-ID"
        assert (await client.head(STREAM)).status_code == 200
        assert (await client.post(STREAM)).status_code == 405
    async with world.client(token=None) as stranger:
        assert (await stranger.get(STREAM)).status_code == 401


async def test_an_id_of_the_future_starts_now(world: World, admin: httpx.AsyncClient) -> None:
    async with served(world.app) as url, listening(url, after=10**15) as events:
        await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        found = await until(events, await newest(world))
    assert {e.name for e in found} == {"store", "timeline"}


async def test_keep_alives_are_comments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_ALIVE", 0.05)
    async with served(world.app) as url, listening(url) as events:
        comments = [await asyncio.wait_for(anext(events), 20) for _ in range(3)]
    assert comments == ["keep-alive"] * 3


async def test_a_revoked_token_ends_its_streams(world: World, admin: httpx.AsyncClient) -> None:
    made = (await admin.post("/api/v1/tokens", json={"user": "admin", "name": "x"})).json()
    async with served(world.app) as url, listening(url, made["token"]) as events:
        assert (await admin.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
        async with asyncio.timeout(10):
            assert [e async for e in events if isinstance(e, Event)] == []


@pytest.mark.parametrize("path", [STREAM, "/api/v1/stores/acme/logs?follow=1"])
@pytest.mark.parametrize("how", ["revoked", "signed out", "expired", "rotated"])
async def test_a_credential_that_ended_elsewhere_ends_its_streams(
    world: World, admin: httpx.AsyncClient, path: str, how: str
) -> None:
    """Nobody tells this process: the records know, and they are asked again."""
    await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
    people, records, feed = world.service.people, world.records, world.app.state.feed
    caller = await people.authenticate(ADMIN)
    token, text = await people.create_token(caller, CreateToken(user="admin", name="x"))
    _, secret = await people.sign_in(text)
    if how == "rotated":
        text = ADMIN
    shown = {"Authorization": f"Bearer {text}"}
    if how in ("signed out", "expired"):
        shown = {"Cookie": f"urumi-session-4000={secret}"}
    another = await world.member("jane")
    async with (
        served(world.app) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
        client.stream("GET", path, headers=shown) as response,
        listening(url, another) as janes,
    ):
        events = read_events(response.aiter_lines())
        assert isinstance(await anext(events), str)
        await feed.look_again()
        match how:
            case "revoked":
                await records.people.delete_token(token.id)
            case "signed out":
                await records.sessions.end([hash_token(secret)], by=caller)
            case "rotated":
                await records.people.ensure_admin(hash_token("urumi_the-next-admin-token"))
            case "expired":
                engine = records.sessions._engine
                past = sessions.update().values(expires_at=engine.now() - 1)
                await engine.write(lambda s: s.run(past))
        await feed.look_again()
        async with asyncio.timeout(10):
            assert {e.name for e in [e async for e in events] if isinstance(e, Event)} <= {"log"}
        async with world.client(another) as jane:
            await jane.post("/api/v1/stores", json={"id": "janes", "name": "Jane's"})
        assert isinstance(await asyncio.wait_for(anext(janes), 10), Event), "others go on"


async def test_credentials_are_looked_at_while_events_flow_and_the_database_fails(
    world: World, admin: httpx.AsyncClient
) -> None:
    """Each keep-alive, whatever else happens; not being able to look ends nothing."""
    looks = 0

    async def is_in(_: Principal) -> bool:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise RecordsUnavailable("gone")
        return looks < 4

    feed = Feed(world.service.changes, lambda _: "http://x", is_in, look_every=0.01)
    principal = Principal("admin", Role.ADMIN, "t", session="s")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(feed.run())
        response = await feed.open(principal, 0)
        async with asyncio.timeout(20):
            number = 0
            async for _ in response.body_iterator:
                number += 1
                await admin.post("/api/v1/stores", json={"id": f"s{number}", "name": "x"})
        running.cancel()
    assert looks >= 4 and number > 0


async def test_streams_of_one_token_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STREAMS_PER_TOKEN", 2)
    async with served(world.app) as url, httpx.AsyncClient(base_url=url) as client:
        async with listening(url), listening(url):
            auth = {"Authorization": f"Bearer {ADMIN}"}
            response = await client.get(STREAM, headers=auth)
            assert (response.status_code, response.headers["retry-after"]) == (429, "5")


async def test_the_reader_outlives_a_database_that_is_away(
    world: World, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_RETRY", 0.01)
    whole = world.records.feed.since
    failures = iter(range(3))

    async def fails(after: int, limit: int, owner: str | None) -> object:
        if next(failures, None) is not None:
            raise RecordsUnavailable("gone")
        return await whole(after, limit, owner)

    monkeypatch.setattr(world.records.feed, "since", fails)
    async with served(world.app) as url, listening(url) as events:
        await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        found = await until(events, (await world.records.feed.head()) - 1)
    assert found[0].data["id"] == "acme"


async def test_a_client_that_does_not_read_is_dropped(
    world: World, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SEND_TIMEOUT", 0.05)
    monkeypatch.setattr(stream, "STREAMS_PER_TOKEN", 1)
    feed: Feed = world.app.state.feed
    principal = Principal("admin", Role.ADMIN, "t")
    blocked = asyncio.Event()

    async def send(message: MutableMapping[str, object]) -> None:
        if message.get("body"):
            await blocked.wait()

    async def receive() -> MutableMapping[str, object]:
        await blocked.wait()
        raise AssertionError("never")

    for _ in range(2):  # the place of the one that was dropped is free again
        response = await feed.open(principal, None)
        await asyncio.wait_for(response({"type": "http", "method": "GET"}, receive, send), 10)
