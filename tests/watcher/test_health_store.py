"""A store's four conditions: which trouble is named first, and what counts as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json
from orchestrator.watcher.health import conditions
from tests.watcher.objects import (
    DONE,
    RUNNING,
    SHOP_IMAGE,
    claim,
    condition,
    deployment,
    ended,
    endpoints,
    event,
    ingress,
    pod,
    ready_pod,
    state_of,
    stateful_set,
    storage_class,
    store,
    view_of,
    waiting,
)

OK, BUSY, BAD, MISSING = (
    HealthStatus.HEALTHY,
    HealthStatus.PROGRESSING,
    HealthStatus.DEGRADED,
    HealthStatus.MISSING,
)
SECRET_WORDS = ("password", "passwd", "secret", "token", "salt")
SAYING = ("message", "error", "summary", "detail")
LEAVING = {"deletionTimestamp": "2026-11-23T12:00:00Z"}
STARTING_WEB = deployment(availableReplicas=0)
STARTING_DATABASE = stateful_set(readyReplicas=0)


def judge(
    *changed: Json, without: tuple[str, ...] = (), events: tuple[Json, ...] = ()
) -> dict[str, Health]:
    """Judge a store that is well but for what is changed, or left out (``Kind/name``)."""
    objects = {f"{o['kind']}/{o['metadata']['name']}": o for o in store()}
    objects |= {f"{o['kind']}/{o['metadata']['name']}": o for o in changed}
    return conditions(view_of(*(o for k, o in objects.items() if k not in without), events=events))


def leaving(obj: Json) -> Json:
    return {**obj, "metadata": {**obj["metadata"], **LEAVING}}


def shop(*init: Json, declared: tuple[str, ...] = ("prepare", "setup")) -> Json:
    found = pod("wordpress", state_of("wordpress", waiting("PodInitializing")), init=init)
    found["spec"]["initContainers"] = [{"name": n, "image": SHOP_IMAGE} for n in declared]
    return found


def test_a_store_that_is_well() -> None:
    assert judge() == {
        "DatabaseReady": Health(OK, "Available", "mysql 1/1 ready"),
        "SetupComplete": Health(OK, "SetupComplete", "The shop is set up"),
        "WordPressReady": Health(OK, "Available", "wordpress 1/1 ready"),
        "RouteReady": Health(
            OK, "Accepted", "Served by ingress class nginx, no address published, 1 ready"
        ),
    }


def test_a_store_of_which_nothing_is_there_names_what_each_condition_misses() -> None:
    found = conditions(view_of())
    assert {health.status for health in found.values()} == {MISSING}
    assert [health.message for health in found.values()] == [
        "The database is not there yet (Missing: StatefulSet/store-acme/mysql)",
        "WordPress is not there yet (Missing: Deployment/store-acme/wordpress)",
        "WordPress is not there yet (Missing: Deployment/store-acme/wordpress)",
        "The shop's address is not there yet (Missing: Ingress/store-acme/wordpress)",
    ]


@pytest.mark.parametrize(
    ("obj", "named", "sentence"),
    [
        (stateful_set(), "DatabaseReady", "The database is being taken down"),
        (deployment(), "WordPressReady", "WordPress is being taken down"),
        (ingress(), "RouteReady", "The shop's address is being taken down"),
    ],
)
def test_what_is_being_deleted_is_not_well(obj: Json, named: str, sentence: str) -> None:
    health = judge(leaving(obj))[named]
    assert (health.status, health.reason) == (BUSY, "Terminating")
    assert health.message.startswith(f"{sentence} (")


def test_a_shop_that_is_switched_off_is_not_serving() -> None:
    found = judge(deployment(wanted=0, replicas=0), without=("Pod/wordpress-0",))
    for named in ("WordPressReady", "SetupComplete"):
        assert found[named] == Health(
            BAD,
            "ScaledToZero",
            "WordPress is switched off: no replicas are asked for "
            "(ScaledToZero on Deployment/store-acme/wordpress)",
        )
    assert judge(stateful_set(wanted=0, replicas=0))["DatabaseReady"] == Health(
        BAD,
        "ScaledToZero",
        "The database is switched off: no replicas are asked for "
        "(ScaledToZero on StatefulSet/store-acme/mysql)",
    )


def test_the_databases_pod_speaks_before_its_volume() -> None:
    sick = pod("database", state_of("mysql", waiting("ErrImagePull")))
    found = judge(STARTING_DATABASE, sick, claim(phase="Pending"))
    assert found["DatabaseReady"].reason == "ErrImagePull"


def test_a_volume_that_cannot_be_made_speaks_before_the_databases_pod() -> None:
    unplaced = condition("PodScheduled", "False", "Unschedulable", "unbound PersistentVolumeClaims")
    waits = pod("database", conditions=[unplaced])
    found = judge(STARTING_DATABASE, waits, claim("data-mysql-0", "Pending", "nvme"))
    assert found["DatabaseReady"].reason == "StorageClassNotFound"


def test_without_a_pod_the_volume_that_is_being_made_explains_the_database() -> None:
    found = judge(STARTING_DATABASE, claim(phase="Pending"), without=("Pod/mysql-0",))
    assert found["DatabaseReady"] == Health(
        BUSY,
        "Pending",
        "The database's volume is being made by storage class fast "
        "(Pending on PersistentVolumeClaim/store-acme/data-mysql-0)",
    )


def test_a_refused_database_pod_speaks_before_a_volume_that_waits_for_it() -> None:
    refused = event(STARTING_DATABASE, "FailedCreate", "exceeded quota: store, requested: pods=1")
    lazily = storage_class(mode="WaitForFirstConsumer")
    found = judge(
        STARTING_DATABASE,
        claim(phase="Pending"),
        lazily,
        without=("Pod/mysql-0",),
        events=(refused,),
    )
    assert found["DatabaseReady"].reason == "FailedCreate"
    assert "does not fit into the plan's resource quota" in found["DatabaseReady"].message


def test_a_database_without_its_volume_says_that_the_volume_is_missing() -> None:
    gone = ("PersistentVolumeClaim/data-mysql-0",)
    assert judge(STARTING_DATABASE, without=gone)["DatabaseReady"] == Health(
        MISSING,
        "Missing",
        "The database's volume is not there yet "
        "(Missing: PersistentVolumeClaim/store-acme/data-mysql-0)",
    )
    assert judge(without=gone)["DatabaseReady"].ok


def test_trouble_of_the_database_is_not_told_twice() -> None:
    sick = pod("database", state_of("mysql", waiting("ErrImagePull")))
    found = judge(STARTING_DATABASE, sick)
    assert [name for name, health in found.items() if not health.ok] == ["DatabaseReady"]


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("", "The shop is set up"),
        ('{"ok": true, "products": 3}', "The shop is set up: ok: yes, products: 3"),
        ('{"message": "Sells in EUR"}', "The shop is set up: Sells in EUR"),
        ('{"admin_password": "s3cret", "engine": "woocommerce"}', "set up: engine: woocommerce"),
        *(
            (f'{{"DB_{w.upper()}_1": "s3cret", "ok": false}}', "set up: ok: no")
            for w in SECRET_WORDS
        ),
        *((f'{{"ok": 1, "{key}": "words"}}', "The shop is set up: words") for key in SAYING),
        ('{"none": [], "mixed": ["a", 1], "deep": {"a": 1}, "n": null}', "The shop is set up"),
        ('{"steps": ["install", "activate"]}', "set up: steps: install, activate"),
        ("done\nand well", "The shop is set up: done and well"),
        ('{"half', 'The shop is set up: {"half'),
        (
            '{"engine": "woocommerce", "wordpress": "6.9.7", "woocommerce": "10.5.0",'
            ' "order": {"id": 21, "milliseconds": 1204, "time": "2026-11-29T06:00:00Z"},'
            ' "changed": "WordPress installed, shop configured", "milliseconds": 3100}',
            "The shop is set up: WordPress 6.9.7, WooCommerce 10.5.0; "
            "order 21 was placed and removed in 1204 ms; "
            "changed: WordPress installed, shop configured",
        ),
        (
            '{"engine": "wordpress", "wordpress": "6.9.7", "changed": "nothing"}',
            "The shop is set up: WordPress 6.9.7; changed: nothing",
        ),
        (
            '{"wordpress": "6.9.7", "order": {"id": "s3cret", "milliseconds": true}}',
            "The shop is set up: WordPress 6.9.7",
        ),
    ],
)
def test_what_set_up_says_at_its_end_is_shown_without_secrets(message: str, sentence: str) -> None:
    end = state_of("setup", ended(0, "Completed", message))
    health = judge(shop(state_of("prepare", DONE), end))["SetupComplete"]
    assert health.ok
    assert health.message.endswith(sentence)
    assert "s3cret" not in health.message


@pytest.mark.parametrize("message", ["{" * 4000, '{"a":' * 2000, "x" * 4000])
def test_a_long_last_word_of_set_up_is_cut(message: str) -> None:
    health = judge(shop(state_of("setup", ended(0, message=message))))["SetupComplete"]
    assert health.message.startswith(f"The shop is set up: {message[:200]}")
    assert len(health.message) <= 500
    assert health.message.endswith("…")


def test_set_up_that_runs_or_failed_is_the_shops_trouble_too() -> None:
    runs = judge(STARTING_WEB, shop(state_of("prepare", DONE), state_of("setup", RUNNING)))
    assert runs["SetupComplete"] == runs["WordPressReady"]
    assert runs["SetupComplete"].message.startswith("Setting up the shop (Initializing on Pod/")
    failed = judge(STARTING_WEB, shop(state_of("prepare", DONE), state_of("setup", ended(78))))
    assert failed["SetupComplete"] == failed["WordPressReady"]
    assert failed["SetupComplete"].status is BAD


def test_a_set_up_that_failed_in_a_pod_that_leaves_is_over() -> None:
    found = judge(STARTING_WEB, leaving(shop(state_of("setup", ended(78)))))
    health = found["SetupComplete"]
    assert (health.status, health.reason) == (BUSY, "Terminating")
    assert health.message.startswith("WordPress is shutting down (")


def test_set_up_waits_for_the_files() -> None:
    found = judge(shop(state_of("prepare", RUNNING), state_of("setup", waiting("PodInitializing"))))
    assert found["SetupComplete"].message.startswith("Preparing files (")


def test_set_up_of_a_pod_that_cannot_be_placed() -> None:
    unplaced = condition("PodScheduled", "False", "Unschedulable", "0/1 nodes: Insufficient cpu.")
    found = shop()
    found["status"]["conditions"] = [unplaced]
    assert judge(found)["SetupComplete"].message.startswith(
        "The cluster has no room for WordPress: 0/1 nodes: Insufficient cpu. (Unschedulable"
    )


def test_set_up_without_a_pod_waits_or_says_why_there_is_none() -> None:
    gone = ("Pod/wordpress-0",)
    assert judge(STARTING_WEB, without=gone)["SetupComplete"] == Health(
        BUSY,
        "Pending",
        "The set-up waits for WordPress' pod (Pending on Deployment/store-acme/wordpress)",
    )
    words = 'violates PodSecurity "restricted:latest"'
    refused = condition("ReplicaFailure", "True", "FailedCreate", words)
    found = judge(deployment(availableReplicas=0, conditions=[refused]), without=gone)
    assert found["SetupComplete"] == found["WordPressReady"]
    assert found["SetupComplete"].reason == "FailedCreate"


def test_a_pod_without_a_set_up_is_not_a_shop() -> None:
    found = judge(shop(state_of("prepare", DONE), declared=("prepare",)))
    assert (found["SetupComplete"].status, found["SetupComplete"].reason) == (BAD, "NoSetup")


def test_a_running_pod_whose_set_up_is_not_known_is_waited_for() -> None:
    found = ready_pod("wordpress")
    found["status"]["initContainerStatuses"] = []
    health = judge(found)["SetupComplete"]
    assert (health.status, health.reason) == (BUSY, "SetupUnknown")


def test_the_newest_pods_set_up_counts() -> None:
    done = ready_pod("wordpress", name="wordpress-a", meta={"creationTimestamp": "2026-11-23T11"})
    new = shop(state_of("prepare", DONE), state_of("setup", RUNNING))
    new["metadata"] |= {"name": "wordpress-b", "creationTimestamp": "2026-11-23T12"}
    found = judge(done, new, without=("Pod/wordpress-0",))
    assert found["SetupComplete"].reason == "Initializing"
    only_old = judge(done, leaving(new), without=("Pod/wordpress-0",))
    assert only_old["SetupComplete"].ok


def no_class() -> dict[str, Health]:
    return judge(without=("IngressClass/nginx",))


def no_service() -> dict[str, Health]:
    return judge(without=("Service/wordpress",))


def no_endpoint() -> dict[str, Health]:
    return judge(endpoints(False))


@pytest.mark.parametrize(
    ("found", "status", "message"),
    [
        (
            no_class,
            BAD,
            "The cluster has no ingress class nginx, so nobody serves the shop's address "
            "(IngressClassNotFound on Ingress/store-acme/wordpress)",
        ),
        (
            no_service,
            MISSING,
            "The shop's Service is not there yet (Missing: Service/store-acme/wordpress)",
        ),
        (
            no_endpoint,
            BUSY,
            "The shop's address waits for WordPress: no endpoint is ready "
            "(NoReadyEndpoint on Service/store-acme/wordpress)",
        ),
    ],
)
def test_the_way_to_the_shop(
    found: Callable[[], dict[str, Health]], status: HealthStatus, message: str
) -> None:
    health = found()["RouteReady"]
    assert (health.status, health.message) == (status, message)


def test_a_missing_class_speaks_before_missing_endpoints() -> None:
    found = judge(endpoints(False), without=("IngressClass/nginx", "Service/wordpress"))
    assert found["RouteReady"].reason == "IngressClassNotFound"
