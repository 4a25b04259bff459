"""Pods: the scheduler and the kubelet of the one simulated node.

A pod's status is all there is to know of it: what comes next follows from it, so a restart goes on
where the last write left it. Nothing runs; delays stand for the work.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from orchestrator.sandbox.controllers import needs, pace
from orchestrator.sandbox.controllers.access import KUBELET, SCHEDULER, Access
from orchestrator.sandbox.controllers.bootstrap import ADDRESS
from orchestrator.sandbox.controllers.common import (
    deleting,
    finished,
    name_of,
    now,
    set_condition,
    space_of,
)
from orchestrator.sandbox.controllers.container import Container, Context, Wait, new_entry
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.pace import Pace
from orchestrator.sandbox.controllers.recorder import NODE, Recorder
from orchestrator.sandbox.values import Json, clone

_WAITERS: Final = ("PersistentVolumeClaim", "Secret", "ConfigMap", "EndpointSlice")


class Pods:
    """Brings pods from Pending to Running and away."""

    def __init__(self, access: Access, pace: Pace, recorder: Recorder) -> None:
        self._access = access
        self._pace = pace
        self._recorder = recorder
        self._context = Context(access, pace, recorder, set())

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Pods, and what those that do not run yet may wait for."""
        waits: dict[str, Mapper] = dict.fromkeys(_WAITERS, self._waiting)
        anywhere: dict[str, Mapper] = dict.fromkeys(("StorageClass", "Node"), self._waiting)
        return {"Pod": itself} | waits | anywhere

    def _waiting(self, obj: Json) -> Iterable[Key]:
        """Map to the pods that do not run yet: in the object's namespace, or everywhere."""
        for pod in self._access.items("Pod", space_of(obj) or None):
            if pod.get("status", {}).get("phase") == "Pending":
                yield space_of(pod), name_of(pod)

    def reconcile(self, key: Key) -> float | None:
        """Do the next thing in the pod's life."""
        pod = self._access.get("Pod", *key)
        if pod is None:
            return None
        if deleting(pod):
            return self._end(pod)
        if finished(pod):
            self._pace.forget(pod["metadata"]["uid"])
            return None
        if not pod["spec"].get("nodeName"):
            return self._schedule(pod)
        return self._run(pod)

    # The scheduler

    def _schedule(self, pod: Json) -> float | None:
        left = self._pace.remaining(pod["metadata"]["uid"], "schedule", pace.SCHEDULE)
        if left:
            return left
        problem = needs.unschedulable(pod, self._access)
        if problem:
            self._refuse(pod, problem)
            return None
        unbound = needs.unbound_claims(pod, self._access)
        if not unbound:
            self._bind(pod)
        for claim in unbound:
            self._access.annotate(claim, {needs.SELECTED_NODE: NODE}, SCHEDULER)
        return None

    def _refuse(self, pod: Json, problem: str) -> None:
        status = clone(pod.get("status") or {})
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        set_condition(status, condition | {"message": problem, "lastProbeTime": None})
        if status != pod.get("status"):
            self._recorder.warning(pod, "default-scheduler", "FailedScheduling", problem)
            self._access.set_status(pod, status, SCHEDULER)

    def _bind(self, pod: Json) -> None:
        bound = clone(pod)
        bound["spec"]["nodeName"] = NODE
        status = bound.setdefault("status", {})
        status["conditions"] = [
            c for c in status.get("conditions") or () if c["type"] != "PodScheduled"
        ]
        set_condition(status, {"type": "PodScheduled", "status": "True", "lastProbeTime": None})
        self._access.update(bound, SCHEDULER, "binding")
        words = f"Successfully assigned {space_of(pod)}/{name_of(pod)} to {NODE}"
        self._recorder.normal(pod, "default-scheduler", "Scheduled", words)

    # The kubelet

    def _run(self, pod: Json) -> float | None:
        status = clone(pod.get("status") or {})
        self._accept(pod, status)
        waits = self._advance(pod, status)
        _phase(pod, status)
        _conditions(pod, status)
        self._access.set_status(pod, status, KUBELET)
        times = [w.seconds for w in waits if w.seconds is not None]
        return min(times, default=None)

    def _accept(self, pod: Json, status: Json) -> None:
        spec = pod["spec"]
        reason = "PodInitializing" if spec.get("initContainers") else "ContainerCreating"
        if not status.get("startTime"):
            status |= {"phase": "Pending", "startTime": now()}
            status |= {"hostIP": ADDRESS, "hostIPs": [{"ip": ADDRESS}]}
            status.setdefault("qosClass", _quality(pod))
        if not status.get("containerStatuses"):
            status["containerStatuses"] = [new_entry(c, reason) for c in spec["containers"]]
        if spec.get("initContainers") and not status.get("initContainerStatuses"):
            entries = [new_entry(c, "PodInitializing") for c in spec["initContainers"]]
            status["initContainerStatuses"] = entries
        if "generation" in pod["metadata"]:
            status["observedGeneration"] = pod["metadata"]["generation"]

    def _advance(self, pod: Json, status: Json) -> list[Wait]:
        problem = needs.unmountable(pod, self._access)
        if problem and not status.get("podIP"):
            self._recorder.warning_once(pod, "kubelet", "FailedMount", problem)
            return []
        address = _address(pod)
        status |= {"podIP": address, "podIPs": [{"ip": address}]}
        for spec in pod["spec"].get("initContainers") or ():
            entry = _entry(status["initContainerStatuses"], spec)
            wait = Container(self._context, pod, spec, entry, init=True).advance()
            if wait is not None or not _done(spec, entry):
                return [wait] if wait is not None else []
        waits = []
        for spec in pod["spec"]["containers"]:
            entry = _entry(status["containerStatuses"], spec)
            wait = Container(self._context, pod, spec, entry, init=False).advance()
            waits += [wait] if wait is not None else []
        return waits

    # The end

    def _end(self, pod: Json) -> float | None:
        uid = pod["metadata"]["uid"]
        running = [
            entry
            for entry in pod.get("status", {}).get("containerStatuses") or ()
            if "running" in entry["state"]
        ]
        if running and pod["spec"].get("nodeName"):
            for entry in running:
                path = f"spec.containers{{{entry['name']}}}"
                words = f"Stopping container {entry['name']}"
                self._recorder.normal_once(pod, "kubelet", "Killing", words, path)
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
            left = self._pace.remaining(uid, "stop", min(grace, pace.STOP))
            if left:
                return left
        self._pace.forget(uid)
        self._access.delete(pod, grace=0)
        return None


