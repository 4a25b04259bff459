"""The STATUS column of ``kubectl get pods``."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.sandbox.pod_cells import pod_cells
from orchestrator.sandbox.times import human

Json = dict[str, Any]


def pod(phase: str, containers: list[Json], inits: list[Json] | None = None, **meta: Any) -> Json:
    status = {"phase": phase, "containerStatuses": containers, "initContainerStatuses": inits or []}
    spec = {
        "containers": [{"name": c["name"]} for c in containers],
        "initContainers": [{"name": c["name"]} for c in inits or []],
    }
    return {
        "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"} | meta,
        "spec": spec,
        "status": status,
    }


def container(state: str, *, ready: bool = False, restarts: int = 0, **fields: Any) -> Json:
    return {"name": "c", "state": {state: fields}, "ready": ready, "restartCount": restarts}


@pytest.mark.parametrize(
    ("found", "ready", "status"),
    [
        (pod("Pending", [container("waiting", reason="ContainerCreating")]), "0/1",
         "ContainerCreating"),
        (pod("Running", [container("running", ready=True)]), "1/1", "Running"),
        (pod("Running", [container("waiting", reason="CrashLoopBackOff", restarts=3)]), "0/1",
         "CrashLoopBackOff"),
        (pod("Succeeded", [container("terminated", exitCode=0, reason="Completed")]), "0/1",
         "Completed"),
        (pod("Failed", [container("terminated", exitCode=3)]), "0/1", "ExitCode:3"),
        (pod("Pending", [container("waiting", reason="PodInitializing")],
             [container("running")]), "0/1", "Init:0/1"),
        (pod("Pending", [container("waiting", reason="PodInitializing")],
             [container("waiting", reason="CrashLoopBackOff")]), "0/1", "Init:CrashLoopBackOff"),
        (pod("Pending", [container("waiting", reason="PodInitializing")],
             [container("terminated", exitCode=1, reason="Error")]), "0/1", "Init:Error"),
        (pod("Running", [container("running", ready=True)],
             deletionTimestamp="2026-01-01T00:00:00Z"), "1/1", "Terminating"),
    ],
)  # fmt: skip
def test_the_row(found: Json, ready: str, status: str) -> None:
    assert pod_cells(found)[1:3] == [ready, status]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (3600, "60m"),
        (3 * 3600 + 60, "3h1m"),
        (30 * 3600, "30h"),
        (3 * 86400 + 7200, "3d2h"),
        (400 * 86400, "400d"),
        (3 * 365 * 86400, "3y"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert human(seconds) == text
