"""All kinds together: whose object it is, who is woken, and when the view may be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import ID_LABEL, SELECTOR
from orchestrator.telemetry import Metrics
from orchestrator.watcher import Watcher
from orchestrator.watcher.watcher import CLASS_KINDS, STORE_KINDS, Index
from tests.watcher.cluster import Clock, Item, Live, bookmark, eventually, in_time
from tests.watcher.objects import ingress_class, live, ref, storage_class


@dataclass
class World:
    """A watcher at work on a cluster, and the stores that it woke."""

    cluster: Live
    clock: Clock
    metrics: Metrics
    watcher: Watcher
    woken: list[str]

    async def after(self, event: str, obj: Json) -> list[str]:
        """Send a change and return which stores it woke."""
        self.woken.clear()
        self.cluster.send(event, obj)
        await self.cluster.seen()
        return list(self.woken)


@asynccontextmanager
async def watching(cluster: Live) -> AsyncIterator[World]:
    clock, metrics, woken = Clock(), Metrics(), list[str]()
    watcher = Watcher(cluster, metrics, on_change=woken.append, timing=clock.timing())
    task = asyncio.create_task(watcher.run())
    try:
        yield World(cluster, clock, metrics, watcher, woken)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A cluster that holds one store's ConfigMap, watched and synced."""
    cluster = Live({"ConfigMap": [live("ConfigMap", "mysql")]})
    async with watching(cluster) as made:
        await in_time(made.watcher.wait_synced())
        await eventually(lambda: made.watcher.fresh)
        yield made


async def test_what_was_there_wakes_its_store_and_is_in_its_view(world: World) -> None:
    assert world.woken == ["acme"]
    assert world.watcher.store_ids() == {"acme"}
    assert world.watcher.view("acme").get("ConfigMap", "mysql") is not None


@pytest.mark.parametrize("kind", STORE_KINDS)
async def test_a_change_of_any_kind_wakes_its_store_and_no_other(world: World, kind: str) -> None:
    name = "store-other" if kind == "Namespace" else "x"
    obj = live(kind, name, store="other")
    assert await world.after("ADDED", obj) == ["other"]
    assert world.watcher.view("other").get(kind, name) is not None
    assert world.watcher.view("acme").get(kind, name) is None


async def test_the_same_version_wakes_nobody(world: World) -> None:
    assert await world.after("MODIFIED", live("ConfigMap", "mysql")) == []
    assert await world.after("MODIFIED", live("ConfigMap", "mysql", version="2")) == ["acme"]


async def test_an_object_made_anew_wakes_its_store_even_at_the_same_version(world: World) -> None:
    anew = live("ConfigMap", "mysql", meta={"uid": "another"})
    assert await world.after("MODIFIED", anew) == ["acme"]


def without_label() -> Json:
    return live("ConfigMap", "x", meta={"labels": {"app": "x"}})


def in_a_foreign_namespace() -> Json:
    return live("ConfigMap", "x", meta={"namespace": "kube-system"})


def of_another_store() -> Json:
    return live("ConfigMap", "x", meta={"labels": {ID_LABEL: "other"}})


def foreign_namespace() -> Json:
    return live("Namespace", "kube-system")


@pytest.mark.parametrize(
    "make", [without_label, in_a_foreign_namespace, of_another_store, foreign_namespace]
)
async def test_what_is_not_ours_wakes_nobody(world: World, make: Callable[[], Json]) -> None:
    assert await world.after("ADDED", make()) == []
    assert world.watcher.store_ids() == {"acme"}
    assert len(world.watcher.view("acme").objects) == 1


async def test_what_stops_being_ours_leaves_the_view(world: World) -> None:
    lost = live("ConfigMap", "mysql", version="2", meta={"labels": {}})
    assert await world.after("MODIFIED", lost) == ["acme"]
    assert world.watcher.view("acme").get("ConfigMap", "mysql") is None


async def test_a_deleted_object_leaves_the_view_and_the_last_one_its_store(world: World) -> None:
    before = world.watcher.view("acme")
    assert await world.after("DELETED", live("ConfigMap", "mysql", version="2")) == ["acme"]
    assert world.watcher.view("acme").objects == {}
    assert world.watcher.store_ids() == frozenset()
    assert before.get("ConfigMap", "mysql") is not None
    assert await world.after("DELETED", live("ConfigMap", "mysql", version="3")) == []


async def test_a_class_wakes_every_store_and_does_not_change_views_that_are_out(
    world: World,
) -> None:
    await world.after("ADDED", live("ConfigMap", "mysql", store="b"))
    before = world.watcher.view("acme")
    assert await world.after("ADDED", storage_class("fast")) == ["acme", "b"]
    assert await world.after("MODIFIED", storage_class("fast")) == []
    view = world.watcher.view("acme")
    assert view.by_ref(ref("StorageClass", "fast")) is not None
    assert before.storage_class("fast") is None
    assert await world.after("DELETED", storage_class("fast")) == ["acme", "b"]
    assert world.watcher.view("acme").storage_class("fast") is None


async def test_our_objects_are_asked_for_by_label_and_classes_whole(world: World) -> None:
    asked = world.cluster.asked
    assert set(asked) == {*STORE_KINDS, *CLASS_KINDS}
    assert asked["Pod"] == (SELECTOR, False)
    assert asked["StorageClass"] == (None, False)
    assert asked["Secret"] == (SELECTOR, True)


