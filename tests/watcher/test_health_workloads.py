"""Deployments, StatefulSets and CronJobs: rolled out, or why not."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.watcher.health import assess
from tests.watcher.objects import (
    RUNNING,
    claim,
    condition,
    deployment,
    ended,
    event,
    live,
    pod,
    ready_pod,
    state_of,
    stateful_set,
    storage_class,
    view_of,
    waiting,
)

OK, BUSY, BAD = HealthStatus.HEALTHY, HealthStatus.PROGRESSING, HealthStatus.DEGRADED
ON_WEB = "on Deployment/store-acme/wordpress)"
ON_MYSQL = "on StatefulSet/store-acme/mysql)"
QUOTA = (
    'pods "wordpress-7d" is forbidden: exceeded quota: store, requested: limits.memory=2Gi, '
    "used: limits.memory=1Gi, limited: limits.memory=2Gi"
)
SECURITY = (
    'pods "wordpress-7d" is forbidden: violates PodSecurity "restricted:latest": '
    'allowPrivilegeEscalation != false (container "wordpress" must set '
    "securityContext.allowPrivilegeEscalation=false)"
)
AT_NOON, LATER = "2026-11-23T12:00:00Z", "2026-11-23T12:05:00Z"
LATE = condition(
    "Progressing", "False", "ProgressDeadlineExceeded", 'ReplicaSet "wordpress-7d" has timed out'
)


def judge(found: Json, *others: Json, events: tuple[Json, ...] = ()) -> Health:
    return assess(ObjectRef.of(found), view_of(found, *others, events=events))


def starting_deployment(*conditions: Json) -> Json:
    return deployment(availableReplicas=0, conditions=conditions)


def refused_deployment(words: str) -> Json:
    refused = condition("ReplicaFailure", "True", "FailedCreate", words)
    return deployment(updatedReplicas=0, availableReplicas=0, conditions=[refused])


def starting_set(**status: Any) -> Json:
    return stateful_set(**{"readyReplicas": 0, **status})


def test_workloads_that_are_well() -> None:
    assert judge(deployment()) == Health(OK, "Available", "wordpress 1/1 ready")
    assert judge(stateful_set()) == Health(OK, "Available", "mysql 1/1 ready")


def test_replicas_left_out_means_one() -> None:
    found = deployment(availableReplicas=0, updatedReplicas=0)
    del found["spec"]["replicas"]
    assert "0 of 1 are new" in judge(found).message


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (deployment(generation=2), f"WordPress is about to be changed (Unobserved {ON_WEB}"),
        (stateful_set(generation=2), f"The database is about to be changed (Unobserved {ON_MYSQL}"),
        (
            deployment(wanted=0, generation=2),
            f"WordPress is about to be changed (Unobserved {ON_WEB}",
        ),
    ],
)
def test_a_status_of_an_older_generation_is_not_believed(found: Json, message: str) -> None:
    assert judge(found) == Health(BUSY, "Unobserved", message)


def test_a_workload_that_no_controller_has_seen_is_not_well() -> None:
    for found in (deployment(), stateful_set()):
        found["status"] = {}
        assert judge(found).reason == "Unobserved"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ({"updatedReplicas": 0}, "WordPress is being rolled out: 0 of 1 are new"),
        ({"replicas": 2}, "WordPress is being rolled out: 1 old one still runs"),
        ({"replicas": 3}, "WordPress is being rolled out: 2 old ones still run"),
        ({"availableReplicas": 0}, "WordPress is starting: 0 of 1 are available"),
    ],
)
def test_a_rollout_says_what_it_lacks(status: Json, sentence: str) -> None:
    health = judge(deployment(**status))
    assert health == Health(BUSY, "Progressing", f"{sentence} (Progressing {ON_WEB}")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ({"readyReplicas": 0}, "The database is starting: 0 of 1 are ready"),
        ({"updateRevision": "mysql-2"}, "The database is being rolled out"),
    ],
)
def test_a_stateful_set_says_what_it_lacks(status: Json, sentence: str) -> None:
    health = judge(stateful_set(**status))
    assert health == Health(BUSY, "Progressing", f"{sentence} (Progressing {ON_MYSQL}")


@pytest.mark.parametrize(
    "strategy",
    [{"type": "OnDelete"}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}],
)
def test_a_set_that_keeps_old_pods_on_purpose_is_well(strategy: Json) -> None:
    found = stateful_set(updateRevision="mysql-2")
    found["spec"]["updateStrategy"] = strategy
    assert judge(found).ok


@pytest.mark.parametrize(
    ("make", "title", "name"),
    [(deployment, "WordPress", "wordpress"), (stateful_set, "The database", "mysql")],
)
def test_nothing_asked_for_is_well_once_nothing_runs(make: Any, title: str, name: str) -> None:
    going = judge(make(wanted=0))
    assert (going.status, going.reason) == (BUSY, "ScalingDown")
    assert going.message.startswith(f"{title} is being switched off (")
    found = make(wanted=0)
    found["status"]["replicas"] = 0
    assert judge(found) == Health(OK, "ScaledToZero", f"{name} is asked for no replicas")


def test_a_deployment_over_quota_names_the_quota() -> None:
    assert judge(refused_deployment(QUOTA)) == Health(
        BAD,
        "FailedCreate",
        f"WordPress does not fit into the plan's resource quota: {QUOTA} (FailedCreate {ON_WEB}",
    )


def test_pod_security_refuses_in_its_own_words() -> None:
    assert judge(refused_deployment(SECURITY)) == Health(
        BAD,
        "FailedCreate",
        f"The cluster refuses to start WordPress: {SECURITY} (FailedCreate {ON_WEB}",
    )


def test_a_refusal_keeps_its_own_reason() -> None:
    for told, reason in (("FailedQuota", "FailedQuota"), ("", "FailedCreate")):
        refused = condition("ReplicaFailure", "True", told, QUOTA)
        assert judge(starting_deployment(refused)).reason == reason


def test_a_refusal_that_is_over_does_not_count() -> None:
    over = condition("ReplicaFailure", "False", "FailedCreate", QUOTA)
    assert judge(starting_deployment(over)).reason == "Progressing"


@pytest.mark.parametrize("where", ["message", "note"])
def test_a_stateful_set_over_quota_shows_in_events(where: str) -> None:
    words = f"create Pod mysql-0 in StatefulSet mysql failed error: {QUOTA}"
    found = starting_set(replicas=0)
    told = event(found, "FailedCreate", words)
    told[where] = told.pop("message")
    assert judge(found, events=(told,)) == Health(
        BAD,
        "FailedCreate",
        f"The database does not fit into the plan's resource quota: {words} "
        f"(FailedCreate {ON_MYSQL}",
    )


def test_a_stateful_set_refused_by_pod_security() -> None:
    found = starting_set()
    health = judge(found, events=(event(found, "FailedCreate", SECURITY),))
    assert health.status is BAD
    assert "The cluster refuses to start the database: pods" in health.message
    assert 'violates PodSecurity "restricted:latest"' in health.message


def test_only_the_newest_event_about_a_stateful_sets_pods_counts() -> None:
    found = starting_set()
    failed = event(found, "FailedCreate", QUOTA, AT_NOON)
    made = event(found, "SuccessfulCreate", "create Pod mysql-0", LATER)
    assert judge(found, events=(failed, made)).reason == "Progressing"
    again = event(found, "FailedCreate", QUOTA, "2026-11-23T12:09:00Z")
    assert judge(found, events=(failed, again, made)).reason == "FailedCreate"


def test_old_events_do_not_speak_for_a_set_whose_pod_is_there() -> None:
    found = starting_set()
    starts = pod("database", state_of("mysql", RUNNING))
    health = judge(found, starts, events=(event(found, "FailedCreate", QUOTA),))
    assert health.reason == "ContainersNotReady"


def test_events_about_something_else_do_not_count() -> None:
    found = starting_set()
    assert (
        judge(found, events=(event(deployment(), "FailedCreate", QUOTA),)).reason == "Progressing"
    )


@pytest.mark.parametrize(
    ("workload", "component"),
    [(starting_deployment(), "wordpress"), (starting_set(), "database")],
)
def test_a_workload_that_is_not_there_yet_says_what_its_pod_says(
    workload: Json, component: str
) -> None:
    sick = pod(component, state_of("x", waiting("ImagePullBackOff")))
    health = judge(workload, sick)
    assert (health.status, health.reason) == (BAD, "ImagePullBackOff")
    assert health.message.endswith(f"Pod/store-acme/{sick['metadata']['name']})")


def test_only_pods_of_its_own_component_speak() -> None:
    sick = pod("database", state_of("mysql", waiting("ImagePullBackOff")))
    assert judge(starting_deployment(), sick).reason == "Progressing"


def test_the_newest_pod_that_is_not_leaving_speaks_for_a_deployment() -> None:
    def aged(name: str, reason: str, **meta: str) -> Json:
        return pod("wordpress", state_of("wordpress", waiting(reason)), name=name, meta=meta)

    old = aged("wordpress-a", "ErrImagePull", creationTimestamp=AT_NOON)
    new = aged("wordpress-b", "CreateContainerConfigError", creationTimestamp=LATER)
    leaving = aged("wordpress-c", "x", creationTimestamp=LATER, deletionTimestamp=LATER)
    assert judge(starting_deployment(), old, leaving, new).reason == "CreateContainerConfigError"


def test_one_bad_pod_of_a_set_speaks_before_those_that_start() -> None:
    starts = pod("database", state_of("mysql", RUNNING), name="mysql-1")
    sick = pod("database", state_of("mysql", waiting("ErrImagePull")), name="mysql-0")
    assert judge(starting_set(), starts, sick).reason == "ErrImagePull"


def test_a_deployment_that_takes_too_long() -> None:
    assert judge(starting_deployment(LATE)) == Health(
        BAD,
        "ProgressDeadlineExceeded",
        'WordPress does not come up in time: ReplicaSet "wordpress-7d" has timed out '
        f"(ProgressDeadlineExceeded {ON_WEB}",
    )


def test_a_reason_found_on_a_pod_is_worth_more_than_the_deadline() -> None:
    sick = pod("wordpress", state_of("wordpress", waiting("ErrImagePull")))
    assert judge(starting_deployment(LATE), sick).reason == "ErrImagePull"
    assert judge(starting_deployment(LATE), ready_pod("wordpress")).reason == LATE["reason"]


def test_a_volume_that_cannot_be_made_explains_the_workload() -> None:
    unplaced = condition("PodScheduled", "False", "Unschedulable", "unbound PersistentVolumeClaims")
    waits = pod("wordpress", conditions=[unplaced])
    health = judge(starting_deployment(LATE), waits, claim("wordpress", "Pending", "nvme"))
    assert health.reason == "StorageClassNotFound"
    assert "The shop's volume cannot be made: the storage class nvme" in health.message
    lost = judge(starting_set(), claim(phase="Lost"))
    assert lost.reason == "Lost"


def test_a_volume_that_waits_for_its_pod_leaves_the_word_to_the_pod() -> None:
    waits = claim("wordpress", "Pending")
    lazily = storage_class(mode="WaitForFirstConsumer")
    starts = pod("wordpress", state_of("wordpress", waiting("ContainerCreating")))
    assert judge(starting_deployment(), waits, lazily, starts).reason == "ContainerCreating"


def test_a_workload_that_is_being_deleted_names_its_finalizers() -> None:
    leaving = {"deletionTimestamp": AT_NOON, "finalizers": ["foregroundDeletion", "a.example/b"]}
    found = deployment()
    found["metadata"] |= leaving
    assert judge(found) == Health(
        BUSY,
        "Terminating",
        "It is being deleted; finalizers left: foregroundDeletion, a.example/b "
        f"(Terminating {ON_WEB}",
    )


def cron(suspend: bool = False, **status: Any) -> Json:
    spec = {"schedule": "*/5 * * * *", "suspend": suspend}
    return live("CronJob", "wp-cron", component="wp-cron", spec=spec, status=status)


@pytest.mark.parametrize(
    ("found", "reason", "message"),
    [
        (cron(suspend=True), "Suspended", "The background job is switched off"),
        (cron(), "Scheduled", "The background job has not had to run yet"),
        (
            cron(lastScheduleTime=AT_NOON, lastSuccessfulTime="2026-11-23T12:00:04Z"),
            "Scheduled",
            f"The background job ran last at {AT_NOON}",
        ),
        (
            cron(lastScheduleTime=AT_NOON, lastSuccessfulTime=AT_NOON),
            "Scheduled",
            f"The background job ran last at {AT_NOON}",
        ),
        (
            cron(lastScheduleTime=AT_NOON, active=[{"kind": "Job", "name": "wp-cron-1"}]),
            "Scheduled",
            f"The background job ran last at {AT_NOON}",
        ),
    ],
)
def test_a_background_job_that_is_well(found: Json, reason: str, message: str) -> None:
    assert judge(found) == Health(OK, reason, message)


def test_a_background_job_that_failed_says_so_and_why_where_its_pod_is_left() -> None:
    found = cron(lastScheduleTime=LATER, lastSuccessfulTime=AT_NOON)
    assert judge(found) == Health(
        BAD,
        "LastRunFailed",
        f"The background job did not succeed when it ran at {LATER} "
        "(LastRunFailed on CronJob/store-acme/wp-cron)",
    )
    failed = state_of("wp-cron", ended(255, "Error", "PHP Fatal error"))
    left = pod("wordpress", failed, name="wp-cron-1-x", phase="Failed")
    left["metadata"]["labels"]["app.kubernetes.io/component"] = "wp-cron"
    health = judge(found, left)
    assert health.status is BAD
    assert "exit code 255, Error: PHP Fatal error" in health.message
    assert health.message.startswith("The background job")
