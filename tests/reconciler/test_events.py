"""What Kubernetes tells of a store's objects: of whom, how often, and with no password in it."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterUnreachable, ObjectNotFound
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import UID_ANNOTATION
from orchestrator.model.store import Store
from orchestrator.model.timeline import ObjectEvent, Severity
from orchestrator.reconciler import Events, events
from orchestrator.reconciler.masking import WITHHELD
from orchestrator.watcher import StoreView, Watcher

Clock = Callable[[], float]
PASSWORD = "correct-horse-battery"
DEPLOYMENT = ObjectRef("Deployment", "store-a", "wordpress")
CRON = ObjectRef("CronJob", "store-a", "wp-cron")
DATABASE = ObjectRef("StatefulSet", "store-a", "mysql")
CLAIM = ObjectRef("PersistentVolumeClaim", "store-a", "mysql-data")
REFS = [ObjectRef("Namespace", "", "store-a"), DEPLOYMENT, CRON, DATABASE, CLAIM]


class FakeCluster:
    """It holds events and a Secret, or raises, or keeps silent."""

    def __init__(
        self,
        *held: Json,
        fault: Exception | None = None,
        silent: bool = False,
        secret: bool = True,
    ) -> None:
        self.held = held
        self.fault = fault
        self.silent = silent
        self.secret = secret
        self.secrets_read = 0
        self.asked = 0

    async def events(self, namespace: str) -> list[Json]:
        assert namespace == "store-a"
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        return list(self.held)

    async def get(self, ref: ObjectRef) -> Json:
        assert ref.kind == "Secret"
        self.secrets_read += 1
        if not self.secret:
            raise ObjectNotFound(404, "NotFound", "it is gone")
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


STORE = cast(Store, type("S", (), {"id": "a", "uid": "u", "namespace": "store-a"}))


def events_of(cluster: FakeCluster, uid: str = "u", clock: Clock = time.monotonic) -> Events:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "store-a", "annotations": {UID_ANNOTATION: uid}},
    }

    class Seen:
        def view(self, store_id: str) -> StoreView:
            return StoreView.of(store_id, [namespace] if uid else [])

    return Events(cast(Cluster, cluster), cast(Watcher, Seen()), clock)


async def told(cluster: FakeCluster, *, uid: str = "u") -> dict[ObjectRef, list[ObjectEvent]]:
    found = await events_of(cluster, uid).of(STORE, REFS)
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


async def test_what_is_told_of_a_container_names_it() -> None:
    held = []
    for path in ("spec.initContainers{prepare}", "spec.containers{wordpress}", "spec.odd{x"):
        said = event("Pod/wordpress-5d9c", "Container started")
        said["involvedObject"]["fieldPath"] = path
        held.append(said)
    found = await told(FakeCluster(*held))
    assert {e.object for e in found[DEPLOYMENT]} == {
        "Pod/wordpress-5d9c (prepare)",
        "Pod/wordpress-5d9c (wordpress)",
        "Pod/wordpress-5d9c",
    }


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
        event("Pod/mysql-0", said, metadata={"resourceVersion": version}, lastTimestamp=when)
        for said, version, when in (
            ("second", "98", "2026-11-29T12:00:00Z"),
            ("third", "101", "2026-11-29T12:00:00Z"),
            ("first", "97", "2026-11-29T12:00:00.620917Z"),
        )
    ]
    found = await told(FakeCluster(*held))
    assert [e.message for e in found[DATABASE]] == ["third", "second", "first"]


async def test_of_thousands_of_events_the_newest_are_told() -> None:
    noise = [event("Pod/mysql-0", f"number {n}", n % 60) for n in range(3000)]
    found = await told(FakeCluster(event("StatefulSet/mysql", "The end", 59), *noise))
    assert len(found[DATABASE]) == events.MOST
    assert {e.time.second for e in found[DATABASE]} == {59}


async def test_no_password_is_told() -> None:
    cluster = FakeCluster(event("Pod/mysql-0", f"Probe failed: {PASSWORD} is wrong\n"))
    (said,) = (await told(cluster))[DATABASE]
    assert said.message == "Probe failed: ••• is wrong"
    quiet = FakeCluster()
    assert await told(quiet) == {}
    assert quiet.secrets_read == 0, "nothing to mask"


async def test_without_the_secret_nothing_that_a_pod_printed_is_told() -> None:
    """What was printed outlives the Secret, and then nobody knows what to mask."""
    printed = event("Pod/mysql-0", f"Probe failed: {PASSWORD}")
    other = event("PersistentVolumeClaim/mysql-data", "Waiting for a volume")
    found = await told(FakeCluster(printed, other, secret=False))
    assert [e.message for e in found[DATABASE]] == [WITHHELD]
    assert [e.message for e in found[CLAIM]] == ["Waiting for a volume"]


@pytest.mark.parametrize("uid", ["", "another"])
async def test_the_events_of_another_namespace_are_not_for_the_store(uid: str) -> None:
    assert await told(FakeCluster(event("Pod/mysql-0")), uid=uid) == {}


async def test_a_cluster_that_is_away_or_slow_costs_the_events_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "PATIENCE", 0.01)
    assert await told(FakeCluster(fault=ClusterUnreachable("refused"))) == {}
    assert await told(FakeCluster(silent=True)) == {}


async def test_who_did_not_answer_is_not_waited_for_again_at_once() -> None:
    now = 100.0
    cluster = FakeCluster(event("Pod/mysql-0"), fault=ClusterUnreachable("refused"))
    asking = events_of(cluster, clock=lambda: now)
    assert await asking.of(STORE, REFS) == {}
    cluster.fault = None
    assert await asking.of(STORE, REFS) == {} and cluster.asked == 1
    now += events.PAUSE
    assert DATABASE in await asking.of(STORE, REFS)
