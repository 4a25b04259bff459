"""Watches: what is sent, in which order, and what a resourceVersion promises."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from tests.contract.forgetful import Forgetful
from tests.contract.manifests import configmap
from tests.contract.wire import Json, Space, collection, eventually, ok, refused

META = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def short(event: Json) -> tuple[str, str]:
    return event["type"], event["object"]["metadata"]["name"]


def take(events: Iterator[Json], count: int) -> list[tuple[str, str]]:
    return [short(event) for event in itertools.islice(events, count)]


def now(space: Space) -> str:
    version: str = ok(space.api.get(space.path("ConfigMap")))["metadata"]["resourceVersion"]
    return version


def test_a_watch_sends_what_happens_after_the_version(space: Space) -> None:
    space.apply(configmap("before"))
    with space.api.watch(space.path("ConfigMap"), resourceVersion=now(space)) as events:
        space.apply(configmap("c", data={"a": "1"}))
        space.apply(configmap("c", data={"a": "2"}))
        space.delete("ConfigMap", "c")
        seen = list(itertools.islice(events, 3))
    assert [short(e) for e in seen] == [("ADDED", "c"), ("MODIFIED", "c"), ("DELETED", "c")]
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in seen]
    assert versions == sorted(set(versions)), "a deletion has a version of its own"
    assert seen[0]["object"]["kind"] == "ConfigMap"
    assert seen[2]["object"]["data"] == {"a": "2"}, "the last state before the deletion"


def test_a_watch_can_start_in_the_past(space: Space) -> None:
    first = space.apply(configmap("a"))["metadata"]["resourceVersion"]
    space.apply(configmap("b"))
    space.delete("ConfigMap", "a")
    with space.api.watch(space.path("ConfigMap"), resourceVersion=first) as events:
        assert take(events, 2) == [("ADDED", "b"), ("DELETED", "a")]


def test_a_watch_without_a_version_starts_with_what_is_there(space: Space) -> None:
    space.apply(configmap("a", labels={"mine": "1"}))
    space.apply(configmap("b", labels={"mine": "1"}))
    with space.api.watch(space.path("ConfigMap"), labelSelector="mine=1") as events:
        assert set(take(events, 2)) == {("ADDED", "a"), ("ADDED", "b")}
        space.apply(configmap("c", labels={"mine": "1"}))
        assert take(events, 1) == [("ADDED", "c")]


def test_a_watch_ends_at_its_time(space: Space) -> None:
    path = space.path("ConfigMap")
    with space.api.watch(path, resourceVersion=now(space), timeoutSeconds="1") as events:
        assert list(events) == []


def test_initial_events_end_with_a_marked_bookmark(space: Space) -> None:
    space.apply(configmap("a", labels={"mine": "1"}))
    options = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "labelSelector": "mine=1",
    }
    with space.api.watch(space.path("ConfigMap"), **options) as events:
        first, mark = next(events), next(events)
        space.apply(configmap("b", labels={"mine": "1"}))
        after = next(events)
    assert short(first) == ("ADDED", "a")
    assert mark["type"] == "BOOKMARK"
    meta = mark["object"]["metadata"]
    assert meta["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(meta["resourceVersion"]) >= int(first["object"]["metadata"]["resourceVersion"])
    assert short(after) == ("ADDED", "b")


def test_a_bookmark_tells_the_version_before_the_watch_ends(space: Space) -> None:
    options = {"allowWatchBookmarks": "true", "timeoutSeconds": "3"}
    start = now(space)
    with space.api.watch(space.path("ConfigMap"), resourceVersion=start, **options) as events:
        made = space.apply(configmap("a"))["metadata"]["resourceVersion"]
        seen = list(events)
    assert short(seen[0]) == ("ADDED", "a")
    marks = [e for e in seen if e["type"] == "BOOKMARK"]
    assert marks, "the server sends one a little before the end"
    assert marks[-1]["object"]["kind"] == "ConfigMap"
    assert int(marks[-1]["object"]["metadata"]["resourceVersion"]) >= int(made)


def test_a_selector_turns_leaving_into_deletion(space: Space) -> None:
    path = space.path("ConfigMap")
    with space.api.watch(path, resourceVersion=now(space), labelSelector="on=yes") as events:
        space.apply(configmap("c", labels={"on": "no"}))
        space.apply(configmap("c", labels={"on": "yes"}))
        space.apply(configmap("c", labels={"on": "yes"}, annotations={"n": "1"}))
        left = space.apply(configmap("c", labels={"on": "no"}))
        space.apply(configmap("other", labels={"on": "yes"}))
        seen = list(itertools.islice(events, 4))
    kinds = [("ADDED", "c"), ("MODIFIED", "c"), ("DELETED", "c"), ("ADDED", "other")]
    assert [short(e) for e in seen] == kinds
    gone = seen[2]["object"]["metadata"]
    assert gone["resourceVersion"] == left["metadata"]["resourceVersion"]
    assert gone["labels"] == {"on": "yes"}, "as it was when it was last selected"


def test_a_field_selector_watches_one_object(space: Space) -> None:
    path = space.path("ConfigMap")
    options = {"resourceVersion": now(space), "fieldSelector": "metadata.name=b"}
    with space.api.watch(path, **options) as events:
        space.apply(configmap("a"))
        space.apply(configmap("b"))
        assert take(events, 1) == [("ADDED", "b")]


def test_a_watch_over_all_namespaces(space: Space) -> None:
    path = collection("ConfigMap")
    options = {"resourceVersion": now(space), "labelSelector": f"in={space.name}"}
    with space.api.watch(path, **options) as events:
        space.apply(configmap("a", labels={"in": space.name}))
        event = next(events)
    assert event["object"]["metadata"]["namespace"] == space.name


def test_a_version_too_old_is_gone_and_a_new_list_helps(space: Space) -> None:
    """The first version of a cluster: remembered from its first minutes on, or gone with 410."""
    path = space.path("ConfigMap")
    space.apply(configmap("a"))
    answer = space.api.get(path, watch="true", resourceVersion="1", timeoutSeconds="1")
    if answer.status_code != 200:
        assert "too old resource version" in refused(answer, 410, "Expired")["message"]
    else:
        events = [json.loads(line) for line in answer.text.splitlines()]
        last = events[-1]
        gone = last["type"] == "ERROR" and last["object"]["code"] == 410
        assert gone or ("ADDED", "a") in [short(event) for event in events]
    fresh = ok(space.api.get(path))["metadata"]["resourceVersion"]
    with space.api.watch(path, resourceVersion=fresh) as stream:
        space.apply(configmap("b"))
        assert take(stream, 1) == [("ADDED", "b")]


def test_a_watch_of_metadata_only(space: Space) -> None:
    path = space.path("ConfigMap")
    with space.api.watch(path, accept=META, resourceVersion=now(space)) as events:
        space.apply(configmap("a", data={"secret": "x"}))
        event = next(events)
    assert event["object"]["kind"] == "PartialObjectMetadata"
    assert event["object"]["apiVersion"] == "meta.k8s.io/v1"
    assert event["object"]["metadata"]["name"] == "a"
    assert "data" not in event["object"]


def test_a_watch_as_a_table(space: Space) -> None:
    path = space.path("ConfigMap")
    with space.api.watch(path, accept=TABLE, resourceVersion=now(space)) as events:
        space.apply(configmap("a", data={"x": "y"}))
        first = next(events)
        space.apply(configmap("b"))
        second = next(events)
    assert first["object"]["kind"] == "Table"
    assert first["object"]["rows"][0]["cells"][:2] == ["a", 1]
    assert [c["name"] for c in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert not second["object"].get("columnDefinitions"), "columns are told once"


def test_a_watch_from_zero_starts_with_what_is_there(space: Space) -> None:
    space.apply(configmap("a", labels={"mine": "1"}))
    path = space.path("ConfigMap")

    def first() -> tuple[str, str] | None:
        """Any state will do, an older one too: look until the object is in it."""
        options = {"labelSelector": "mine=1", "timeoutSeconds": "1"}
        with space.api.watch(path, resourceVersion="0", **options) as events:
            return next((short(event) for event in events), None)

    assert eventually(first) == ("ADDED", "a")


def test_wrong_watches_are_refused(space: Space) -> None:
    path = space.path("ConfigMap")
    wrong = {"watch": "true", "sendInitialEvents": "true"}
    status = refused(space.api.get(path, **wrong), 422, "Invalid")
    assert status["details"]["causes"][0]["field"] == "resourceVersionMatch"
    assert space.api.get(path, watch="true", resourceVersion="abc").status_code >= 400
    refused(space.api.get(path, watch="true", labelSelector="a in"), 400, "BadRequest")


def test_a_set_of_labels_is_watched(space: Space) -> None:
    options = {"resourceVersion": now(space), "labelSelector": "tier in (a, b),!hidden"}
    with space.api.watch(space.path("ConfigMap"), **options) as events:
        space.apply(configmap("one", labels={"tier": "a", "hidden": ""}))
        space.apply(configmap("two", labels={"tier": "c"}))
        space.apply(configmap("three", labels={"tier": "b"}))
        assert take(events, 1) == [("ADDED", "three")]


def test_the_watch_sees_each_version_of_an_object(space: Space) -> None:
    """Every write once, in order, with the version that the writer was told."""
    with space.api.watch(space.path("ConfigMap"), resourceVersion=now(space)) as events:
        made = [space.apply(configmap("c", data={"n": str(n)})) for n in range(20)]
        seen = list(itertools.islice(events, 20))
    assert [e["object"] for e in seen] == made


def test_what_is_forgotten_is_410_and_a_new_list_helps(forgetful: Forgetful) -> None:
    """A watch from a version before the server's memory begins, as after its restart."""
    path = forgetful.before.path("ConfigMap")
    old = forgetful.before.apply(configmap("a"))["metadata"]["resourceVersion"]
    forgetful.before.apply(configmap("b"))
    space = forgetful.restart()
    answer = space.api.get(path, watch="true", resourceVersion=old, timeoutSeconds="5")
    assert answer.status_code == 200
    (event,) = [json.loads(line) for line in answer.text.splitlines()]
    assert event["type"] == "ERROR"
    gone = event["object"]
    assert (gone["kind"], gone["code"], gone["reason"]) == ("Status", 410, "Expired")
    assert gone["message"].startswith(f"too old resource version: {old} (")
    listed = ok(space.api.get(path))
    assert {"a", "b"} <= {o["metadata"]["name"] for o in listed["items"]}
    fresh = listed["metadata"]["resourceVersion"]
    with space.api.watch(path, resourceVersion=fresh) as events:
        space.apply(configmap("c"))
        assert take(events, 1) == [("ADDED", "c")]
