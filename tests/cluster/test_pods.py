"""What the stand-in makes of a pod: its stages as pairs of input and output."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.cluster.pods import Needs, advance

Json = dict[str, Any]


def pod(image: str = "wordpress:6.9", policy: str = "Always", *init: str) -> Json:
    spec: Json = {"restartPolicy": policy, "containers": [{"name": "web", "image": image}]}
    if init:
        spec["initContainers"] = [
            {"name": n, "image": "wordpress:6.9", "args": ["woocommerce"]} for n in init
        ]
    return {"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec}


def stages(body: Json, needs: Needs | None = None, most: int = 12) -> list[Json]:
    """Return every status that the pod goes through until it stays as it is."""
    current = copy.deepcopy(body)
    seen: list[Json] = []
    for _ in range(most):
        step = advance(current, needs or Needs())
        if step.status == current.get("status"):
            return seen
        current["status"] = step.status
        seen.append(step.status)
    return seen


def state(status: Json, which: str = "containerStatuses") -> Json:
    found: Json = status[which][0]["state"]
    return found


def is_ready(status: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])


def test_a_pod_becomes_ready_only_after_it_runs() -> None:
    seen = stages(pod())
    assert not is_ready(seen[0]) and "running" in state(seen[-1])
    assert seen[-1]["phase"] == "Running" and is_ready(seen[-1])


def test_init_containers_come_in_order_and_setup_says_what_it_did() -> None:
    seen = stages(pod("wordpress:6.9", "Always", "prepare", "setup"))
    last = seen[-1]
    assert is_ready(last)
    assert [e["state"]["terminated"]["exitCode"] for e in last["initContainerStatuses"]] == [0, 0]
    said = json.loads(last["initContainerStatuses"][1]["state"]["terminated"]["message"])
    assert said["wordpress"] == "6.9" and said["woocommerce"] is True
    for status in seen:
        first, second = status["initContainerStatuses"]
        assert "running" not in second["state"] or "terminated" in first["state"]


@pytest.mark.parametrize("image", ["wordpress:missing", "registry.invalid/none/such:1"])
def test_a_missing_image(image: str) -> None:
    seen = stages(pod(image))
    reasons = [state(s)["waiting"]["reason"] for s in seen]
    assert reasons[-2:] == ["ErrImagePull", "ImagePullBackOff"]
    assert seen[-1]["phase"] == "Pending" and image in state(seen[-1])["waiting"]["message"]


@pytest.mark.parametrize(
    ("tag", "code", "reason"), [("crash", 1, "Error"), ("oom", 137, "OOMKilled")]
)
def test_a_container_that_ends_badly_again_and_again(tag: str, code: int, reason: str) -> None:
    seen = stages(pod(f"wordpress:{tag}"))
    crashed = next(
        s for s in seen if state(s).get("waiting", {}).get("reason", "").startswith("Cr")
    )
    assert state(crashed)["waiting"]["reason"] == "CrashLoopBackOff"
    (entry,) = crashed["containerStatuses"]
    ended = entry["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)
    assert entry["restartCount"] == 1
    assert max(s["containerStatuses"][0]["restartCount"] for s in seen) > 1, "it tries again"


def test_a_pod_of_a_job_succeeds() -> None:
    assert stages(pod(policy="Never"))[-1]["phase"] == "Succeeded"
    assert stages(pod("busybox:crash", "Never"))[-1]["phase"] == "Failed"


def test_what_is_missing_is_waited_for() -> None:
    mount = stages(pod(), Needs(mount='secret "s" not found'))[-1]
    assert "podIP" not in mount and "waiting" in state(mount)
    config = stages(pod(), Needs(environment={"web": 'secret "s" not found'}))[-1]
    waiting = state(config)["waiting"]
    assert waiting == {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}
