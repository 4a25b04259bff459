"""Pods: every way in which one does not run, with the sentence that a shop owner reads."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.watcher.health import assess
from tests.watcher.objects import (
    DONE,
    MYSQL_IMAGE,
    RUNNING,
    SHOP_IMAGE,
    condition,
    ended,
    pod,
    ready_pod,
    state_of,
    view_of,
    waiting,
)

OK, BUSY, BAD = HealthStatus.HEALTHY, HealthStatus.PROGRESSING, HealthStatus.DEGRADED
CREATING = waiting("PodInitializing")


def judge(found: Json) -> Health:
    return assess(ObjectRef.of(found), view_of(found))


def mysql(now: Json, last: Json | None = None, **more: Any) -> Json:
    return pod("database", state_of("mysql", now, last, **more))


def unplaced(words: str, reason: str = "Unschedulable") -> Json:
    return pod("database", conditions=[condition("PodScheduled", "False", reason, words)])


def shop(*init: Json) -> Json:
    return pod("wordpress", state_of("wordpress", CREATING), init=init)


@pytest.mark.parametrize(
    ("found", "reason", "message"),
    [
        (ready_pod("database"), "Ready", "The database is running"),
        (ready_pod("wordpress"), "Ready", "WordPress is running"),
        (pod("wordpress", phase="Succeeded"), "Completed", "WordPress has finished"),
    ],
)
def test_well(found: Json, reason: str, message: str) -> None:
    assert judge(found) == Health(OK, reason, message)


@pytest.mark.parametrize(
    "reason", ["ImagePullBackOff", "ErrImagePull", "RegistryUnavailable", "ImageInspectError"]
)
def test_an_image_that_cannot_be_downloaded_is_named_as_the_spec_names_it(reason: str) -> None:
    words = f'Back-off pulling image "{MYSQL_IMAGE}": not found'
    assert judge(mysql(waiting(reason, words))) == Health(
        BAD,
        reason,
        f"The database image cannot be downloaded: {MYSQL_IMAGE} "
        f"({reason} on Pod/store-acme/mysql-0)",
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("InvalidImageName", f"The database image has a name that is not valid: {MYSQL_IMAGE}"),
        (
            "ErrImageNeverPull",
            f"The database image is not on the node and may not be downloaded: {MYSQL_IMAGE}",
        ),
    ],
)
def test_an_image_that_is_not_even_tried(reason: str, words: str) -> None:
    health = judge(mysql(waiting(reason)))
    assert (health.status, health.reason) == (BAD, reason)
    assert words in health.message


def test_an_image_that_the_spec_does_not_know_is_named_by_the_status() -> None:
    found = pod("database", state_of("injected", waiting("ErrImagePull")))
    assert "cannot be downloaded: resolved/injected@sha256:0 (" in judge(found).message


def test_an_init_containers_image_counts_too() -> None:
    health = judge(shop(state_of("prepare", waiting("ImagePullBackOff"))))
    assert health.message == (
        f"The WordPress image cannot be downloaded: {SHOP_IMAGE} "
        "(ImagePullBackOff on Pod/store-acme/wordpress-0)"
    )


def test_no_room_says_so_in_the_schedulers_words() -> None:
    words = (
        "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: "
        "3 No preemption victims found for incoming pod."
    )
    assert judge(unplaced(words)) == Health(
        BAD,
        "Unschedulable",
        f"The cluster has no room for the database: {words} "
        "(Unschedulable on Pod/store-acme/mysql-0)",
    )


@pytest.mark.parametrize("fate", ["not found", "is being deleted"])
def test_a_volume_that_is_gone_is_no_lack_of_room(fate: str) -> None:
    words = f'0/1 nodes are available: persistentvolumeclaim "data-mysql-0" {fate}.'
    health = judge(unplaced(words))
    assert (health.status, health.reason) == (BAD, "Unschedulable")
    assert health.message.startswith(f"The database lacks its storage: {words}")


@pytest.mark.parametrize(
    "words",
    [
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        "waiting for ephemeral volume controller to create the persistentvolumeclaim",
    ],
)
def test_a_pod_that_waits_for_its_volume_may_still_be_placed(words: str) -> None:
    health = judge(unplaced(words))
    assert (health.status, health.reason) == (BUSY, "Unschedulable")
    assert health.message.startswith(f"The database waits for its storage: {words}")


@pytest.mark.parametrize("reason", ["SchedulingGated", "SchedulerError"])
def test_a_pod_that_is_not_placed_yet_waits(reason: str) -> None:
    health = judge(unplaced("later", reason))
    assert (health.status, health.reason) == (BUSY, reason)
    assert "waits to be placed on a node" in health.message


def test_a_crash_loop_says_exit_code_last_reason_last_words_and_how_often() -> None:
    last = ended(1, "Error", "[ERROR] unknown variable\n'x=1'")
    found = mysql(waiting("CrashLoopBackOff", "back-off 40s"), last, restartCount=4)
    assert judge(found) == Health(
        BAD,
        "CrashLoopBackOff",
        "The database keeps stopping: exit code 1, Error: [ERROR] unknown variable 'x=1'; "
        "container mysql was restarted 4 times (CrashLoopBackOff on Pod/store-acme/mysql-0)",
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (mysql(waiting("CrashLoopBackOff"), restartCount=1), "keeps stopping; container mysql was"),
        (mysql(waiting("CrashLoopBackOff"), restartCount=1), "was restarted once ("),
        (mysql(waiting("CrashLoopBackOff"), DONE), "keeps stopping: exit code 0, Completed ("),
        (
            mysql(waiting("CrashLoopBackOff"), ended(139, "Error", signal=11)),
            "exit code 139, signal 11, Error",
        ),
    ],
)
def test_a_crash_loop_says_what_is_known(found: Json, words: str) -> None:
    health = judge(found)
    assert (health.status, health.reason) == (BAD, "CrashLoopBackOff")
    assert words in health.message


def test_a_container_that_has_just_failed_is_bad_and_one_that_ended_well_is_not() -> None:
    failed = judge(mysql(ended(2, "Error", "no space left")))
    assert (failed.status, failed.reason) == (BAD, "Error")
    assert "The database keeps stopping: exit code 2, Error: no space left" in failed.message
    assert judge(mysql(DONE)).status is BUSY


@pytest.mark.parametrize(
    "found",
    [
        mysql(waiting("CrashLoopBackOff"), ended(137, "OOMKilled"), restartCount=3),
        mysql(ended(137, "OOMKilled")),
    ],
)
def test_out_of_memory_names_the_limit(found: Json) -> None:
    assert judge(found) == Health(
        BAD,
        "OOMKilled",
        "The database ran out of memory (limit 512Mi) (OOMKilled on Pod/store-acme/mysql-0)",
    )


def test_a_start_after_running_out_of_memory_still_says_so() -> None:
    health = judge(mysql(RUNNING, ended(137, "OOMKilled")))
    assert (health.status, health.reason) == (BUSY, "OOMKilled")


def test_a_container_that_runs_without_being_ready_says_how_it_ended_before() -> None:
    assert judge(mysql(RUNNING)).message == (
        "The database was started and does not answer yet "
        "(ContainersNotReady on Pod/store-acme/mysql-0)"
    )
    health = judge(mysql(RUNNING, ended(1)))
    assert health.status is BUSY
    assert "does not answer yet; before: exit code 1, Error (" in health.message


@pytest.mark.parametrize(
    "words",
    [
        'secret "store-credentials" not found',
        "couldn't find key database-password in Secret store-acme/store-credentials",
        'configmap "mysql" not found',
    ],
)
def test_a_missing_secret_key_or_config_map_is_named(words: str) -> None:
    assert judge(mysql(waiting("CreateContainerConfigError", words))) == Health(
        BAD,
        "CreateContainerConfigError",
        f"The database cannot start, its configuration is incomplete: {words} "
        "(CreateContainerConfigError on Pod/store-acme/mysql-0)",
    )


@pytest.mark.parametrize("reason", ["CreateContainerError", "RunContainerError", "StartError"])
def test_a_container_that_cannot_be_made(reason: str) -> None:
    health = judge(mysql(waiting(reason, 'exec: "mysqlx": not found')))
    assert (health.status, health.reason) == (BAD, reason)
    assert 'cannot start, its container fails: exec: "mysqlx": not found' in health.message


@pytest.mark.parametrize(
    ("now", "reason", "sentence"),
    [
        (waiting("ContainerCreating"), "ContainerCreating", "The database is starting"),
        ({}, "ContainerCreating", "The database is starting"),
        (waiting("PodInitializing", "wait"), "PodInitializing", "The database is starting: wait"),
    ],
)
def test_a_container_that_is_being_made(now: Json, reason: str, sentence: str) -> None:
    where = f"({reason} on Pod/store-acme/mysql-0)"
    assert judge(mysql(now)) == Health(BUSY, reason, f"{sentence} {where}")


def test_a_pod_whose_containers_are_ready_may_still_wait_for_a_gate() -> None:
    gate = condition("Ready", "False", "ReadinessGatesNotReady", 'gate "a.example/lb" is missing')
    found = pod("database", state_of("mysql", RUNNING, ready=True), conditions=[gate])
    health = judge(found)
    assert (health.status, health.reason) == (BUSY, "ReadinessGatesNotReady")
    assert 'The database is starting: gate "a.example/lb" is missing' in health.message


def test_a_pod_without_any_container_status_is_starting() -> None:
    unready = condition("Ready", "False", "ContainersNotReady", "containers with unready status")
    assert judge(pod()).reason == "Pending"
    health = judge(pod(conditions=[unready]))
    assert (health.status, health.reason) == (BUSY, "ContainersNotReady")
    assert health.message.startswith("The database is starting: containers with unready status")


def test_an_evicted_pod_says_why() -> None:
    words = "The node was low on resource: ephemeral-storage."
    found = pod(phase="Failed", reason="Evicted", message=words)
    assert judge(found) == Health(
        BAD, "Evicted", f"The database has failed: {words} (Evicted on Pod/store-acme/mysql-0)"
    )


def test_a_failed_pod_says_what_its_container_said() -> None:
    found = pod("database", state_of("mysql", ended(3, "Error", "bye")), phase="Failed")
    assert "exit code 3, Error: bye" in judge(found).message
    assert judge(pod(phase="Failed")).message.startswith("The database has failed (Failed on")


def test_a_pod_that_leaves_is_neither_well_nor_bad() -> None:
    leaving = {"deletionTimestamp": "2026-11-23T12:00:00Z"}
    health = judge(ready_pod("database", meta=leaving))
    assert (health.status, health.reason) == (BUSY, "Terminating")
    assert "The database is shutting down" in health.message


@pytest.mark.parametrize(
    ("init", "reason", "sentence"),
    [
        ([state_of("prepare", RUNNING)], "Initializing", "Preparing files"),
        (
            [state_of("prepare", DONE), state_of("setup", RUNNING)],
            "Initializing",
            "Setting up the shop",
        ),
        (
            [state_of("prepare", DONE), state_of("setup", CREATING)],
            "PodInitializing",
            "Waiting to start: Setting up the shop",
        ),
        ([state_of("wait", RUNNING)], "Initializing", "Preparing to start: step wait"),
        ([state_of("", RUNNING)], "Initializing", "Preparing to start: step unnamed"),
        (
            [state_of("prepare", waiting("ContainerCreating"))],
            "ContainerCreating",
            "Waiting to start: Preparing files",
        ),
        ([state_of("prepare", {})], "PodInitializing", "Waiting to start: Preparing files"),
    ],
)
def test_a_step_before_the_start(init: list[Json], reason: str, sentence: str) -> None:
    assert judge(shop(*init)) == Health(
        BUSY, reason, f"{sentence} ({reason} on Pod/store-acme/wordpress-0)"
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("initialize", "The step initialize failed"), ("", "The step unnamed failed")],
)
def test_a_step_that_has_no_title_goes_by_its_name(name: str, sentence: str) -> None:
    health = judge(shop(state_of(name, ended(1, ""))))
    assert health == Health(
        BAD, "Error", f"{sentence} (exit code 1) (Error on Pod/store-acme/wordpress-0)"
    )


def test_a_step_that_failed_says_its_last_words() -> None:
    failed = state_of("prepare", waiting("CrashLoopBackOff"), ended(1, message="disk full\n"))
    assert judge(shop(failed)) == Health(
        BAD,
        "CrashLoopBackOff",
        "The shop's files could not be prepared (exit code 1): disk full "
        "(CrashLoopBackOff on Pod/store-acme/wordpress-0)",
    )


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (78, BAD, "The shop's settings or its database password are not right (exit code 78)"),
        (
            75,
            BUSY,
            "The shop's database cannot be reached yet, or another set-up is at work; "
            "it is tried again by itself (exit code 75)",
        ),
        (70, BAD, "Setting up the shop failed (exit code 70)"),
        (1, BAD, "Setting up the shop failed (exit code 1)"),
    ],
)
def test_set_ups_exit_codes_are_understood(code: int, status: HealthStatus, words: str) -> None:
    end = ended(code, message='{"ok": false, "error": "Access denied for user"}')
    for state in (state_of("setup", end), state_of("setup", waiting("CrashLoopBackOff"), end)):
        health = judge(shop(state_of("prepare", DONE), state))
        assert health.status is status
        assert words in health.message
        assert f"(exit code {code}): Access denied for user (" in health.message


def test_a_step_that_ran_out_of_memory_names_the_limit() -> None:
    health = judge(shop(state_of("setup", ended(137, "OOMKilled"))))
    assert health.message == (
        "Setting up the shop failed: the step ran out of memory (limit 512Mi) "
        "(OOMKilled on Pod/store-acme/wordpress-0)"
    )


def test_the_first_step_that_is_not_done_speaks() -> None:
    health = judge(shop(state_of("prepare", ended(1)), state_of("setup", CREATING)))
    assert "files could not be prepared" in health.message


def test_a_sidecar_that_runs_is_no_step_to_wait_for() -> None:
    sidecar = state_of("metrics", RUNNING, started=True, ready=True)
    health = judge(shop(sidecar, state_of("setup", RUNNING)))
    assert health.message.startswith("Setting up the shop")


def test_a_container_in_trouble_speaks_before_one_that_starts() -> None:
    found = pod("database", state_of("a", RUNNING), state_of("mysql", waiting("ErrImagePull")))
    assert judge(found).reason == "ErrImagePull"


def test_no_room_speaks_before_anything_that_the_containers_say() -> None:
    unready = [condition("PodScheduled", "False", "Unschedulable", "0/1 nodes are available")]
    found = pod("database", state_of("mysql", waiting("ErrImagePull")), conditions=unready)
    assert judge(found).reason == "Unschedulable"


def test_a_component_without_a_title_goes_by_its_own_name() -> None:
    found = mysql(RUNNING)
    found["metadata"]["labels"]["app.kubernetes.io/component"] = "cache"
    assert judge(found).message.startswith("cache was started")
    found["metadata"]["labels"].clear()
    assert judge(found).message.startswith("The workload was started")


def test_a_long_story_keeps_reason_and_place() -> None:
    health = judge(mysql(waiting("CrashLoopBackOff"), ended(1, message="x" * 4000)))
    assert len(health.message) <= 500
    assert health.message.endswith(" (CrashLoopBackOff on Pod/store-acme/mysql-0)")
    assert "…" in health.message
