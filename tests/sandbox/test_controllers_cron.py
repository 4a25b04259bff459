"""Cron schedules and CronJobs of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.cronjobs import CronJobs
from orchestrator.sandbox.controllers.cronspec import Schedule, ScheduleError
from orchestrator.sandbox.controllers.recorder import Recorder
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.storage import Storage

Json = dict[str, Any]
KEY = ("shop", "tick")
MONDAY = datetime(2026, 11, 23, 10, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-11-23 10:08"),
        ("*/5 * * * *", "2026-11-23 10:10"),
        ("7,37 * * * *", "2026-11-23 10:37"),
        ("7 * * * *", "2026-11-23 11:07"),
        ("0 3 * * *", "2026-11-24 03:00"),
        ("10-20/5 9 * * *", "2026-11-24 09:10"),
        ("0 0 1 * *", "2026-12-01 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 12 * * sun", "2026-11-29 12:00"),
        ("0 12 * * 7", "2026-11-29 12:00"),
        ("0 0 1 * tue", "2026-11-24 00:00"),
        ("0 0 * feb *", "2027-02-01 00:00"),
        ("@hourly", "2026-11-23 11:00"),
        ("@daily", "2026-11-24 00:00"),
    ],
)
def test_the_next_time(text: str, expected: str) -> None:
    found = Schedule.parse(text).after(MONDAY)
    assert found is not None and found.strftime("%Y-%m-%d %H:%M") == expected


def test_a_day_that_never_comes() -> None:
    assert Schedule.parse("0 0 30 2 *").after(MONDAY) is None


def test_the_last_time_in_between() -> None:
    every = Schedule.parse("*/5 * * * *")
    assert every.latest(MONDAY - timedelta(minutes=20), MONDAY) == MONDAY.replace(
        minute=5, second=0
    )
    assert every.latest(MONDAY - timedelta(minutes=2), MONDAY) is None


@pytest.mark.parametrize(
    "text", ["", "* * * *", "61 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *"]
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse(text)


@pytest.fixture
def registry(tmp_path: Path) -> Any:
    storage = Storage(tmp_path / "state.db")
    made = Registry(storage)
    for name in ("shop",):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        made.create(body, manager="test")
    yield made
    storage.close()


def cron_job(registry: Registry, *, minutes_ago: int = 3, **spec: Any) -> CronJobs:
    """Create a CronJob that was last run some minutes ago; return its controller."""
    pods = {
        "metadata": {"labels": {"app": "tick"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "web:1"}]},
    }
    body = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "shop"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": pods}}} | spec,
    }
    registry.create(body, manager="test")
    last = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {"lastScheduleTime": last}
    registry.update_status("CronJob", "shop", "tick", status, manager="test")
    access = Access(registry)
    return CronJobs(access, Recorder(access))


def end(registry: Registry, job: Json, kind: str = "Complete") -> None:
    time = "2026-11-23T10:00:00Z"
    condition = {"type": kind, "status": "True", "lastTransitionTime": time}
    status: Json = {"conditions": [condition], "startTime": time}
    if kind == "Complete":
        before = condition | {"type": "SuccessCriteriaMet"}
        status |= {"completionTime": time, "succeeded": 1, "conditions": [before, condition]}
    else:
        status["conditions"] = [condition | {"type": "FailureTarget"}, condition]
    registry.update_status("Job", "shop", job["metadata"]["name"], status, manager="test")


def rewind(registry: Registry, minutes: int = 3) -> None:
    status = registry.get("CronJob", "shop", "tick")["status"]
    moment = datetime.now(UTC) - timedelta(minutes=minutes)
    status["lastScheduleTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    registry.update_status("CronJob", "shop", "tick", status, manager="test")


def test_missed_times_make_one_job(registry: Registry) -> None:
    controller = cron_job(registry, minutes_ago=10)
    wait = controller.reconcile(KEY)
    assert wait is not None and 0 < wait <= 60
    (job,) = registry.list("Job", "shop")
    assert job["metadata"]["ownerReferences"][0]["name"] == "tick"
    status = registry.get("CronJob", "shop", "tick")["status"]
    assert [a["name"] for a in status["active"]] == [job["metadata"]["name"]]
    controller.reconcile(KEY)
    assert len(registry.list("Job", "shop")) == 1


def test_a_suspended_one_starts_nothing(registry: Registry) -> None:
    assert cron_job(registry, suspend=True).reconcile(KEY) is None
    assert registry.list("Job", "shop") == []


def test_forbid_waits_for_the_one_that_runs(registry: Registry) -> None:
    controller = cron_job(registry, concurrencyPolicy="Forbid")
    controller.reconcile(KEY)
    rewind(registry)
    controller.reconcile(KEY)
    (job,) = registry.list("Job", "shop")
    assert [e["reason"] for e in registry.list("Event", "shop") if "Already" in e["reason"]]
    end(registry, job)
    found = registry.get("CronJob", "shop", "tick")
    assert found["status"]["active"]
    controller.reconcile(KEY)
    assert registry.get("CronJob", "shop", "tick")["status"]["lastSuccessfulTime"]


def test_old_jobs_are_tidied_up(registry: Registry) -> None:
    controller = cron_job(registry, successfulJobsHistoryLimit=0)
    controller.reconcile(KEY)
    (job,) = registry.list("Job", "shop")
    end(registry, job)
    controller.reconcile(KEY)
    assert registry.list("Job", "shop") == []


def test_a_time_zone(registry: Registry) -> None:
    controller = cron_job(registry, timeZone="Europe/Berlin")
    assert controller.reconcile(KEY) is not None
