"""What failed containers said is read with the store's passwords covered, or not at all."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import pytest

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterUnreachable, ObjectNotFound
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.reconciler.masking import MASK, legible
from orchestrator.watcher import StoreView
from orchestrator.watcher.health import assess, container_states

PASSWORD = "correct-horse-battery"
SAID = f"PHP Fatal error: connect('{PASSWORD}') refused"


class FakeCluster:
    """It has the store's Secret, or not, and counts who reads it."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.read = 0

    async def get(self, ref: ObjectRef) -> Json:
        assert str(ref) == "Secret/store-a/store-credentials"
        self.read += 1
        if self.fault is not None:
            raise self.fault
        return {"data": {"database-password": base64.b64encode(PASSWORD.encode()).decode()}}


def pod(**state: Any) -> Json:
    status = {"name": "mysql", "ready": False, "restartCount": 3, **state}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "mysql-0", "namespace": "store-a"},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def ended(code: int, message: str = SAID) -> Json:
    return {"terminated": {"exitCode": code, "reason": "Error", "message": message}}


BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
STATES = [
    {"state": ended(1)},
    {"state": BACK_OFF, "lastState": ended(255)},
    {"state": {"running": {}}, "lastState": ended(1)},
]


async def told(cluster: FakeCluster, state: Json) -> str:
    """Return all that is said of the pod, with health and evidence judged from it."""
    view = await legible(cast(Cluster, cluster), StoreView.of("a", [pod(**state)]))
    health = assess(ObjectRef("Pod", "store-a", "mysql-0"), view)
    return json.dumps([health.message, container_states(view)], ensure_ascii=False)


@pytest.mark.parametrize("state", STATES)
async def test_the_password_in_last_words_is_covered(state: Json) -> None:
    said = await told(FakeCluster(), state)
    assert PASSWORD not in said
    assert f"connect('{MASK}') refused" in said


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "fault", [ObjectNotFound(404, "NotFound", "it is gone"), ClusterUnreachable("refused")]
)
async def test_without_the_secret_last_words_are_left_out(state: Json, fault: Exception) -> None:
    said = await told(FakeCluster(fault), state)
    assert "PHP Fatal" not in said
    assert '"exitCode": 1' in said or '"exitCode": 255' in said


@pytest.mark.parametrize(
    "state",
    [
        {"state": {"running": {}}, "ready": True},
        {"state": ended(0, '{"orderId": 12}')},
        {"state": ended(1, "")},
        {"state": BACK_OFF},
    ],
)
async def test_nobody_reads_the_secret_where_nothing_was_said_in_failing(state: Json) -> None:
    cluster = FakeCluster()
    view = StoreView.of("a", [pod(**state)])
    assert await legible(cast(Cluster, cluster), view) is view
    assert cluster.read == 0