async def test_a_secrets_data_is_not_held_even_when_a_server_sends_it(world: World) -> None:
    notes = {"kubectl.kubernetes.io/last-applied-configuration": "s3cret", "note": "kept"}
    secret = live("Secret", "store-credentials", meta={"annotations": notes}, data={"a": "s3cret"})
    await world.after("ADDED", secret)
    held = world.watcher.view("acme").get("Secret", "store-credentials")
    assert held is not None
    assert "s3cret" not in str(held)
    assert held["metadata"]["annotations"] == {"note": "kept"}
    assert ObjectRef.of(held) == ref("Secret", "store-credentials")


async def test_a_listed_object_gets_the_kind_that_lists_leave_out() -> None:
    bare = {k: v for k, v in live("Pod", "mysql-0").items() if k not in ("kind", "apiVersion")}
    async with watching(Live({"Pod": [bare], "IngressClass": [ingress_class()]})) as world:
        await in_time(world.watcher.wait_synced())
        pod = world.watcher.view("acme").get("Pod", "mysql-0")
        assert pod is not None
        assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")


async def test_synced_waits_for_every_kind() -> None:
    cluster = Live(closed={"Pod", "StorageClass"})
    async with watching(cluster) as world:
        waiter = asyncio.create_task(world.watcher.wait_synced())
        await eventually(lambda: len(cluster.asked) == len(STORE_KINDS) + len(CLASS_KINDS))
        cluster.closed.discard("Pod")
        await eventually(lambda: cluster.fetched >= {"Pod", "Namespace"})
        assert not world.watcher.synced
        assert not world.watcher.fresh
        assert not waiter.done()
        assert not world.watcher.view("acme").fresh
        cluster.closed.clear()
        await in_time(waiter)
        assert world.watcher.synced
        assert world.watcher.view("acme").fresh


async def test_a_silent_kind_is_not_trusted_and_shows_in_the_metrics(world: World) -> None:
    await eventually(lambda: not any(world.watcher.staleness().values()))
    world.clock.now += 120 + 44
    assert world.watcher.fresh
    world.clock.now += 2
    assert not world.watcher.fresh
    assert not world.watcher.view("acme").fresh
    assert world.watcher.staleness()["Pod"] == 46.0
    gauge = world.metrics.registry.get_sample_value(
        "urumi_watch_staleness_seconds", {"kind": "Pod"}
    )
    assert gauge == 46.0


async def test_a_refused_kind_is_named_with_its_problem(world: World) -> None:
    assert world.watcher.problems() == {}
    status = {"code": 403, "reason": "Forbidden", "message": "pods is forbidden"}
    world.cluster.held["Pod"] = []
    world.cluster.closed.add("Pod")
    world.cluster.queue("Pod").put_nowait(Item("ERROR", status))
    await eventually(world.watcher.problems)
    assert world.watcher.problems() == {"Pod": "pods is forbidden"}


@dataclass
class Noted:
    """An index and whom it told."""

    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index = Index(self.told.append)

    def relist(self, kind: str, *items: Json) -> list[str]:
        self.told.clear()
        self.index.replace(kind, items)
        return list(self.told)


def test_a_new_list_wakes_only_the_stores_that_it_changes() -> None:
    noted = Noted()
    a, b, c = (live("Pod", "mysql-0", store=store) for store in "abc")
    assert noted.relist("Pod", a, b, c) == ["a", "b", "c"]
    assert noted.relist("Pod", a, live("Pod", "mysql-0", store="b", version="2")) == ["b", "c"]
    assert noted.index.store_ids() == {"a", "b"}
    assert noted.relist("Pod", a, live("Pod", "mysql-0", store="b", version="2")) == []


def test_a_store_is_told_once_however_much_of_it_a_list_changes() -> None:
    assert Noted().relist("Pod", *(live("Pod", f"p-{n}") for n in range(5))) == ["acme"]


def test_a_list_of_one_kind_leaves_the_others_alone() -> None:
    noted = Noted()
    noted.relist("ConfigMap", live("ConfigMap", "x"))
    noted.relist("Pod", live("Pod", "x"))
    assert noted.relist("Pod") == ["acme"]
    assert list(noted.index.objects("acme")) == [ref("ConfigMap", "x")]


def test_a_new_list_of_classes_wakes_all_stores_only_when_it_differs() -> None:
    noted = Noted()
    noted.relist("Pod", live("Pod", "x"))
    assert noted.relist("IngressClass", ingress_class("nginx")) == ["acme"]
    assert noted.relist("IngressClass", ingress_class("nginx")) == []
    assert noted.relist("IngressClass") == ["acme"]


def test_a_namespace_belongs_to_the_store_that_it_is_named_after() -> None:
    noted = Noted()
    assert noted.relist("Namespace", live("Namespace", "store-acme")) == ["acme"]
    assert noted.relist("Namespace", live("Namespace", "store-acme", store="b")) == ["acme"]
    assert noted.index.store_ids() == frozenset()


async def test_a_bookmark_wakes_nobody(world: World) -> None:
    world.woken.clear()
    world.cluster.queue("Pod").put_nowait(bookmark("99"))
    await world.cluster.seen()
    assert world.woken == []
