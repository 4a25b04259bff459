"""Whatever a cluster sends: judging never raises, changes nothing, and speaks in safe sentences."""

from __future__ import annotations

import copy
import json
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.model.health import Health
from orchestrator.model.kinds import KINDS, Json, ObjectRef
from orchestrator.watcher import StoreView
from orchestrator.watcher.fields import LONGEST, clean
from orchestrator.watcher.health import assess, conditions, container_states
from orchestrator.watcher.health.initcontainer import outcome, summary
from orchestrator.watcher.health.namespace import remaining
from orchestrator.watcher.watcher import CLASS_KINDS, STORE_KINDS, Index
from tests.watcher.objects import (
    CLASSES,
    DONE,
    RUNNING,
    SPACE,
    STORE,
    claim,
    condition,
    deployment,
    ended,
    endpoints,
    event,
    ingress,
    ingress_class,
    live,
    pod,
    state_of,
    stateful_set,
    storage_class,
    waiting,
)

Path = tuple[str | int, ...]
UNSAFE = {"Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn"}
NASTY = st.sampled_from(
    ["", "\x00", "\x1b[31m", "\ud800", "a\r\nb", "\u202e", "\u2028", "x" * 5000]
)
TEXT = st.one_of(NASTY, st.text(max_size=20))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), TEXT, st.just("True")
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
SAID = st.one_of(TEXT, st.sampled_from(["wordpress", "woocommerce", "order", "changed"]))
PARTS = st.sampled_from(["metadata", "spec", "status", "endpoints"])
LEAVING = {"deletionTimestamp": "2026-11-23T12:00:00Z", "finalizers": ["a.example/b"]}
NO_ROOM = condition("PodScheduled", "False", "Unschedulable", "0/1 nodes are available")


def troubled() -> list[Json]:
    """Return objects in every kind of trouble, so that every sentence has words to carry."""
    failing = condition("NamespaceDeletionContentFailure", "True", "Failed", "words")
    late = condition("Progressing", "False", "ProgressDeadlineExceeded", "words")
    crash = state_of("mysql", waiting("CrashLoopBackOff", "words"), ended(1, message="words"))
    setup = state_of("setup", ended(70, message='{"error": "words", "n": 1}'))
    return [
        live("Namespace", SPACE, meta=LEAVING, status={"conditions": [failing]}),
        stateful_set(readyReplicas=0),
        deployment(availableReplicas=0, conditions=[late]),
        pod("database", crash, name="mysql-0"),
        pod("database", name="mysql-1", conditions=[NO_ROOM]),
        pod("database", name="mysql-2", phase="Failed", reason="Evicted", message="words"),
        pod("wordpress", state_of("x", RUNNING, ended(1)), init=[state_of("p", DONE), setup]),
        claim(phase="Pending"),
        claim("wordpress", "Pending", None),
        live("Service", "wordpress", spec={"type": "LoadBalancer"}),
        endpoints(True, False),
        ingress(addresses=[{"ip": "203.0.113.7"}]),
        live("ResourceQuota", "store", status={"hard": {"pods": "1"}, "used": {"pods": "1"}}),
        live("PodDisruptionBudget", "x", status={"conditions": [condition("x", "y")]}),
        live("CronJob", "wp-cron", component="wordpress", status={"lastScheduleTime": "2026"}),
        live("ConfigMap", "x", meta=LEAVING),
        live("Secret", "x"),
        ingress_class(default=True),
        storage_class(default=True),
    ]


def events() -> list[Json]:
    return [
        event(stateful_set(), "FailedCreate", "exceeded quota"),
        event(claim(), "ProvisioningFailed", "words"),
    ]


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """Yield every place in a JSON value."""
    if here:
        yield here
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, inner in entries:
        yield from paths(inner, (*here, key))


def planted(root: Any, path: Path, junk: Any) -> None:
    """Put ``junk`` at a place, unless other junk took that place away."""
    with suppress(KeyError, IndexError, TypeError):
        for key in path[:-1]:
            root = root[key]
        root[path[-1]] = junk


OBJECTS, EVENTS = troubled(), events()
PLACES = list(paths([OBJECTS, EVENTS]))
DAMAGE = st.lists(st.tuples(st.sampled_from([p for p in PLACES if len(p) > 2]), JUNK), max_size=8)


