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
from orchestrator.model.store import Outcome
from orchestrator.reconciler import masking, report, steps
from orchestrator.reconciler.context import Pass, Tools
from orchestrator.reconciler.status import is_unobserved
from orchestrator.records import Claim
from orchestrator.telemetry import get_logger
from orchestrator.watcher import health

log = get_logger(__name__)

_IDLE = 5.0
_COALESCE = 0.02
_WATCH_OPENS = timedelta(seconds=1)


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
        self._at_work: set[str] = set()
        self._rung: set[str] = set()

    async def observe(self, store_id: str) -> list[ObservedObject]:
        """Return the inventory of a store's current revision with what the watch says of each."""
        revision = await self._tools.records.revisions.latest(store_id)
        if revision is None:
            return []
        store = await self._tools.records.stores.get(store_id)
        seen = self._tools.watcher.view(store_id).of_record(store.uid)
        view = await masking.legible(self._tools.cluster, seen)
        return [ObservedObject(ref, health.assess(ref, view)) for ref in revision.inventory.refs]

    async def run(self) -> None:
        """Work until cancelled. Everything is looked at once at the start."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forward_wakes())
            group.create_task(self._follow_the_world())
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
            self._at_work.add(claim.store_id)
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
        outcome = "cancelled"
        due: datetime | None = self._tools.clock()
        try:
            with structlog.contextvars.bound_contextvars(store_id=claim.store_id):
                outcome, due = await self._hold(claim)
        finally:
            self._slots.release()
            self._tools.metrics.reconcile_seconds.labels(outcome).observe(time.monotonic() - began)
            if due is not None:
                await asyncio.shield(self._release(claim, due))
            self._at_work.discard(claim.store_id)
            if claim.store_id in self._rung:
                self._rung.discard(claim.store_id)
                self._bell.ring(claim.store_id)

    async def _release(self, claim: Claim, due: datetime) -> None:
        try:
            await self._tools.records.claims.release(claim, due=due)
        except RecordsError as exc:
            log.warning("a claim was not released; its lease will end", error=str(exc))

    async def _hold(self, claim: Claim) -> tuple[str, datetime | None]:
        """Run a pass while renewing its lease; cancel it the moment the lease is lost.

        Returns how it ended, and when to look again; None: there is no claim to give back.
        """
        lease = self._tools.policy.lease
        task = asyncio.create_task(self._attempt(claim))
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=lease / 3)
                if not task.done():
                    claim = await self._tools.records.claims.renew(claim, lease)
            return task.result()
        except LeaseLost:
            if task.done() and not task.cancelled() and task.exception() is None:
                return task.result()  # it gave the claim back just as we renewed it
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
        if due is None:
            return "gone", None
        return "done", None if run.released else due

    async def _load(self, claim: Claim) -> Pass:
        records = self._tools.records
        store = await records.stores.get(claim.store_id)
        latest = await records.revisions.latest(claim.store_id)
        last_ready = latest if latest and latest.outcome is Outcome.READY else None
        if latest is not None and last_ready is None and latest.number > 1:
            last_ready = await records.revisions.last_ready(claim.store_id)
        return Pass(self._tools, claim, store, latest, last_ready)

    async def _pass(self, run: Pass) -> datetime | None:
        if run.store.deleting_since is not None:
            return await steps.tear_down(run)
        watcher = self._tools.watcher
        if not watcher.fresh:
            await report.await_cluster(run, "" if watcher.away else self._trouble())
            return self._later(run.store.id)
        if watcher.away and is_unobserved(run.store.status):
            # A store with nothing to send would be called observed again from what was last seen.
            return self._tools.clock() + _WATCH_OPENS
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
        """Make due what the watch saw change; a store at work here when its pass has ended."""
        while True:
            for store_id in await self._bell.rung():
                if store_id in self._at_work:
                    self._rung.add(store_id)  # its own applies ring: one write, not one each
                    continue
                await _until_it_works(partial(self._tools.records.claims.wake, store_id))

    async def _follow_the_world(self) -> None:
        """Look at every store again when the watch is lost or back, and when a clock was set."""
        before = self._world()
        while True:
            await asyncio.sleep(0.5)
            if self._world() != before:
                before = self._world()
                await _until_it_works(self._tools.records.claims.wake_all)

    def _world(self) -> tuple[bool, int]:
        return self._tools.watcher.fresh, self._tools.records.claims.clock_steps

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