def _entry(entries: list[Json], spec: Json) -> Json:
    found = next((e for e in entries if e["name"] == spec["name"]), None)
    if found is None:
        found = new_entry(spec, "PodInitializing")
        entries.append(found)
    return found


def _done(spec: Json, entry: Json) -> bool:
    """Say whether the next init container may start."""
    if spec.get("restartPolicy") == "Always":
        return bool(entry.get("started"))
    ended = entry["state"].get("terminated")
    return ended is not None and ended["exitCode"] == 0


def _initialized(pod: Json, status: Json) -> list[str]:
    """Return the init containers that are not done."""
    specs = pod["spec"].get("initContainers") or ()
    entries = status.get("initContainerStatuses") or []
    return [s["name"] for s in specs if not _done(s, _entry(entries, s))]


def _phase(pod: Json, status: Json) -> None:
    entries: list[Json] = status["containerStatuses"]
    policy = pod["spec"].get("restartPolicy")
    if _initialized(pod, status):
        failed = policy == "Never" and any(
            e["state"].get("terminated", {}).get("exitCode")
            for e in status.get("initContainerStatuses") or ()
        )
        status["phase"] = "Failed" if failed else "Pending"
        return
    codes = [e["state"]["terminated"]["exitCode"] for e in entries if "terminated" in e["state"]]
    if len(codes) == len(entries) and policy != "Always":
        if not any(codes):
            status["phase"] = "Succeeded"
            return
        if policy == "Never":
            status["phase"] = "Failed"
            return
    waiting = any("waiting" in e["state"] and not e["lastState"] for e in entries)
    status["phase"] = "Pending" if waiting else "Running"


def _conditions(pod: Json, status: Json) -> None:
    open_steps = _initialized(pod, status)
    unready = [e["name"] for e in status["containerStatuses"] if not e["ready"]]
    over = status["phase"] in ("Succeeded", "Failed")
    ended: Json = {"reason": "PodCompleted" if status["phase"] == "Succeeded" else "PodFailed"}
    no_init: Json = {
        "reason": "ContainersNotInitialized",
        "message": f"containers with incomplete status: [{' '.join(open_steps)}]",
    }
    no_ready: Json = {
        "reason": "ContainersNotReady",
        "message": f"containers with unready status: [{' '.join(unready)}]",
    }
    why = ended if over else no_ready
    said: tuple[tuple[str, bool, Json], ...] = (
        ("PodReadyToStartContainers", bool(status.get("podIP")) and not over, {}),
        ("Initialized", not open_steps, ended if over else no_init),
        ("Ready", not unready and not open_steps and not over, why),
        ("ContainersReady", not unready and not open_steps and not over, why),
        ("PodScheduled", True, {}),
    )
    for kind, true, reason in said:
        condition: Json = {"type": kind, "status": "True" if true else "False"}
        condition["lastProbeTime"] = None
        if "observedGeneration" in status:
            condition["observedGeneration"] = status["observedGeneration"]
        extra = reason if not true or (over and kind == "Initialized") else {}
        set_condition(status, condition | extra)
    order = [kind for kind, _, _ in said]
    status["conditions"].sort(key=lambda c: order.index(c["type"]) if c["type"] in order else 9)


def _address(pod: Json) -> str:
    number = zlib.crc32(pod["metadata"]["uid"].encode()) % (254 * 254)
    return f"10.244.{number // 254}.{number % 254 + 1}"


def _quality(pod: Json) -> str:
    every = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    asked = [c.get("resources") or {} for c in every]
    if not any(r.get("limits") or r.get("requests") for r in asked):
        return "BestEffort"
    full = all(
        {"cpu", "memory"} <= (r.get("limits") or {}).keys()
        and all((r.get("requests") or {}).get(k, v) == v for k, v in r["limits"].items())
        for r in asked
    )
    return "Guaranteed" if full else "Burstable"
