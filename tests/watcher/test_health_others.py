"""Namespaces, ingresses, services, budgets and what only has to be there."""

from __future__ import annotations

import pytest

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.watcher.health import assess
from orchestrator.watcher.health.namespace import remaining
from tests.watcher.objects import (
    SPACE,
    condition,
    endpoints,
    ingress,
    ingress_class,
    live,
    ref,
    storage_class,
    view_of,
)

OK, BUSY, BAD = HealthStatus.HEALTHY, HealthStatus.PROGRESSING, HealthStatus.DEGRADED
CONTENT = "Some resources are remaining: pods. has 1 resource instances"
FINALIZERS = "Some content in the namespace has finalizers remaining: a.example/b in 1 instances"
DISCOVERY = "Discovery failed for some groups: metrics.k8s.io/v1beta1"


def judge(found: Json, *others: Json) -> Health:
    return assess(ObjectRef.of(found), view_of(found, *others))


def namespace(*conditions: Json, finalizers: tuple[str, ...] = (), going: bool = True) -> Json:
    meta: Json = {"finalizers": list(finalizers)}
    if going:
        meta["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    return live(
        "Namespace",
        SPACE,
        meta=meta,
        spec={"finalizers": ["kubernetes"]},
        status={"phase": "Terminating" if going else "Active", "conditions": list(conditions)},
    )


def test_an_absent_object_is_missing() -> None:
    assert assess(ref("Service", "mysql"), view_of()) == Health(
        HealthStatus.MISSING, "Missing", "Service/store-acme/mysql is not there"
    )


def test_a_namespace_that_is_there() -> None:
    assert judge(namespace(going=False)) == Health(OK, "Active", "The namespace is there")


def test_a_namespace_in_deletion() -> None:
    assert judge(namespace()) == Health(
        BUSY,
        "Terminating",
        "The namespace is being deleted (Terminating on Namespace/store-acme)",
    )


def test_a_namespace_in_deletion_names_what_remains_and_the_finalizers() -> None:
    found = namespace(
        condition("NamespaceContentRemaining", "True", "SomeResourcesRemain", CONTENT),
        condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", FINALIZERS),
        finalizers=("b.example/hold",),
    )
    found["spec"]["finalizers"].append("a.example/hold")
    assert judge(found) == Health(
        BUSY,
        "Terminating",
        f"The namespace is being deleted; it waits: {FINALIZERS} {CONTENT} finalizers of the "
        "namespace itself: a.example/hold, b.example/hold (Terminating on Namespace/store-acme)",
    )
    assert len(remaining(found)) == 3


@pytest.mark.parametrize(
    "kind",
    [
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceDeletionContentFailure",
    ],
)
def test_a_namespace_whose_deletion_fails_is_bad(kind: str) -> None:
    health = judge(namespace(condition(kind, "True", "Failed", DISCOVERY)))
    assert (health.status, health.reason) == (BAD, kind)
    assert DISCOVERY in health.message


def test_a_namespace_held_up_by_very_much_still_says_where() -> None:
    kinds = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining")
    health = judge(namespace(*(condition(kind, "True", "x", "words " * 99) for kind in kinds)))
    assert len(health.message) <= 500
    assert health.message.endswith("… (Terminating on Namespace/store-acme)")


def test_either_sign_of_its_end_counts_for_a_namespace() -> None:
    asked = namespace()
    asked["status"]["phase"] = "Active"
    told = namespace()
    del told["metadata"]["deletionTimestamp"]
    assert judge(asked).reason == judge(told).reason == "Terminating"


def test_what_no_longer_holds_a_namespace_is_not_named() -> None:
    over = condition("NamespaceContentRemaining", "False", "ContentRemoved", "All content removed")
    assert remaining(namespace(over)) == ()


