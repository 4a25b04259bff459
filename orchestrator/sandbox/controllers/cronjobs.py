"""CronJobs: Jobs at the minutes that a schedule names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.common import (
    deleting,
    find_condition,
    name_of,
    owner_reference,
    parse_time,
    space_of,
    to_owner,
)
from orchestrator.sandbox.controllers.cronspec import Schedule, ScheduleError
from orchestrator.sandbox.controllers.engine import Key, Mapper, itself
from orchestrator.sandbox.controllers.jobs import ended
from orchestrator.sandbox.controllers.recorder import Recorder
from orchestrator.sandbox.values import Json, clone

_COMPONENT: Final = "cronjob-controller"
_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


class CronJobs:
    """Starts Jobs when their time has come."""

    def __init__(self, access: Access, recorder: Recorder) -> None:
        self._access = access
        self._recorder = recorder

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """CronJobs and their Jobs."""
        return {"CronJob": itself, "Job": to_owner("CronJob")}

    def reconcile(self, key: Key) -> float | None:
        """Start the Job that is due; returns the seconds until the next."""
        cron = self._access.get("CronJob", *key)
        if cron is None or deleting(cron):
            return None
        jobs = self._access.owned("Job", cron)
        status = clone(cron.get("status") or {})
        self._tidy(cron, jobs)
        wait = None
        if not cron["spec"].get("suspend"):
            wait = self._start(cron, status, [j for j in jobs if not ended(j)])
        running = [j for j in self._access.owned("Job", cron) if not ended(j) and not deleting(j)]
        status.pop("active", None)
        if running:
            status["active"] = [_reference(j) for j in running]
        done = [
            j["status"]["completionTime"] for j in jobs if j.get("status", {}).get("completionTime")
        ]
        if done:
            status["lastSuccessfulTime"] = max([*done, status.get("lastSuccessfulTime", "")])
        self._access.set_status(cron, status)
        return wait

    def _start(self, cron: Json, status: Json, running: list[Json]) -> float | None:
        try:
            schedule = Schedule.parse(cron["spec"]["schedule"])
            zone = _zone(cron["spec"].get("timeZone"))
        except (ScheduleError, ZoneInfoNotFoundError) as error:
            words = f"unparseable schedule: {error}"
            self._recorder.warning_once(cron, _COMPONENT, "UnparseableSchedule", words)
            return None
        moment = datetime.now(zone)
        since = parse_time(status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"])
        due = schedule.latest(since.astimezone(zone), moment)
        if due is not None and self._allowed(cron, due, moment, running):
            self._create(cron, due.astimezone(UTC))
            status["lastScheduleTime"] = due.astimezone(UTC).strftime(_FORMAT)
        following = schedule.after(moment)
        return (following - moment).total_seconds() if following else None

    def _allowed(self, cron: Json, due: datetime, moment: datetime, running: list[Json]) -> bool:
        limit = cron["spec"].get("startingDeadlineSeconds")
        late = (moment - due).total_seconds()
        if limit is not None and late > limit:
            return False
        policy = cron["spec"].get("concurrencyPolicy", "Allow")
        if running and policy == "Forbid":
            words = (
                "Not starting job because prior execution is running and concurrency policy is "
                "Forbid"
            )
            self._recorder.normal_once(cron, _COMPONENT, "JobAlreadyActive", words)
            return False
        if policy == "Replace":
            for job in running:
                self._access.delete(job)
        return True

    def _create(self, cron: Json, due: datetime) -> None:
        template = cron["spec"]["jobTemplate"]
        meta = template.get("metadata") or {}
        name = f"{name_of(cron)[:52]}-{int(due.timestamp() // 60)}"
        stamp = {"batch.kubernetes.io/cronjob-scheduled-timestamp": due.strftime(_FORMAT)}
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": name,
                "namespace": space_of(cron),
                "labels": dict(meta.get("labels") or {}),
                "annotations": dict(meta.get("annotations") or {}) | stamp,
                "ownerReferences": [owner_reference(cron)],
            },
            "spec": clone(template["spec"]),
        }
        if self._access.get("Job", space_of(cron), name) is None:
            self._access.create(job)
            self._recorder.normal(cron, _COMPONENT, "SuccessfulCreate", f"Created job {name}")

    def _tidy(self, cron: Json, jobs: list[Json]) -> None:
        """Keep only as many ended Jobs as asked for."""
        limits = (
            ("Complete", "successfulJobsHistoryLimit", 3),
            ("Failed", "failedJobsHistoryLimit", 1),
        )
        for kind, field, default in limits:
            over = [j for j in jobs if ended(j) and find_condition(j["status"], kind)]
            over.sort(key=lambda j: str(j["metadata"]["creationTimestamp"]))
            keep = cron["spec"].get(field, default)
            for job in over[: max(0, len(over) - keep)]:
                self._access.delete(job)


def _zone(name: str | None) -> tzinfo:
    return ZoneInfo(name) if name else UTC


def _reference(job: Json) -> Json:
    return {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "namespace": space_of(job),
        "name": name_of(job),
        "uid": job["metadata"]["uid"],
        "resourceVersion": job["metadata"]["resourceVersion"],
    }
