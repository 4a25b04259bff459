"""The real API on real records (SQLite), with the cluster played by small fakes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from orchestrator.api import AppDeps, Check, create_app
from orchestrator.model.health import Health, HealthStatus, ObservedObject
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.logs import LogLine, LogQuery
from orchestrator.model.overview import ClusterSight, Room
from orchestrator.model.people import Role
from orchestrator.model.store import Phase, Store
from orchestrator.model.timeline import EntryType, NewEntry, ObjectEvent
from orchestrator.records import Records, open_records
from orchestrator.service import Ports, Service
from orchestrator.service.requests import CreateToken, CreateUser
from orchestrator.settings import Settings, load
from orchestrator.telemetry import Metrics

ADMIN = "urumi_admin-token-for-tests"


@dataclass
class Cluster:
    """What the fakes answer; a test changes it. An exception is raised instead."""

    observed: list[ObservedObject] | Exception = field(
        default_factory=lambda: [
            ObservedObject(
                ObjectRef("Deployment", "store-acme", "wordpress"),
                Health(HealthStatus.PROGRESSING, "Starting", "The web server starts"),
            ),
            ObservedObject(
                ObjectRef("Namespace", "", "store-acme"),
                Health(HealthStatus.HEALTHY, "Active", "The namespace is there"),
            ),
        ]
    )
    credentials: tuple[str, str] | Exception = ("admin", "s3cret-pass")
    lines: list[LogLine] | Exception = field(
        default_factory=lambda: [
            LogLine("mysql-0", "mysql", "ready for connections"),
            LogLine("wordpress-1", "setup", "Ladenöffnung\u2028"),
        ]
    )
    told: dict[ObjectRef, list[ObjectEvent]] = field(default_factory=dict)
    asked: list[LogQuery] = field(default_factory=list)
    sight: ClusterSight = field(
        default_factory=lambda: ClusterSight(0.012, True, {"Pod": 1.5, "Service": 0.25})
    )
    nodes: Room | None = field(default_factory=lambda: Room(8.0, 16 * 2**30))
    counted: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    left: int = 0
    checks: dict[str, Check] = field(
        default_factory=lambda: {
            name: Check(True, "answers") for name in ("database", "cluster", "watch")
        }
    )

    async def observe(self, _store_id: str) -> Sequence[ObservedObject]:
        if isinstance(self.observed, Exception):
            raise self.observed
        return self.observed

    async def events(
        self, _store: Store, _refs: Sequence[ObjectRef]
    ) -> Mapping[ObjectRef, Sequence[ObjectEvent]]:
        return self.told

    async def read_credentials(self, _store: Store) -> tuple[str, str]:
        if isinstance(self.credentials, Exception):
            raise self.credentials
        return self.credentials

    async def read_logs(self, _store: Store, query: LogQuery) -> Sequence[LogLine]:
        self.asked.append(query)
        if isinstance(self.lines, Exception):
            raise self.lines
        return self.lines

    async def follow_logs(self, _store: Store, query: LogQuery) -> AsyncGenerator[LogLine]:
        self.asked.append(query)
        try:
            for line in self.lines if isinstance(self.lines, list) else []:
                yield line
            await self.over.wait()
        finally:
            self.left += 1

    @property
    def ports(self) -> Ports:
        return Ports(
            self.observe,
            self.events,
            self.read_credentials,
            self.read_logs,
            self.follow_logs,
            self.look,
            self.capacity,
        )

    async def look(self) -> ClusterSight:
        return self.sight

    async def capacity(self) -> Room | None:
        self.counted += 1
        return self.nodes

    async def readiness(self) -> dict[str, Check]:
        return self.checks


@dataclass
class World:
    """Everything that a test needs."""

    app: Starlette
    records: Records
    service: Service
    settings: Settings
    cluster: Cluster
    metrics: Metrics

    def client(
        self, token: str | None = ADMIN, also: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.AsyncClient:
        """Return a client with a token, or without one; ``also``: more headers."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= also or {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app, client=("192.0.2.7", 1)),
            base_url=options.pop("base_url", "http://api.test"),
            headers=headers,
            timeout=20,
            **options,
        )

    async def member(self, name: str, role: Role = Role.MEMBER) -> str:
        """Create a user and return a token of theirs."""
        admin = await self.service.people.authenticate(ADMIN)
        await self.service.people.create_user(admin, CreateUser(name=name, role=role))
        _, text = await self.service.people.create_token(
            admin, CreateToken(user=name, name="tests")
        )
        return text

    async def reach(self, store_id: str, phase: Phase) -> None:
        """Do what the reconciler does to bring a store's status to a phase."""
        claim = await self.claim(store_id)
        store = await self.records.stores.get(store_id)
        status = replace(store.status, phase=phase, message=f"It is {phase}")
        entry = NewEntry(EntryType.PHASE, str(phase), f"It is {phase}")
        await self.records.status.save(claim, status, [entry])
        await self.records.claims.release(claim, due=None)

    async def remove(self, store_id: str) -> None:
        """Do what the reconciler does at the end of a deletion."""
        claim = await self.claim(store_id)
        gone = NewEntry(EntryType.DELETION, "Deleted", "Every object is gone")
        await self.records.status.remove(claim, gone)

    async def claim(self, store_id: str) -> Any:
        """Take the claim of a store, whatever else is due."""
        await self.records.claims.wake(store_id)
        held = []
        try:
            while True:
                claim = await self.records.claims.take("tests", 60)
                assert claim is not None, f"{store_id} is not due"
                if claim.store_id == store_id:
                    return claim
                held.append(claim)
        finally:
            for other in held:
                await self.records.claims.release(other, due=None)


def settings_in(directory: Path, **values: str) -> Settings:
    """Return settings for tests: no rate limit, unless it is given."""
    given = {f"URUMI_{name.upper()}": value for name, value in values.items()}
    return load({"URUMI_DATA_DIR": str(directory), "URUMI_RATE_LIMIT": "off", **given})


@contextlib.asynccontextmanager
async def built(directory: Path, *, sandbox: bool = False, **values: str) -> AsyncIterator[World]:
    """Put the API together, on records that are open; its lifespan is the caller's to run."""
    settings = settings_in(directory, **values)
    cluster, metrics = Cluster(), Metrics()
    async with open_records(settings.database_url) as records:
        service = Service(records, settings, cluster.ports)
        await service.ensure_admin(ADMIN)
        app = create_app(AppDeps(service, settings, metrics, cluster.readiness, sandbox))
        yield World(app, records, service, settings, cluster, metrics)


@contextlib.asynccontextmanager
async def running(directory: Path, *, sandbox: bool = False, **values: str) -> AsyncIterator[World]:
    """Run the API in this process, without a server."""
    async with (
        built(directory, sandbox=sandbox, **values) as world,
        world.app.router.lifespan_context(world.app),
    ):
        yield world


def listening_socket() -> socket.socket:
    """Listen on a free port; without NODELAY each kept-alive answer would take 40 ms."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextlib.asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve an app, whose lifespan runs already, on a free port; return its address."""
    with listening_socket() as listener:
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                app.state.feed.close()
                server.should_exit = True


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    id: int
    name: str
    data: Json


async def read_events(lines: AsyncIterator[str]) -> AsyncIterator[Event | str]:
    """Yield the events of a stream, and its comments as text."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line.startswith(":"):
            yield line[1:].strip()
        elif line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif fields:
            yield Event(int(fields.get("id", 0)), fields["event"], json.loads(fields["data"]))
            fields = {}
