"""What one store's view finds, and in which order."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from orchestrator.model.kinds import Json, ObjectRef
from tests.watcher.objects import (
    SPACE,
    claim,
    endpoints,
    event,
    ingress_class,
    live,
    pod,
    ref,
    storage_class,
    view_of,
)


def aged(name: str, hour: int, leaving: bool = False, component: str = "wordpress") -> Json:
    meta = {"creationTimestamp": f"2026-11-23T{hour:02}:00:00Z"}
    if leaving:
        meta["deletionTimestamp"] = "2026-11-23T23:00:00Z"
    return pod(component, name=name, meta=meta)


def names(objects: tuple[Json, ...]) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects]


def test_an_object_is_found_by_kind_and_name_whether_namespaced_or_not() -> None:
    space = live("Namespace", SPACE)
    view = view_of(space, claim())
    assert view.get("Namespace", SPACE) is space
    assert view.get("PersistentVolumeClaim", "data-mysql-0") is not None
    assert view.get("PersistentVolumeClaim", "other") is None
    assert view.by_ref(ObjectRef("PersistentVolumeClaim", "other", "data-mysql-0")) is None


def test_classes_are_found_by_reference_and_are_not_among_the_objects() -> None:
    view = view_of(ingress_class("a"), storage_class("b"))
    assert view.by_ref(ref("IngressClass", "a")) is view.ingress_class("a") is not None
    assert view.by_ref(ref("StorageClass", "b")) is view.storage_class("b") is not None
    assert view.by_ref(ref("StorageClass", "a")) is None
    assert view.objects == {}


def test_pods_come_newest_first_and_those_that_leave_last() -> None:
    view = view_of(
        aged("old", 1), aged("gone", 9, True), aged("new", 3), aged("db", 5, component="database")
    )
    assert names(view.pods("wordpress")) == ["new", "old", "gone"]
    assert names(view.pods("database")) == ["db"]
    assert view.pods("wp-cron") == ()


def test_claims_come_by_name() -> None:
    assert names(view_of(claim("wordpress"), claim("data")).claims) == ["data", "wordpress"]


def test_endpoint_slices_belong_to_a_service() -> None:
    view = view_of(endpoints(True), endpoints(True, service="mysql"))
    assert names(view.endpoint_slices("mysql")) == ["mysql-x"]


def test_events_of_an_object_come_newest_first_by_whichever_time_they_carry() -> None:
    def at(hour: int, key: str, about: str = "involvedObject") -> Json:
        made = event(claim(), f"{key}-{hour}", "words", "2026-11-23T00:00:00Z")
        del made["lastTimestamp"]
        made[about] = made.pop("involvedObject")
        time = f"2026-11-23T{hour:02}:00:00Z"
        part: Json = {"lastObservedTime": time} if key == "series" else {}
        return {**made, key: part or time}

    told = [at(2, "eventTime", "regarding"), at(3, "lastTimestamp"), at(1, "series"), at(4, "x")]
    found = view_of(events=[*told, event(pod(), "x", "y")]).events_of(
        "PersistentVolumeClaim", "data-mysql-0"
    )
    assert [e["reason"] for e in found] == ["lastTimestamp-3", "eventTime-2", "series-1", "x-4"]


def test_a_view_with_events_is_another_view() -> None:
    view = view_of(claim(), fresh=False)
    later = view.with_events([event(claim(), "x", "y")])
    assert view.events == ()
    assert len(later.events) == 1
    assert (later.objects, later.fresh) == (view.objects, False)


def test_a_view_cannot_be_changed() -> None:
    view = view_of(claim())
    with pytest.raises(TypeError):
        view.objects[ref("Pod", "x")] = {}  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        view.fresh = False  # type: ignore[misc]
