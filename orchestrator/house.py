"""The composition root: the only place that knows every room.

``serve`` opens everything in order (data dir, records, cluster or sandbox, watcher, reconciler,
API) and closes it in the reverse one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import os
import secrets
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
import uvloop

from orchestrator import __version__, target, telemetry
from orchestrator.api import AppDeps, Check, Dashboard, Protocol, create_app
from orchestrator.applier import Applier, Mark
from orchestrator.cluster import Cluster, ClusterTarget, ObjectList, connect
from orchestrator.model.errors import ObjectNotFound, RecordsError, SettingsError, UrumiError
from orchestrator.model.kinds import KINDS, ObjectRef
from orchestrator.model.names import CREDENTIALS_SECRET, namespace_of
from orchestrator.model.overview import ClusterSight, Room
from orchestrator.model.quantities import number_of
from orchestrator.model.store import Store
from orchestrator.model.urls import store_url
from orchestrator.reconciler import Bell, Events, Logs, Policy, Reconciler, Tools
from orchestrator.records import Records, open_records
from orchestrator.renderer import Renderer, StoreProfile
from orchestrator.sandbox import Sandbox, SandboxOptions
from orchestrator.service import Ports, Service
from orchestrator.settings import TOKEN_RULE, Settings, parse_token
from orchestrator.target import ClusterChoice
from orchestrator.watcher import Watcher


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; what makes a start impossible is one line, exit 2 or 3."""
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(_owned(settings.data_dir))
            if database := settings.database_file:
                stack.enter_context(_database_owned(database))
            choice = target.choose(settings, os.environ)
            # TLS and sockets cost half as much as on asyncio's own loop.
            uvloop.run(_serve(settings, choice))
    except SettingsError as exc:
        print(f"urumi: {exc}", file=sys.stderr)
        raise SystemExit(2) from exc
    except RecordsError as exc:
        print(f"urumi: URUMI_DATABASE_URL: {exc}", file=sys.stderr)
        raise SystemExit(3) from exc


def _owned(directory: Path) -> AbstractContextManager[None]:
    """Hold the data dir: two processes on one SQLite file would each void the other's leases."""
    where = f"URUMI_DATA_DIR={directory}: "
    busy = "another urumi serves from it; stop that one, or name another directory"
    return _held(directory / "lock", where, busy)


def _database_owned(path: Path) -> AbstractContextManager[None]:
    """Hold a SQLite file, which may lie outside of the data dir, by a lock file beside it."""
    busy = f"another urumi serves from {path}; stop that one, or name another database"
    return _held(path.with_name(f"{path.name}.lock"), "URUMI_DATABASE_URL: ", busy, f"{path}: ")


@contextlib.contextmanager
def _held(file: Path, setting: str, busy: str, what: str = "") -> Iterator[None]:
    """Hold a lock file. Errors: SettingsError, ``busy`` when another process holds it."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = file.open("w")
    except OSError as exc:
        raise SettingsError(f"{setting}{what}{exc.strerror}") from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise SettingsError(f"{setting}{busy}") from exc
        yield


def _admin_token(settings: Settings) -> str:
    """Return the admin token: the setting, else the file, made once with mode 0600."""
    if settings.admin_token:
        return settings.admin_token
    path = settings.admin_token_file
    try:
        if not path.exists() or not path.read_text().strip():
            _write_token(path)
        path.chmod(0o600)
        return parse_token(path.read_text().strip())
    except OSError as exc:
        raise SettingsError(f"{path}: {exc.strerror}") from exc
    except ValueError:
        raise SettingsError(f"{path}: must hold {TOKEN_RULE}; remove it for a new one") from None


def _write_token(path: Path) -> None:
    """Write a new token, whole or not at all."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("urumi_" + secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


