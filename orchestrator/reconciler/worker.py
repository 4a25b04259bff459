"""Keeps stores moving: takes claims, runs passes, renews leases.

Invariants: one pass per store at a time (the claim), ``workers`` passes at a time, a pass whose
lease was lost is cancelled before it can write, and one store's failure never stops another's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from orchestrator.model.errors import (
    ClusterError,
    ClusterUnreachable,
    LeaseLost,
    NotFound,
    RecordsError,
)
from orchestrator.model.health import ObservedObject
from orchestrator.reconciler import report, steps
from orchestrator.reconciler.context import Pass, Tools
from orchestrator.records import Claim
from orchestrator.telemetry import get_logger
from orchestrator.watcher import health

log = get_logger(__name__)

_IDLE = 5.0
_COALESCE = 0.02


class Bell:
    """Collects the ids of stores of which the watch saw something change; `ring` is cheap."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._event = asyncio.Event()

    def ring(self, store_id: str) -> None:
        """Note that a store changed in the cluster."""
        self._ids.add(store_id)
        self._event.set()

    async def rung(self) -> set[str]:
        """Wait for a ring and the few milliseconds in which more of them come; return the ids."""
        await self._event.wait()
        await asyncio.sleep(_COALESCE)
        self._event.clear()
        ids, self._ids = self._ids, set()
        return ids


