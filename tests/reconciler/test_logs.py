"""Reading and following logs: over restarts, new pods and streams that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import cast

import pytest

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterUnreachable, InvalidObject
from orchestrator.model.kinds import Json
from orchestrator.model.logs import LogLine, LogQuery
from orchestrator.model.names import UID_ANNOTATION
from orchestrator.model.store import Store
from orchestrator.reconciler import logs as room
from orchestrator.reconciler.logs import Logs
from orchestrator.watcher import StoreView, Watcher

RUNNING: Json = {"running": {}}
ENDED: Json = {"terminated": {"exitCode": 1}}
WAITING: Json = {"waiting": {"reason": "ContainerCreating"}}


def pod(name: str, component: str, uid: str = "p1", **containers: tuple[Json, int]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "store-a",
            "uid": uid,
            "labels": {"app.kubernetes.io/component": component},
        },
        "status": {
            "containerStatuses": [
                {"name": n, "state": state, "ready": False, "restartCount": restarts}
                for n, (state, restarts) in containers.items()
            ]
        },
    }


class FakeCluster:
    """``says`` by (pod, container): text, or an error; streams are lists of (time, text)."""

    def __init__(self) -> None:
        self.says: dict[tuple[str, str], str | Exception] = {}
        self.streams: dict[tuple[str, str], list[list[tuple[str, str]]]] = {}
        self.asked: list[tuple[str, int | None, str | None]] = []
        self.previous: list[bool] = []

    async def logs(self, _ns: str, name: str, container: str, *, tail: int, previous: bool) -> str:
        self.previous.append(previous)
        said = self.says[name, container]
        if isinstance(said, Exception):
            raise said
        return "".join(f"{line}\n" for line in said.split("\n")[-tail:])

    async def follow_logs(
        self, _ns: str, name: str, container: str, *, tail: int | None, since: str | None
    ) -> AsyncGenerator[tuple[str, str]]:
        self.asked.append((container, tail, since))
        parts = self.streams.get((name, container))
        if parts is None:
            raise InvalidObject(400, "BadRequest", "it says nothing")
        for line in parts.pop(0) if parts else []:
            yield line
        if not parts:
            await asyncio.Event().wait()  # it goes on, and says no more


class FakeWatcher:
    """Shows what the test puts there."""

    def __init__(self, *pods: Json) -> None:
        self.pods = list(pods)
        notes = {UID_ANNOTATION: "u"}
        meta = {"name": "store-a", "annotations": notes}
        self.namespace: list[Json] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": meta}]

    def view(self, store_id: str) -> StoreView:
        return StoreView.of(store_id, [*self.namespace, *self.pods])


def made(cluster: FakeCluster, watcher: FakeWatcher) -> Logs:
    return Logs(cast(Cluster, cluster), cast(Watcher, watcher))


STORE = cast(Store, type("S", (), {"id": "a", "uid": "u", "namespace": "store-a"}))


async def test_the_last_lines_of_every_container_and_why_there_are_none() -> None:
    cluster = FakeCluster()
    cluster.says = {
        ("mysql-0", "mysql"): "one\ntwo\u2028still two\nthree",
        ("wordpress-1", "wordpress"): InvalidObject(400, "BadRequest", "is waiting to start"),
    }
    watcher = FakeWatcher(
        pod("mysql-0", "database", mysql=(RUNNING, 0)),
        pod("wordpress-1", "wordpress", wordpress=(WAITING, 0)),
    )
    lines = await made(cluster, watcher).read(STORE, LogQuery(tail=2))
    assert [str(line) for line in lines] == [
        "[mysql-0/mysql] two\u2028still two",
        "[mysql-0/mysql] three",
        "[wordpress-1/wordpress] (is waiting to start)",
    ]
    only = await made(cluster, watcher).read(STORE, LogQuery("database", 1))
    assert only == [LogLine("mysql-0", "mysql", "three")]


async def test_previous_is_asked_only_of_what_has_restarted() -> None:
    cluster = FakeCluster()
    cluster.says = {("mysql-0", "mysql"): "before"}
    watcher = FakeWatcher(
        pod("mysql-0", "database", mysql=(RUNNING, 2), initialize=(ENDED, 0)),
    )
    lines = await made(cluster, watcher).read(STORE, LogQuery(previous=True))
    assert lines == [LogLine("mysql-0", "mysql", "before")] and cluster.previous == [True]


async def test_a_cluster_that_does_not_answer_is_an_error_and_no_empty_log() -> None:
    cluster = FakeCluster()
    cluster.says = {("mysql-0", "mysql"): ClusterUnreachable("no answer")}
    watcher = FakeWatcher(pod("mysql-0", "database", mysql=(RUNNING, 0)))
    with pytest.raises(ClusterUnreachable):
        await made(cluster, watcher).read(STORE, LogQuery())
    assert await made(cluster, FakeWatcher()).read(STORE, LogQuery()) == []


async def heard(
    logs: Logs,
    count: int,
    between: dict[int, Callable[[], None]] | None = None,
    *,
    previous: bool = False,
) -> list[str]:
    """Follow until so many lines came; ``between`` runs after the line of that number."""
    found: list[str] = []
    stream = logs.follow(STORE, LogQuery(tail=5, previous=previous))
    async with asyncio.timeout(20):
        async for line in stream:
            found.append(str(line))
            if between and len(found) in between:
                between[len(found)]()
            if len(found) == count:
                break
    await stream.aclose()
    return found


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_LOOK", 0.01)


async def test_following_goes_on_where_a_stream_broke_and_repeats_nothing() -> None:
    cluster = FakeCluster()
    cluster.streams["mysql-0", "mysql"] = [
        [("10:00:01.1Z", "a"), ("10:00:01.1Z", "b"), ("10:00:01.2Z", "c")],
        [("10:00:01.1Z", "a"), ("10:00:01.1Z", "b"), ("10:00:01.2Z", "c"), ("10:00:01.3Z", "d")],
    ]
    watcher = FakeWatcher(pod("mysql-0", "database", mysql=(RUNNING, 0)))
    lines = await heard(made(cluster, watcher), 4)
    assert [line[-1] for line in lines] == ["a", "b", "c", "d"]
    assert cluster.asked == [("mysql", 5, None), ("mysql", None, "10:00:01.2Z")]


async def test_following_goes_on_over_restarts_and_new_pods() -> None:
    cluster = FakeCluster()
    cluster.streams = {
        ("mysql-0", "mysql"): [[("1", "first")], [("2", "restarted")], [("3", "another pod")]]
    }
    watcher = FakeWatcher(pod("mysql-0", "database", mysql=(RUNNING, 0)))

    def restart() -> None:
        watcher.pods = [pod("mysql-0", "database", mysql=(RUNNING, 1))]

    def replace() -> None:
        watcher.pods = [pod("mysql-0", "database", uid="p2", mysql=(RUNNING, 0))]

    cluster.streams["mysql-0", "mysql"].append([])
    lines = await heard(made(cluster, watcher), 3, {1: restart, 2: replace})
    assert [line.partition("] ")[2] for line in lines] == ["first", "restarted", "another pod"]
    assert {tail for _, tail, _ in cluster.asked[1:]} == {None}, "what is new is heard whole"


async def test_following_begins_with_what_was_said_before_when_asked() -> None:
    cluster = FakeCluster()
    cluster.says = {("mysql-0", "mysql"): "crash"}
    cluster.streams["mysql-0", "mysql"] = [[("1", "again")]]
    watcher = FakeWatcher(pod("mysql-0", "database", mysql=(RUNNING, 1)))
    lines = await heard(made(cluster, watcher), 2, previous=True)
    assert [line.partition("] ")[2] for line in lines] == ["crash", "again"]


async def test_following_ends_with_the_store() -> None:
    cluster = FakeCluster()
    cluster.streams["mysql-0", "mysql"] = [[("1", "last words")], []]
    watcher = FakeWatcher(pod("mysql-0", "database", mysql=(RUNNING, 0)))
    found = []
    async with asyncio.timeout(20):
        async for line in made(cluster, watcher).follow(STORE, LogQuery()):
            found.append(line.text)
            watcher.pods, watcher.namespace = [], []
            cluster.streams["mysql-0", "mysql"].append([])
    assert found == ["last words"]


async def test_who_cannot_be_heard_says_why_and_hinders_nobody() -> None:
    cluster = FakeCluster()
    cluster.streams["wordpress-1", "wordpress"] = [[("1", "hello")]]
    watcher = FakeWatcher(
        pod("mysql-0", "database", mysql=(RUNNING, 0)),
        pod("wordpress-1", "wordpress", wordpress=(RUNNING, 0)),
    )
    lines = await heard(made(cluster, watcher), 2)
    assert sorted(lines) == [
        "[mysql-0/mysql] (it says nothing)",
        "[wordpress-1/wordpress] hello",
    ]
