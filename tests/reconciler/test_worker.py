"""Wakes and passes, with real records and a pass of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.reconciler import steps
from orchestrator.reconciler.context import Pass, Policy, Tools
from orchestrator.reconciler.status import is_unobserved
from orchestrator.reconciler.worker import Bell, Reconciler
from orchestrator.records import Records, open_records
from orchestrator.telemetry import Metrics
from tests.records.support import make

LATER = timedelta(hours=1)


class Listened(Bell):
    """A bell that counts how often its listener came back to it."""

    rounds = 0

    async def rung(self) -> set[str]:
        self.rounds += 1
        return await super().rung()


def tools(records: Records, watcher: Any) -> Tools:
    return Tools(
        records=records,
        cluster=cast(Any, None),
        applier=cast(Any, None),
        renderer=cast(Any, None),
        watcher=watcher,
        profile=cast(Any, None),
        metrics=Metrics(),
        clock=lambda: datetime.now(UTC),
        url_of=lambda store: store.id,
        policy=Policy(),
    )


def watch(*, fresh: bool, away: bool = False) -> SimpleNamespace:
    async def synced() -> None:
        return

    return SimpleNamespace(wait_synced=synced, fresh=fresh, away=away)


class Passing(Reconciler):
    """Rings for the store in the middle of its first pass, as its own applies do."""

    def __init__(self, records: Records, bell: Listened) -> None:
        super().__init__(tools(records, watch(fresh=True)), bell, workers=2)
        self.bell = bell
        self.passes: list[str] = []
        self.under_way = 0
        self.twice = asyncio.Event()

    async def _pass(self, run: Pass) -> datetime:
        assert not self.under_way, "two passes over one store at once"
        self.under_way += 1
        self.passes.append(run.store.id)
        if len(self.passes) == 1:
            before = self.bell.rounds
            self.bell.ring(run.store.id)
            while self.bell.rounds == before:
                await asyncio.sleep(0.005)
        else:
            self.twice.set()
        self.under_way -= 1
        return datetime.now(UTC) + LATER


async def test_what_is_seen_during_a_pass_brings_another_after_it(tmp_path: Path) -> None:
    async with open_records(f"sqlite:///{tmp_path / 'records.db'}") as records:
        await make(records, "acme")
        reconciler = Passing(records, Listened())
        running = asyncio.create_task(reconciler.run())
        try:
            async with asyncio.timeout(20):
                await reconciler.twice.wait()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        assert reconciler.passes == ["acme", "acme"]


async def test_an_outage_ends_when_the_watch_answers_not_when_nothing_is_to_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed: list[str] = []

    async def observe(run: Pass) -> datetime:
        observed.append(run.store.id)
        return datetime.now(UTC) + LATER

    monkeypatch.setattr(steps, "reconcile", observe)
    async with open_records(f"sqlite:///{tmp_path / 'records.db'}") as records:
        await make(records, "acme")
        for watcher in (
            watch(fresh=False, away=True),  # told: it does not answer
            watch(fresh=True, away=True),  # what was last seen is young, and no news
            watch(fresh=True),
        ):
            reconciler = Reconciler(tools(records, watcher), Bell(), workers=1)
            claim = await records.claims.take("me", 30)
            assert claim is not None
            run = await reconciler._load(claim)
            due = await reconciler._pass(run)
            assert due is not None
            seen = await records.stores.get("acme")
            assert is_unobserved(seen.status)
            assert observed == ([] if watcher.away else ["acme"])
            await records.claims.release(claim, due=datetime.now(UTC))
