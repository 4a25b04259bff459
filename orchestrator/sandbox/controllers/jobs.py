"""Jobs: pods that run to their end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import (
    deleting,
    find_condition,
    finished,
    is_ready,
    name_of,
    now,
    pod_from,
    seconds_since,
    set_condition,
    to_owner,
)
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.recorder import Recorder
from orchestrator.sandbox.registry import ApiError
from orchestrator.sandbox.values import Json, clone

_COMPONENT: Final = "job-controller"
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_RETRY: Final = 5.0


class Jobs:
    """Runs Jobs."""

    def __init__(self, access: Access, recorder: Recorder) -> None:
        self._access = access
        self._recorder = recorder

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Jobs and their pods."""
        return {"Job": itself, "Pod": to_owner("Job")}

    def reconcile(self, key: Key) -> float | None:
        """Start what is missing, or say that it is over."""
        job = self._access.get("Job", *key)
        if job is None or deleting(job):
            return None
        status = clone(job.get("status") or {})
        if ended(job):
            return self._expire(job)
        if job["spec"].get("suspend"):
            self._suspend(job, status)
            return None
        status.setdefault("startTime", now())
        pods = self._access.owned("Pod", job)
        succeeded = sum(p.get("status", {}).get("phase") == "Succeeded" for p in pods)
        failed = sum(p.get("status", {}).get("phase") == "Failed" for p in pods)
        running = [p for p in pods if not finished(p) and not deleting(p)]
        wanted = job["spec"].get("completions") or 1
        refused = False
        limit = job["spec"].get("activeDeadlineSeconds")
        left = limit - seconds_since(status["startTime"]) if limit else None
        if succeeded >= wanted:
            self._end(
                job,
                status,
                "Complete",
                ("CompletionsReached", "Reached expected number of succeeded pods"),
            )
        elif failed > job["spec"].get("backoffLimit", 6):
            words = "Job has reached the specified backoff limit"
            self._give_up(job, status, running, ("BackoffLimitExceeded", words))
        elif left is not None and left <= 0:
            words = "Job was active longer than specified deadline"
            self._give_up(job, status, running, ("DeadlineExceeded", words))
        else:
            missing = min(job["spec"].get("parallelism", 1), wanted - succeeded) - len(running)
            refused = not all([self._create(job) for _ in range(max(0, missing))])
        self._count(job, status)
        self._access.set_status(job, status)
        return _RETRY if refused else left

    def _count(self, job: Json, status: Json) -> None:
        pods = self._access.owned("Pod", job)
        running = [p for p in pods if not finished(p) and not deleting(p)]
        phases = [p.get("status", {}).get("phase") for p in pods]
        counts = {
            "active": len(running) if not find_condition(status, "Failed") else 0,
            "succeeded": phases.count("Succeeded"),
            "failed": phases.count("Failed"),
        }
        for name, count in counts.items():
            status.pop(name, None)
            if count:
                status[name] = count
        status["ready"] = sum(is_ready(p) for p in running)
        status["terminating"] = sum(deleting(p) and not finished(p) for p in pods)
        status["uncountedTerminatedPods"] = {}

    def _create(self, job: Json) -> bool:
        labels = {
            "batch.kubernetes.io/controller-uid": job["metadata"]["uid"],
            "batch.kubernetes.io/job-name": name_of(job),
            "controller-uid": job["metadata"]["uid"],
            "job-name": name_of(job),
        }
        pod = pod_from(job["spec"]["template"], job, labels)
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(5))
        pod["metadata"]["name"] = f"{name_of(job)[:57]}-{suffix}"
        pod["metadata"]["generateName"] = f"{name_of(job)}-"
        try:
            made = self._access.create(pod)
        except ApiError as error:
            words = f"Error creating: {error.message}"
            self._recorder.warning(job, _COMPONENT, "FailedCreate", words)
            return False
        self._recorder.normal(job, _COMPONENT, "SuccessfulCreate", f"Created pod: {name_of(made)}")
        return True

    def _end(self, job: Json, status: Json, kind: str, why: tuple[str, str]) -> None:
        condition = {"status": "True", "reason": why[0], "message": why[1], "lastProbeTime": now()}
        before = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        set_condition(status, {"type": before} | condition)
        set_condition(status, {"type": kind} | condition)
        if kind == "Complete":
            status["completionTime"] = now()
            self._recorder.normal(job, _COMPONENT, "Completed", "Job completed")
        else:
            self._recorder.warning(job, _COMPONENT, why[0], why[1])

    def _give_up(self, job: Json, status: Json, running: list[Json], why: tuple[str, str]) -> None:
        for pod in running:
            self._access.delete(pod)
        self._end(job, status, "Failed", why)

    def _suspend(self, job: Json, status: Json) -> None:
        for pod in self._access.owned("Pod", job):
            if not finished(pod):
                self._access.delete(pod)
        status.pop("startTime", None)
        condition = {"type": "Suspended", "status": "True", "reason": "JobSuspended"}
        set_condition(status, condition | {"message": "Job suspended"})
        self._access.set_status(job, status)

    def _expire(self, job: Json) -> float | None:
        lifetime = job["spec"].get("ttlSecondsAfterFinished")
        if lifetime is None:
            return None
        conditions = job["status"]["conditions"]
        over = next(c for c in conditions if c["type"] in ("Complete", "Failed"))
        left = float(lifetime - seconds_since(over["lastTransitionTime"]))
        if left > 0:
            return left
        self._access.delete(job)
        return None


def ended(job: Json) -> bool:
    """Say whether the Job is over."""
    status = job.get("status") or {}
    found = (find_condition(status, kind) for kind in ("Complete", "Failed"))
    return any(c is not None and c["status"] == "True" for c in found)
