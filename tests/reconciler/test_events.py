"""What Kubernetes tells of a store's objects: of whom, how often, and with no password in it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, cast

import pytest

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterUnreachable
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import UID_ANNOTATION
from orchestrator.model.store import Store
from orchestrator.model.timeline import ObjectEvent, Severity
from orchestrator.reconciler import Events, events
from orchestrator.watcher import StoreView, Watcher

PASSWORD = "correct-horse-battery"
DEPLOYMENT = ObjectRef("Deployment", "store-a", "wordpress")
CRON = ObjectRef("CronJob", "store-a", "wp-cron")
DATABASE = ObjectRef("StatefulSet", "store-a", "mysql")
CLAIM = ObjectRef("PersistentVolumeClaim", "store-a", "mysql-data")
REFS = [ObjectRef("Namespace", "", "store-a"), DEPLOYMENT, CRON, DATABASE, CLAIM]


class FakeCluster:
    """It holds events and a Secret, or raises, or keeps silent."""

    def __init__(self, *held: Json, fault: Exception | None = None, silent: bool = False) -> None:
        self.held = held
        self.fault = fault
        self.silent = silent
        self.secrets_read = 0

    async def events(self, namespace: str) -> list[Json]:
        assert namespace == "store-a"
        if self.silent:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        return list(self.held)

    async def get(self, ref: ObjectRef) -> Json:
        assert ref.kind == "Secret"
        self.secrets_read += 1
        return {"data": {"database-password": base64.b64encode(PASSWORD.encode()).decode()}}


def event(about: str, message: str = "It happened", at: int = 0, **more: Any) -> Json:
    kind, _, name = about.partition("/")
    return {
        "involvedObject": {"kind": kind, "name": name},
        "type": "Warning",
        "reason": "Happened",
        "message": message,
        "lastTimestamp": f"2026-11-29T12:00:{at:02}Z",
        **more,
    }


async def told(cluster: FakeCluster, *, uid: str = "u") -> dict[ObjectRef, list[ObjectEvent]]:
    annotations = {UID_ANNOTATION: uid}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "store-a", "annotations": annotations},
    }

    class Seen:
        def view(self, store_id: str) -> StoreView:
            return StoreView.of(store_id, [namespace] if uid else [])

    store = cast(Store, type("S", (), {"id": "a", "uid": "u", "namespace": "store-a"}))
    found = await Events(cast(Cluster, cluster), cast(Watcher, Seen())).of(store, REFS)
    return {ref: list(events) for ref, events in found.items()}


@pytest.mark.parametrize(
    ("about", "ref", "of"),
    [
        ("Deployment/wordpress", DEPLOYMENT, None),
        ("ReplicaSet/wordpress-5d9c", DEPLOYMENT, "ReplicaSet/wordpress-5d9c"),
        ("Pod/wordpress-5d9c-x7x7x", DEPLOYMENT, "Pod/wordpress-5d9c-x7x7x"),
        ("Pod/wp-cron-29400-abc", CRON, "Pod/wp-cron-29400-abc"),
        ("Job/wp-cron-29400", CRON, "Job/wp-cron-29400"),
        ("Pod/mysql-0", DATABASE, "Pod/mysql-0"),
        ("PersistentVolumeClaim/mysql-data", CLAIM, None),
    ],
)
async def test_an_event_belongs_to_the_object_or_its_maker(
    about: str, ref: ObjectRef, of: str | None
) -> None:
    assert {r: e.object for r, (e,) in (await told(FakeCluster(event(about)))).items()} == {ref: of}


async def test_events_of_what_is_no_part_of_the_store_are_left_out() -> None:
    strange = ["Pod/else-1", "ReplicaSet/mysql-1", "Pod/mysqlx", "Namespace/store-a", "/", ""]
    held = [event(about) for about in strange]
    no_time = event("Pod/mysql-0", lastTimestamp="soon")
    assert await told(FakeCluster(*held, no_time, {}, {"involvedObject": 3})) == {}


async def test_equal_events_are_one_and_the_newest_come_first() -> None:
    found = await told(
        FakeCluster(
            event("Pod/mysql-0", at=3, count=2),
            event("Pod/mysql-0", at=9, series={"count": 4, "lastObservedTime": None}),
            event("Pod/mysql-0", "Another", at=5, type="Normal"),
            event("StatefulSet/mysql", at=1),
        )
    )
    assert [(e.message, e.count, e.severity, e.object, e.time.second) for e in found[DATABASE]] == [
        ("It happened", 6, Severity.WARNING, "Pod/mysql-0", 9),
        ("Another", 1, Severity.INFO, "Pod/mysql-0", 5),
        ("It happened", 1, Severity.WARNING, None, 1),
    ]


async def test_within_a_second_the_later_one_comes_first() -> None:
    held = [
        event("Pod/mysql-0", said, metadata={"name": f"mysql-0.18a3{place}"}, lastTimestamp=time)
        for said, place, time in (
            ("second", "b", "2026-11-29T12:00:00Z"),
            ("third", "c", "2026-11-29T12:00:00Z"),
            ("first", "9", "2026-11-29T12:00:00.620917Z"),
        )
    ]
    found = await told(FakeCluster(*held))
    assert [e.message for e in found[DATABASE]] == ["third", "second", "first"]


async def test_no_password_is_told() -> None:
    cluster = FakeCluster(event("Pod/mysql-0", f"Probe failed: {PASSWORD} is wrong\n"))
    (said,) = (await told(cluster))[DATABASE]
    assert said.message == "Probe failed: ••• is wrong"
    quiet = FakeCluster()
    assert await told(quiet) == {}
    assert quiet.secrets_read == 0, "nothing to mask"


@pytest.mark.parametrize("uid", ["", "another"])
async def test_the_events_of_another_namespace_are_not_for_the_store(uid: str) -> None:
    assert await told(FakeCluster(event("Pod/mysql-0")), uid=uid) == {}


async def test_a_cluster_that_is_away_or_slow_costs_the_events_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "PATIENCE", 0.01)
    assert await told(FakeCluster(fault=ClusterUnreachable("refused"))) == {}
    assert await told(FakeCluster(silent=True)) == {}