@pytest.mark.parametrize(
    ("addresses", "published"),
    [
        ([], "no address published"),
        ([{"ip": "203.0.113.7"}], "published at 203.0.113.7"),
        ([{"hostname": "lb.example"}, {"ip": "::1"}], "published at lb.example, ::1"),
    ],
)
def test_an_ingress_is_well_with_or_without_an_address(
    addresses: list[Json], published: str
) -> None:
    health = judge(ingress(addresses=addresses), ingress_class())
    assert health == Health(OK, "Accepted", f"Served by ingress class nginx, {published}")


def test_an_ingress_of_a_class_that_does_not_exist() -> None:
    assert judge(ingress("traefik"), ingress_class("nginx", default=True)) == Health(
        BAD,
        "IngressClassNotFound",
        "The cluster has no ingress class traefik, so nobody serves the shop's address "
        "(IngressClassNotFound on Ingress/store-acme/wordpress)",
    )


def test_an_ingress_without_a_class_takes_the_default_or_is_told() -> None:
    plain = ingress(None)
    assert "class b," in judge(plain, ingress_class("a"), ingress_class("b", default=True)).message
    health = judge(plain, ingress_class("a"))
    assert (health.status, health.reason) == (BAD, "NoIngressClass")
    assert "names no ingress class and the cluster has no default one" in health.message


def test_an_ingress_may_name_its_class_the_old_way() -> None:
    found = ingress(None)
    found["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "haproxy"}
    assert "class haproxy" in judge(found, ingress_class("haproxy")).message


def service(kind: str, addresses: list[Json]) -> Json:
    status = {"loadBalancer": {"ingress": addresses}}
    return live("Service", "wordpress", spec={"type": kind}, status=status)


def test_a_service_counts_its_ready_endpoints() -> None:
    slices = endpoints(True, None, False)
    other = endpoints(True, service="mysql")
    health = judge(service("ClusterIP", []), slices, other)
    assert health == Health(OK, "Present", "2 endpoints ready")
    assert judge(slices) == health


def test_a_load_balancer_waits_for_its_address() -> None:
    assert judge(service("LoadBalancer", [])) == Health(
        BUSY,
        "Pending",
        "The load balancer's address is not assigned yet (Pending on Service/store-acme/wordpress)",
    )
    assert judge(service("LoadBalancer", [{"ip": "203.0.113.7"}])).ok


def test_a_quota_says_how_full_it_is() -> None:
    hard = {"limits.memory": "2Gi", "count/pods": "10"}
    quota = live("ResourceQuota", "store", status={"hard": hard, "used": {"count/pods": "3"}})
    assert judge(quota) == Health(OK, "Enforced", "count/pods 3/10, limits.memory 0/2Gi")
    assert judge(live("ResourceQuota", "store")).message == "Not counted yet"


def budget(generation: int = 1, now: int = 1, *conditions: Json) -> Json:
    status = {"observedGeneration": 1, "currentHealthy": now, "desiredHealthy": 1}
    return live(
        "PodDisruptionBudget",
        "wordpress",
        meta={"generation": generation},
        status={**status, "conditions": list(conditions)},
    )


def test_a_disruption_budget() -> None:
    assert judge(budget()) == Health(OK, "Enforced", "1 of 1 pods are well")
    assert judge(budget(generation=2)).reason == "Unobserved"
    few = judge(budget(now=0))
    assert (few.status, few.reason) == (BUSY, "InsufficientPods")
    assert few.message.startswith("0 of the 1 pods that must stay up are well (")
    broken = judge(budget(1, 1, condition("DisruptionAllowed", "False", "SyncFailed", "no scale")))
    assert (broken.status, broken.reason) == (BAD, "SyncFailed")
    assert "The disruption budget does not work: no scale" in broken.message


@pytest.mark.parametrize(
    "kind", ["ServiceAccount", "Secret", "ConfigMap", "LimitRange", "NetworkPolicy"]
)
def test_what_only_has_to_be_there(kind: str) -> None:
    assert judge(live(kind, "x")) == Health(OK, "Present", "It is there")


@pytest.mark.parametrize("found", [ingress_class("x"), storage_class("x")])
def test_a_class_is_found_by_its_reference(found: Json) -> None:
    assert judge(found) == Health(OK, "Present", "It is there")