async def _let_the_admin_in(service: Service, settings: Settings) -> None:
    """Make the admin token valid; one that was revoked is replaced, or refused if it was set."""
    if await service.ensure_admin(_admin_token(settings)):
        return
    if settings.admin_token:
        raise SettingsError("URUMI_ADMIN_TOKEN=(value not shown): was revoked; set another one")
    settings.admin_token_file.unlink()
    await service.ensure_admin(_admin_token(settings))


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as exc:
        raise SettingsError(
            f"URUMI_HOST={settings.host}, URUMI_PORT={settings.port}: "
            f"cannot listen there: {_plain(exc)}"
        ) from exc
    # asyncio sees to it only for sockets that it made itself; without, answers wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _plain(exc: OSError) -> str:
    return os.strerror(exc.errno) if exc.errno and exc.errno > 0 else str(exc.strerror)


class _Server(uvicorn.Server):
    """Ends on SIGINT and SIGTERM without raising them again: the house closes in order."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second signal changes nothing, the end is seconds away anyway."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle both signals while serving."""
        before = {s: signal.signal(s, self.handle_exit) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def _serve(settings: Settings, choice: ClusterChoice) -> None:
    telemetry.configure(settings.log_format, settings.log_level)
    listener = _listen(settings)
    port = listener.getsockname()[1]
    settings = replace(settings, port=port)
    if choice.kind == "sandbox":
        settings = replace(settings, base_port=settings.base_port or port)
    async with contextlib.AsyncExitStack() as stack:
        house = await _open(stack, settings, choice)
        _announce(settings, choice, house.kubeconfig)
        await _invite(settings, house.service)
        server = _Server(_uvicorn_config(house.app, settings))
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(house.watcher.run())]
            background.append(group.create_task(house.reconciler.run()))
            background.append(group.create_task(house.service.overview.run()))
            try:
                await server.serve(sockets=[listener])
            finally:
                for task in background:
                    task.cancel()


def _uvicorn_config(app: Callable[..., Any], settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )


def _announce(settings: Settings, choice: ClusterChoice, kubeconfig: Path | None) -> None:
    """Say where the service is and which cluster it talks to; each on one line."""
    print(f"Urumi Stores {__version__} serves on {_address(settings)}")
    print(f"Cluster: {choice.description}")
    if kubeconfig is not None:
        print(f"Sandbox kubeconfig: {kubeconfig}")
    if not settings.admin_token:
        print(f"Admin token: in {settings.admin_token_file}")
    for warning in settings.warnings:
        print(f"Warning: {warning}")
    sys.stdout.flush()


async def _invite(settings: Settings, service: Service) -> None:
    """Print a log-in link for the admin, in the profile ``local``."""
    if settings.local:
        admin = await service.people.authenticate(_admin_token(settings))
        code = await service.people.login_code(admin)
        print(f"Dashboard: {_address(settings)}/?code={code} (once, within 10 minutes)", flush=True)


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


@dataclass(frozen=True)
class House:
    """The rooms that run, wired."""

    app: Callable[..., Any]
    watcher: Watcher
    reconciler: Reconciler
    service: Service
    kubeconfig: Path | None


async def _open(
    stack: contextlib.AsyncExitStack, settings: Settings, choice: ClusterChoice
) -> House:
    kubeconfig = None
    if choice.kind == "sandbox":
        options = SandboxOptions(settings.sandbox_dir, speed=settings.sandbox_speed)
        try:
            sandbox = await stack.enter_async_context(Sandbox(options))
        except (OSError, sqlite3.Error) as exc:
            raise SettingsError(
                f"URUMI_DATA_DIR: the sandbox cannot use {options.directory}: {exc}; "
                "move that directory away to begin anew"
            ) from exc
        kubeconfig = sandbox.kubeconfig
        goal = ClusterTarget("kubeconfig", kubeconfig)
    else:
        goal = ClusterTarget(choice.kind, choice.kubeconfig, choice.context)
    metrics = telemetry.Metrics()
    cluster = await stack.enter_async_context(connect(goal))
    records = await stack.enter_async_context(open_records(settings.database_url))
    if settings.database_file is not None:
        # The data dir is ours alone, so every lease is that of a process that died.
        await records.claims.expire_all()
    bell = Bell()
    watcher = Watcher(cluster, metrics, on_change=bell.ring)
    tools = Tools(
        records=records,
        cluster=cluster,
        applier=Applier(cluster, metrics),
        renderer=Renderer(),
        watcher=watcher,
        profile=StoreProfile.of(settings),
        metrics=metrics,
        clock=lambda: datetime.now(UTC),
        url_of=partial(_url_of, settings),
        policy=Policy(provision_timeout=settings.provision_timeout),
    )
    reconciler = Reconciler(tools, bell, workers=settings.workers)
    logs = Logs(cluster, watcher)
    ports = Ports(
        observe=reconciler.observe,
        events=Events(cluster, watcher).of,
        read_credentials=partial(_credentials, cluster),
        read_logs=logs.read,
        follow_logs=logs.follow,
        look=partial(_look, cluster, watcher),
        capacity=partial(_capacity, cluster),
    )
    service = Service(records, settings, ports)
    await _let_the_admin_in(service, settings)
    readiness = partial(_readiness, records, cluster, watcher)
    sandboxed, dashboard = choice.kind == "sandbox", Dashboard.load()
    app = create_app(AppDeps(service, settings, metrics, readiness, sandboxed, dashboard))
    return House(app, watcher, reconciler, service, kubeconfig)


