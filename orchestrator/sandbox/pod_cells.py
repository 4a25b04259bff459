"""The row of a Pod: the one table whose cells need thought (``printPod``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.sandbox.times import age, since
from orchestrator.sandbox.values import Json

_NONE = "<none>"


@dataclass
class _Summary:
    reason: str
    ready: int = 0
    restarts: int = 0
    last_restart: str = ""

    def count(self, status: Json) -> None:
        self.restarts += status.get("restartCount", 0)
        ended = (status.get("lastState") or {}).get("terminated") or {}
        self.last_restart = max(self.last_restart, ended.get("finishedAt") or "")


def pod_cells(pod: Json) -> list[Any]:
    """Return the cells of a Pod's row."""
    spec, status, meta = pod["spec"], pod.get("status", {}), pod["metadata"]
    found = _Summary(status.get("reason") or status.get("phase", ""))
    if not _initializing(pod, found):
        found.restarts, found.last_restart = 0, ""
        _containers(status, found)
    if "deletionTimestamp" in meta and status.get("phase") not in ("Succeeded", "Failed"):
        found.reason = "Terminating"
    restarts = str(found.restarts)
    if found.restarts and found.last_restart:
        restarts += f" ({since(found.last_restart)} ago)"
    ready = f"{found.ready}/{len(spec.get('containers') or [])}"
    addresses = status.get("podIPs") or [{}]
    wide = [
        addresses[0].get("ip") or status.get("podIP") or _NONE,
        spec.get("nodeName") or _NONE,
        status.get("nominatedNodeName") or _NONE,
        _NONE,
    ]
    return [meta["name"], ready, found.reason, restarts, age(pod), *wide]


def _initializing(pod: Json, found: _Summary) -> bool:
    """Say whether an init container is still to finish; notes which and how."""
    total = len(pod["spec"].get("initContainers") or [])
    for number, container in enumerate(pod["status"].get("initContainerStatuses") or []):
        found.count(container)
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if ended is not None:
            found.reason = f"Init:{_end(ended)}"
        elif waiting.get("reason") not in (None, "", "PodInitializing"):
            found.reason = f"Init:{waiting['reason']}"
        else:
            found.reason = f"Init:{number}/{total}"
        return True
    return False


def _end(ended: Json) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    signal = ended.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"


def _containers(status: Json, found: _Summary) -> None:
    running, failed = False, ""
    for container in reversed(status.get("containerStatuses") or []):
        found.count(container)
        state = container.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            found.reason = waiting["reason"]
        elif ended is not None:
            found.reason = _end(ended)
            failed = found.reason if ended.get("exitCode") else failed
        elif container.get("ready") and "running" in state:
            running = True
            found.ready += 1
    if found.reason == "Completed":
        ready = any(
            c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or []
        )
        if running and ready:
            found.reason = "Running"
        elif failed or running:
            found.reason = failed or "NotReady"