def view_of_any(objects: list[Any], told: list[Any]) -> StoreView:
    """Return a view under the identities that the objects had before they were damaged."""
    refs = [ObjectRef.of(obj) for obj in OBJECTS]
    held = {r: o for r, o in zip(refs, objects, strict=True) if isinstance(o, dict)}
    classes = {kind: {r.name: o for r, o in held.items() if r.kind == kind} for kind in CLASSES}
    return StoreView(
        STORE,
        {r: o for r, o in held.items() if r.kind not in CLASSES},
        classes["IngressClass"],
        classes["StorageClass"],
        True,
        told,
    )


def check_text(value: str, longest: int = LONGEST) -> None:
    assert len(value) <= longest
    assert not {c for c in value if unicodedata.category(c) in UNSAFE}


def check(health: Health) -> None:
    check_text(health.message)
    check_text(health.reason, 100)
    assert health.reason
    assert " " not in health.reason


def judge_all(world: list[Any]) -> None:
    """Judge everything, and check all that is said."""
    before = repr(world)
    view = view_of_any(*world)
    for health in conditions(view).values():
        check(health)
    for ref in (ObjectRef.of(obj) for obj in OBJECTS):
        check(assess(ref, view))
    for words in remaining(view.objects.get(ObjectRef("Namespace", "", SPACE), {})):
        check_text(words)
    for entry in container_states(view):
        json.dumps(entry)
        for value in entry.values():
            check_text(value if isinstance(value, str) else "")
    assert repr(world) == before


@settings(max_examples=200, deadline=None)
@example([])
@given(DAMAGE)
def test_a_store_damaged_in_many_places_is_judged(damage: list[tuple[Path, Any]]) -> None:
    world = copy.deepcopy([OBJECTS, EVENTS])
    for path, junk in damage:
        planted(world, path, junk)
    judge_all(world)


@pytest.mark.parametrize(
    "junk",
    [None, True, 7, [], [None, 7, "\ud800"], {"a": [None]}, "\ud800\n\x1b[31m\u202e" + "x" * 5000],
    ids=["null", "true", "number", "no list", "list", "object", "text"],
)
def test_a_store_damaged_in_any_one_place_is_judged(junk: Any) -> None:
    for path in PLACES:
        if len(path) > 1:
            world = copy.deepcopy([OBJECTS, EVENTS])
            planted(world, path, junk)
            judge_all(world)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.dictionaries(PARTS, JUNK))
def test_any_object_of_any_kind_is_judged(kind: str, obj: Json) -> None:
    ref = ObjectRef(kind, "", "x")
    same = {"x": obj}
    check(assess(ref, StoreView(STORE, {ref: obj}, same, same, True, [obj])))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([*STORE_KINDS, *CLASS_KINDS]),
    st.lists(st.one_of(JUNK, st.builds(lambda m: {"metadata": m}, JUNK)), max_size=3),
    st.sampled_from(["ADDED", "MODIFIED", "DELETED"]),
    DAMAGE,
)
def test_any_list_and_any_change_is_taken(
    kind: str, items: list[Any], change: str, damage: list[tuple[Path, Any]]
) -> None:
    objects, _ = world = copy.deepcopy([OBJECTS, EVENTS])
    for path, junk in damage:
        planted(world, path, junk)
    index = Index(lambda _: None)
    index.replace(kind, [*items, *objects])
    for obj in objects:
        index.apply(kind, change, obj)
    index.replace(kind, [])
    assert index.store_ids() == frozenset()
    assert not any(index.classes.values())


@settings(max_examples=200, deadline=None)
@given(st.one_of(JUNK, JUNK.map(json.dumps), st.dictionaries(SAID, JUNK).map(json.dumps)))
def test_any_last_words_are_summed_up(words: Any) -> None:
    check_text(summary(words), 350)
    check_text(outcome(words), 350)


@settings(max_examples=200, deadline=None)
@given(st.one_of(TEXT, JUNK, st.text(min_size=90, max_size=200)), st.integers(1, 100))
def test_a_cleaned_text_is_one_bounded_line(value: Any, longest: int) -> None:
    line = clean(value, longest)
    check_text(line, longest)
    assert line == line.strip()
    assert "  " not in line
    assert clean(line, longest) == line