def _url_of(settings: Settings, store: Store) -> str:
    return store_url(
        store.id,
        store.spec,
        base_domain=settings.base_domain,
        port=settings.base_port,
        tls=settings.tls_issuer is not None,
    )


async def _credentials(cluster: Cluster, store: Store) -> tuple[str, str]:
    """Read the WordPress admin's name and password from the store's Secret, and from no other's.

    Errors: ObjectNotFound, NamespaceNotOurs, ClusterUnreachable.
    """
    namespace = namespace_of(store.id)
    Mark(store.id, store.uid).check(await cluster.get(ObjectRef("Namespace", "", namespace)))
    secret = await cluster.get(ObjectRef("Secret", namespace, CREDENTIALS_SECRET))
    data = secret.get("data") or {}
    name, password = (
        base64.b64decode(data.get(key, "")).decode() for key in ("admin-username", "admin-password")
    )
    if not name or not password:
        raise ObjectNotFound(404, "NotFound", f"Secret/{namespace}/{CREDENTIALS_SECRET} is empty")
    return name, password


async def _readiness(records: Records, cluster: Cluster, watcher: Watcher) -> dict[str, Check]:
    """Ask the database and the API server, two seconds each, and look at the watch's age."""
    database, api = await asyncio.gather(_check(records.ping()), _check(cluster.version()))
    problems = watcher.problems()
    trouble = next((f"{kind}: {text}" for kind, text in problems.items()), "not synced yet")
    watch = Check(watcher.fresh, "fresh" if watcher.fresh else trouble)
    return {"database": database, "cluster": api, "watch": watch}


async def _look(cluster: Cluster, watcher: Watcher) -> ClusterSight:
    """See how the API server does; two seconds at most."""
    latency = None
    with contextlib.suppress(UrumiError, TimeoutError):
        async with asyncio.timeout(2):
            began = time.monotonic()
            await cluster.version()
            latency = time.monotonic() - began
    return ClusterSight(latency, watcher.fresh, watcher.staleness())


async def _capacity(cluster: Cluster) -> Room | None:
    """See what the nodes have for pods; None when they may not be read, or not in two seconds."""
    with contextlib.suppress(UrumiError, TimeoutError):
        async with asyncio.timeout(2):
            return _room(await cluster.list(KINDS["Node"]))
    return None


def _room(nodes: ObjectList) -> Room:
    """Add up what nodes that take pods have for them."""
    usable = [n for n in nodes.items if not n.get("spec", {}).get("unschedulable")]
    parts = [n.get("status", {}).get("allocatable", {}) for n in usable]
    return Room(
        round(sum(number_of(str(p.get("cpu", "0"))) for p in parts), 3),
        int(sum(number_of(str(p.get("memory", "0"))) for p in parts)),
    )


async def _check(call: Awaitable[object]) -> Check:
    try:
        async with asyncio.timeout(2):
            await call
    except TimeoutError:
        return Check(False, "no answer within 2 s")
    except UrumiError as exc:
        return Check(False, str(exc))
    return Check(True, "answers")
