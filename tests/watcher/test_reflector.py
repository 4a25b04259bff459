"""The list-watch of one kind, against a cluster that plays a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from orchestrator.model.errors import (
    ClusterForbidden,
    ClusterUnreachable,
    InvalidObject,
    WatchExpired,
)
from orchestrator.model.kinds import KINDS, Json
from orchestrator.watcher import reflector as module
from orchestrator.watcher.reflector import Reflector, Selection
from tests.watcher.cluster import Clock, Item, Listing, Pass, Script, Step, bookmark, in_time

DOWN = ClusterUnreachable("connection refused")
GONE = WatchExpired(410, "Expired", "too old resource version: 7 (9)")


@dataclass
class Taken:
    """A sink that notes what it was given."""

    calls: list[str] = field(default_factory=list)

    def replace(self, kind: str, items: Sequence[Json]) -> None:
        self.calls.append(f"{kind} = {' '.join(i['metadata']['name'] for i in items)}".rstrip())

    def apply(self, kind: str, event: str, obj: Json) -> None:
        self.calls.append(f"{kind} {event} {obj['metadata']['name']}")


def pod(name: str, version: str) -> Json:
    return {"metadata": {"name": name, "resourceVersion": version}}


def change(event: str, name: str, version: str) -> Item:
    return Item(event, pod(name, version))


def refusal(code: int, **details: Any) -> Item:
    status = {"kind": "Status", "code": code, "reason": "Why", "message": "because"}
    return Item("ERROR", {**status, "details": details})


def script(
    *watches: list[Step],
    lists: Sequence[Listing | Exception] = (),
    last: Sequence[Step] = (),
) -> Script:
    return Script(Clock(), list(lists or [Listing([], "7")]), list(watches), list(last))


@asynccontextmanager
async def running(
    cluster: Script, *, look: Callable[[Reflector], None] = lambda _: None, **timing: Any
) -> AsyncIterator[tuple[Reflector, Taken]]:
    """Run a reflector until the script was played; ``look`` at it before each pause."""
    sink = Taken()
    chosen = Selection(KINDS["Pod"], "a=b")
    reflector = Reflector(cluster, chosen, sink, cluster.clock.timing(**timing))
    cluster.clock.before_sleep = lambda: look(reflector)
    task = asyncio.create_task(reflector.run())
    try:
        await in_time(cluster.played.wait())
        yield reflector, sink
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_it_lists_and_watches_from_there() -> None:
    changes = [change("ADDED", "b", "8"), change("MODIFIED", "a", "9"), change("DELETED", "a", "9")]
    cluster = script(lists=[Listing([pod("a", "3")], "7")], last=[bookmark("7"), *changes])
    async with running(cluster) as (reflector, sink):
        assert reflector.synced.is_set()
        assert sink.calls == ["Pod = a", "Pod ADDED b", "Pod MODIFIED a", "Pod DELETED a"]
    assert cluster.asked == ["list", "watch 7"]
    assert cluster.options == [("a=b", False)] * 2


async def test_it_is_not_synced_before_the_first_list() -> None:
    synced: list[bool] = []
    cluster = script(lists=[DOWN, Listing([], "7")])
    async with running(cluster, look=lambda r: synced.append(r.synced.is_set())) as (reflector, _):
        assert synced == [False]
        assert reflector.synced.is_set()


async def test_a_bookmark_moves_the_version_on_and_is_no_change() -> None:
    cluster = script([bookmark("7"), Pass(5), bookmark("40")])
    async with running(cluster) as (_, sink):
        assert sink.calls == ["Pod ="]
    assert cluster.asked == ["list", "watch 7", "watch 40"]


async def test_an_event_moves_the_version_on() -> None:
    cluster = script([bookmark("7"), change("ADDED", "a", "12")])
    async with running(cluster):
        assert cluster.asked == ["list", "watch 7", "watch 12"]


async def test_a_bookmark_without_a_version_changes_nothing() -> None:
    cluster = script([Item("BOOKMARK", {"metadata": None}), Pass(5)])
    async with running(cluster):
        assert cluster.asked == ["list", "watch 7", "watch 7"]


async def test_a_watch_that_ends_is_resumed_at_once() -> None:
    cluster = script([bookmark("7"), Pass(120)], [Pass(120)], [change("ADDED", "a", "9")])
    async with running(cluster):
        assert cluster.asked == ["list", "watch 7", "watch 7", "watch 7", "watch 9"]
        assert cluster.clock.slept == []


async def test_kinds_do_not_all_end_their_watches_together() -> None:
    cluster = script([Pass(120)])
    async with running(cluster, random=iter([0.0, 1.0]).__next__):
        assert cluster.lengths == [120.0, 180.0]


async def test_a_watch_that_ends_at_once_with_nothing_backs_off() -> None:
    cluster = script([bookmark("7")], [bookmark("7")])
    async with running(cluster):
        assert cluster.clock.slept == [0.5, 1.0]


@pytest.mark.parametrize("answer", [GONE, refusal(410)], ids=["answer", "event"])
async def test_an_expired_version_lists_again_at_once(answer: Step) -> None:
    cluster = script(
        [answer],
        lists=[Listing([pod("a", "3"), pod("b", "4")], "7"), Listing([pod("b", "4")], "9")],
    )
    async with running(cluster) as (_, sink):
        assert sink.calls == ["Pod = a b", "Pod = b"]
        assert cluster.asked == ["list", "watch 7", "list", "watch 9"]
        assert cluster.clock.slept == []


async def test_versions_that_keep_expiring_are_listed_ever_more_slowly() -> None:
    cluster = script([GONE], [GONE], [GONE], lists=[Listing([], "7")] * 4)
    async with running(cluster):
        assert cluster.asked == ["list", "watch 7"] * 4
        assert cluster.clock.slept == [0.5, 1.0]


async def test_a_list_that_expires_between_pages_starts_again() -> None:
    async with running(script(lists=[GONE, Listing([pod("a", "3")], "7")])) as (_, sink):
        assert sink.calls == ["Pod = a"]


async def test_errors_back_off_doubled_and_capped() -> None:
    cluster = script(lists=[*[DOWN] * 8, Listing([], "7")])
    async with running(cluster):
        assert cluster.clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


async def test_back_off_is_jittered_upwards_and_stays_under_the_cap() -> None:
    cluster = script(lists=[*[DOWN] * 8, Listing([], "7")])
    async with running(cluster, random=lambda: 1.0):
        assert cluster.clock.slept == [0.75, 1.5, 3.0, 6.0, 12.0, 24.0, 30.0, 30.0]


def test_many_failures_stay_at_the_cap() -> None:
    assert Clock().timing().backoff(100_000) == 30.0


@pytest.mark.parametrize(("asked_for", "waited"), [(90.0, 90.0), (0.1, 0.5), (None, 0.5)])
async def test_a_longer_retry_after_wins(asked_for: float | None, waited: float) -> None:
    busy = ClusterUnreachable("too many requests", retry_after=asked_for)
    cluster = script(lists=[busy, Listing([], "7")])
    async with running(cluster):
        assert cluster.clock.slept == [waited]


async def test_an_error_event_says_how_long_to_wait() -> None:
    cluster = script([bookmark("7"), refusal(429, retryAfterSeconds=12)])
    async with running(cluster):
        assert cluster.clock.slept == [12]
        assert cluster.asked == ["list", "watch 7", "watch 7"]


@pytest.mark.parametrize("code", [500, 503])
async def test_a_server_that_fails_within_a_watch_is_resumed(code: int) -> None:
    cluster = script([bookmark("7"), change("ADDED", "a", "8"), refusal(code)])
    async with running(cluster):
        assert cluster.asked == ["list", "watch 7", "watch 8"]
        assert cluster.clock.slept == [0.5]


@pytest.mark.parametrize(
    "answer",
    [InvalidObject(400, "BadRequest", "invalid resource version"), refusal(400)],
    ids=["answer", "event"],
)
async def test_a_version_that_the_server_refuses_is_not_insisted_on(answer: Step) -> None:
    cluster = script([answer], lists=[Listing([], "7"), Listing([], "9")])
    async with running(cluster):
        assert cluster.asked == ["list", "watch 7", "list", "watch 9"]
        assert cluster.clock.slept == [0.5]


@pytest.mark.parametrize(
    "progress",
    [[bookmark("7"), change("ADDED", "a", "8"), DOWN], [bookmark("7"), Pass(1), DOWN]],
    ids=["a change", "a watch that stayed open"],
)
async def test_progress_ends_the_back_off(progress: list[Step]) -> None:
    cluster = script([DOWN], [DOWN], progress, [DOWN])
    async with running(cluster):
        assert cluster.clock.slept == [0.5, 1.0, 0.5, 1.0]


async def test_a_list_alone_does_not_end_the_back_off() -> None:
    cluster = script([GONE], [DOWN], lists=[DOWN, DOWN, Listing([], "7"), Listing([], "9")])
    async with running(cluster):
        assert cluster.clock.slept == [0.5, 1.0, 2.0], "the expired version is listed at once"


async def test_a_problem_is_named_until_the_watch_is_open_again() -> None:
    no = ClusterForbidden(403, "Forbidden", "pods is forbidden:\nno right\x07")
    cluster = script([DOWN], lists=[no, Listing([], "7")], last=[bookmark("7")])
    problems: list[str | None] = []
    async with running(cluster, look=lambda r: problems.append(r.problem)) as (reflector, _):
        assert problems == ["pods is forbidden: no right", "connection refused"]
        assert reflector.problem is None


async def test_staleness_rises_while_the_server_is_away() -> None:
    cluster = script([bookmark("7"), Pass(30), DOWN], [DOWN], [DOWN])
    async with running(cluster) as (reflector, _):
        assert reflector.staleness() == 0.5 + 1.0 + 2.0
        cluster.clock.now += 40
        assert reflector.staleness() == 43.5


async def test_the_end_of_a_watch_that_showed_nothing_is_a_sign_of_life() -> None:
    seen: list[float] = []
    cluster = script([DOWN], [Pass(60)], [DOWN])
    async with running(cluster, look=lambda r: seen.append(r.staleness())):
        assert seen == [0.0, 0.0]
        assert cluster.clock.slept == [0.5, 0.5]


async def test_staleness_rises_from_the_start_when_nobody_ever_answered() -> None:
    cluster = script(lists=[DOWN, DOWN, DOWN, Listing([], "7")])
    seen: list[float] = []
    async with running(cluster, look=lambda r: seen.append(r.staleness())) as (reflector, _):
        assert seen == [0.0, 0.5, 1.5]
        assert reflector.staleness() == 0.0


async def test_an_open_watch_is_not_stale_until_its_time_is_over() -> None:
    cluster = script(last=[bookmark("7")])
    async with running(cluster, watch_timeout=120.0) as (reflector, _):
        cluster.clock.now += 119
        assert reflector.staleness() == 0.0
        cluster.clock.now += 11
        assert reflector.staleness() == 10.0


async def test_a_watch_that_the_server_has_not_answered_is_no_sign_of_life() -> None:
    cluster = script()
    async with running(cluster) as (reflector, _):
        cluster.clock.now += 20
        assert reflector.staleness() == 20.0


async def test_a_watch_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE", 0.01)
    stuck = script(last=[bookmark("8")])
    async with running(stuck, watch_timeout=0.0) as (reflector, _):
        stuck.played.clear()
        await in_time(stuck.played.wait())
        assert reflector.problem is None
        assert stuck.asked[:3] == ["list", "watch 7", "watch 8"]
        assert stuck.clock.slept[0] == 0.5
        assert stuck.open == 1


async def test_cancellation_ends_it_and_closes_its_watch() -> None:
    cluster = script(last=[bookmark("7")])
    reflector = Reflector(cluster, Selection(KINDS["Pod"]), Taken(), cluster.clock.timing())
    task = asyncio.create_task(reflector.run())
    await in_time(cluster.played.wait())
    assert cluster.open == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cluster.open == 0
    cluster.clock.now += 7
    assert reflector.staleness() == 7.0


async def test_a_watch_that_failed_is_closed_before_the_pause() -> None:
    still_open: list[int] = []
    cluster = script([bookmark("7"), refusal(500)])
    async with running(cluster, look=lambda _: still_open.append(cluster.open)):
        assert still_open == [0]


async def test_a_bug_is_not_survived() -> None:
    cluster = script(lists=[KeyError("a bug")])
    reflector = Reflector(cluster, Selection(KINDS["Pod"]), Taken(), cluster.clock.timing())
    with pytest.raises(KeyError):
        await reflector.run()
    assert cluster.clock.slept == []