class Reconciler:
    """Runs passes over stores until cancelled."""

    def __init__(self, tools: Tools, bell: Bell, *, workers: int) -> None:
        self._tools = tools
        self._bell = bell
        self._slots = asyncio.Semaphore(workers)
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._failures: Counter[str] = Counter()

    async def observe(self, store_id: str) -> list[ObservedObject]:
        """Return the inventory of a store's current revision with what the watch says of each."""
        revision = await self._tools.records.revisions.latest(store_id)
        if revision is None:
            return []
        store = await self._tools.records.stores.get(store_id)
        view = self._tools.watcher.view(store_id).of_record(store.uid)
        return [ObservedObject(ref, health.assess(ref, view)) for ref in revision.inventory.refs]

    async def run(self) -> None:
        """Work until cancelled. Everything is looked at once at the start."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forward_wakes())
            group.create_task(self._follow_the_watch())
            group.create_task(self._measure())
            await _until_it_works(self._tools.records.claims.wake_all)
            await self._first_look()
            while True:
                await self._next(group)

    async def _first_look(self) -> None:
        """Give the first lists a moment, or every store would be said to be out of sight."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_IDLE):
                await self._tools.watcher.wait_synced()

    async def _next(self, group: asyncio.TaskGroup) -> None:
        await self._slots.acquire()
        claim: Claim | None = None
        try:
            claim = await self._take()
        finally:
            if claim is None:
                self._slots.release()
        if claim is not None:
            group.create_task(self._work(claim))

    async def _take(self) -> Claim | None:
        claims = self._tools.records.claims
        try:
            claim = await claims.take(self._name, self._tools.policy.lease)
            if claim is None:
                await claims.wait(await self._idle_time())
        except RecordsError as exc:
            log.warning("records do not answer", error=str(exc))
            await asyncio.sleep(1.0)
            return None
        return claim

    async def _idle_time(self) -> float:
        due = await self._tools.records.claims.next_due()
        if due is None:
            return _IDLE
        return min(_IDLE, max(0.01, (due - self._tools.clock()).total_seconds()))

    async def _work(self, claim: Claim) -> None:
        began = time.monotonic()
        outcome, due = "cancelled", self._tools.clock()
        try:
            with structlog.contextvars.bound_contextvars(store_id=claim.store_id):
                outcome, next_look = await self._hold(claim)
            due = next_look or due
        finally:
            self._slots.release()
            self._tools.metrics.reconcile_seconds.labels(outcome).observe(time.monotonic() - began)
            if outcome not in ("gone", "lost"):
                await asyncio.shield(self._release(claim, due))

    async def _release(self, claim: Claim, due: datetime) -> None:
        try:
            await self._tools.records.claims.release(claim, due=due)
        except RecordsError as exc:
            log.warning("a claim was not released; its lease will end", error=str(exc))

    async def _hold(self, claim: Claim) -> tuple[str, datetime | None]:
        """Run a pass while renewing its lease; cancel it the moment the lease is lost."""
        lease = self._tools.policy.lease
        task = asyncio.create_task(self._attempt(claim))
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=lease / 3)
                if not task.done():
                    claim = await self._tools.records.claims.renew(claim, lease)
            return task.result()
        except LeaseLost:
            log.info("the claim was taken over by another worker")
            return "lost", None
        except RecordsError as exc:
            log.warning("records do not answer", error=str(exc))
            return "records", self._later(claim.store_id)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _attempt(self, claim: Claim) -> tuple[str, datetime | None]:
        run: Pass | None = None
        try:
            run = await self._load(claim)
            due = await self._pass(run)
        except RecordsError:
            raise
        except ClusterError as exc:
            log.warning("the cluster failed", error=str(exc))
            refusal = "" if isinstance(exc, ClusterUnreachable) else str(exc)
            if run is not None:
                await report.await_cluster(run, refusal)
            return "unreachable", self._later(claim.store_id)
        except Exception as exc:
            if run is None and isinstance(exc, NotFound):
                return "gone", None
            # A defect in one store's pass must not stop the others: it is logged whole and shown.
            log.exception("a pass failed")
            if run is not None:
                await report.show_defect(run, exc)
            return "error", self._later(claim.store_id)
        self._failures.pop(claim.store_id, None)
        return ("done", due) if due is not None else ("gone", None)

    async def _load(self, claim: Claim) -> Pass:
        records = self._tools.records
        return Pass(
            tools=self._tools,
            claim=claim,
            store=await records.stores.get(claim.store_id),
            revision=await records.revisions.latest(claim.store_id),
            last_ready=await records.revisions.last_ready(claim.store_id),
        )

    async def _pass(self, run: Pass) -> datetime | None:
        if run.store.deleting_since is not None:
            return await steps.tear_down(run)
        watcher = self._tools.watcher
        if not watcher.fresh:
            await report.await_cluster(run, "" if watcher.away else self._trouble())
            return self._later(run.store.id)
        return await steps.reconcile(run)

    def _trouble(self) -> str:
        problems = self._tools.watcher.problems()
        return next(iter(problems.values()), "it has not been heard of yet")

    def _later(self, store_id: str) -> datetime:
        """Back off exponentially, with full jitter in the upper half."""
        policy = self._tools.policy
        self._failures[store_id] += 1
        longest = min(
            policy.retry_longest, policy.retry_first * 2 ** min(self._failures[store_id], 10)
        )
        return self._tools.clock() + timedelta(seconds=random.uniform(longest / 2, longest))

    async def _forward_wakes(self) -> None:
        while True:
            for store_id in await self._bell.rung():
                await _until_it_works(partial(self._tools.records.claims.wake, store_id))

    async def _follow_the_watch(self) -> None:
        """Look at every store again when the watch is lost, and when it is back."""
        fresh = self._tools.watcher.fresh
        while True:
            await asyncio.sleep(0.5)
            if self._tools.watcher.fresh != fresh:
                fresh = not fresh
                await _until_it_works(self._tools.records.claims.wake_all)

    async def _measure(self) -> None:
        """Keep the gauges of the queue current."""
        records, metrics = self._tools.records, self._tools.metrics
        while True:
            try:
                depth, age = await records.claims.depth()
            except RecordsError as exc:
                log.warning("records do not answer", error=str(exc))
            else:
                metrics.queue_depth.set(depth)
                metrics.queue_age_seconds.set(age)
            await asyncio.sleep(_IDLE)


async def _until_it_works(call: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await call()
        except RecordsError as exc:
            log.warning("records do not answer", error=str(exc))
            await asyncio.sleep(1.0)
        else:
            return
