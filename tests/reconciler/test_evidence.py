"""What is kept of a failure: words of the containers that ailed, and no password."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.model.errors import ClusterUnreachable, ObjectNotFound
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.reconciler import evidence
from orchestrator.reconciler.context import Pass
from orchestrator.reconciler.masking import MASK
from orchestrator.watcher import StoreView

PASSWORD = "correct-horse-battery"
NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "store-a", "annotations": {}},
}


class FakeCluster:
    """Containers say what ``says`` holds by (container, previous); the rest cannot be read."""

    def __init__(self, says: dict[tuple[str, bool], str], *, secret: bool = True) -> None:
        self.says = says
        self.secret = secret
        self.asked: list[tuple[str, bool]] = []

    async def get(self, ref: ObjectRef) -> Json:
        if not self.secret:
            raise ClusterUnreachable("the API server is away")
        values = {"database-password": PASSWORD, "admin-username": "admin"}
        return {"data": {k: base64.b64encode(v.encode()).decode() for k, v in values.items()}}

    async def events(self, _namespace: str) -> list[Json]:
        return [{"message": f"a probe said {PASSWORD}", "involvedObject": {"kind": "Pod"}}]

    async def logs(self, _ns: str, _pod: str, container: str, *, tail: int, previous: bool) -> str:
        self.asked.append((container, previous))
        if (container, previous) not in self.says:
            raise ObjectNotFound(404, "NotFound", f"{container} has no log")
        return self.says[container, previous]


def container(name: str, state: Json, *, ready: bool, restarts: int = 0) -> Json:
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts}


def pod(*containers: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "mysql-0", "namespace": "store-a"},
        "status": {"containerStatuses": list(containers)},
    }


async def collect(cluster: FakeCluster, *containers: Json) -> Json:
    run: Any = SimpleNamespace(
        view=StoreView.of("a", [NAMESPACE, pod(*containers)]),
        store=SimpleNamespace(namespace="store-a", id="a"),
        tools=SimpleNamespace(cluster=cluster),
        observed={},
        now=datetime(2026, 11, 26, tzinfo=UTC),
    )
    return await evidence.collect(cast(Pass, run))


RUNNING = {"running": {"startedAt": "2026-11-26T00:00:00Z"}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}


async def test_who_ails_is_heard_who_is_well_or_never_ran_is_not() -> None:
    cluster = FakeCluster({("limping", False): "now\n", ("crashing", True): "before\n"})
    found = await collect(
        cluster,
        container("well", RUNNING, ready=True),
        container("limping", RUNNING, ready=False),
        container("crashing", BACK_OFF, ready=False, restarts=3),
        container("pulling", {"waiting": {"reason": "ImagePullBackOff"}}, ready=False),
    )
    assert found["logs"] == [
        {"pod": "mysql-0", "container": "limping", "previous": False, "text": "now\n"},
        {"pod": "mysql-0", "container": "crashing", "previous": True, "text": "before\n"},
    ]
    assert "note" not in found


@pytest.mark.parametrize("before", [0, 7990, 9000])
async def test_passwords_are_masked_wherever_they_stand(before: int) -> None:
    """Also where a log is cut: half a password is too much."""
    tail = "y" * (evidence.LONGEST_LOG - 10)
    says = {("mysql", False): f"{'x' * before}user admin, password {PASSWORD}{tail}"}
    found = await collect(FakeCluster(says), container("mysql", RUNNING, ready=False))
    text = json.dumps(found, ensure_ascii=False)
    assert "horse" not in text and "battery" not in text
    assert MASK in found["logs"][0]["text"] and MASK in text
    assert len(found["logs"][0]["text"]) <= evidence.LONGEST_LOG


async def test_what_cannot_be_read_is_noted() -> None:
    found = await collect(FakeCluster({}), container("mysql", RUNNING, ready=False))
    assert found["logs"] == [] and "mysql has no log" in found["note"]


async def test_without_the_secret_no_log_is_kept() -> None:
    cluster = FakeCluster({("mysql", False): PASSWORD}, secret=False)
    found = await collect(cluster, container("mysql", RUNNING, ready=False))
    assert found["logs"] == [] and cluster.asked == []
    assert "the API server is away" in found["note"]
    assert PASSWORD not in json.dumps(found), "events quote what a probe printed"
