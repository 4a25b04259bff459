"""JSON, merge and strategic merge patches."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.patches import json_patch, merge_patch, strategic_patch
from orchestrator.sandbox.schema import type_of

SPEC = type_of("io.k8s.api.core.v1.PodSpec")


def strategic(value: Any, patch: Any) -> Any:
    return strategic_patch(SPEC, value, patch)


def test_merge_patch_of_rfc_7386() -> None:
    value = {"a": {"b": 1, "c": [1]}, "d": 1}
    assert merge_patch(value, {"a": {"b": None, "c": [2]}, "d": {"e": None, "f": 1}}) == {
        "a": {"c": [2]},
        "d": {"f": 1},
    }
    assert value == {"a": {"b": 1, "c": [1]}, "d": 1}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([{"op": "add", "path": "/a/1", "value": 9}], {"a": [1, 9, 2]}),
        ([{"op": "add", "path": "/a/-", "value": 9}], {"a": [1, 2, 9]}),
        ([{"op": "replace", "path": "/a/0", "value": 9}], {"a": [9, 2]}),
        ([{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ([{"op": "move", "from": "/a", "path": "/b"}], {"b": [1, 2]}),
        ([{"op": "copy", "from": "/a/0", "path": "/b"}], {"a": [1, 2], "b": 1}),
        ([{"op": "add", "path": "/x~1y~0z", "value": 1}], {"a": [1, 2], "x/y~z": 1}),
        ([{"op": "test", "path": "/a", "value": [1, 2]}], {"a": [1, 2]}),
    ],
)
def test_json_patch(steps: list[Any], expected: Any) -> None:
    assert json_patch({"a": [1, 2]}, steps) == expected


@pytest.mark.parametrize(
    "step",
    [
        {"op": "remove", "path": "/none"},
        {"op": "test", "path": "/a", "value": 3},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/a/7", "value": 1},
        {"op": "nonsense", "path": "/a"},
        {"op": "add", "path": "/a"},
    ],
)
def test_a_json_patch_that_cannot_be_applied(step: Any) -> None:
    with pytest.raises(ApiError) as refused:
        json_patch({"a": [1, 2]}, [step])
    assert refused.value.code == 422


def test_strategic_lists_merge_by_their_key() -> None:
    value = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "nodeSelector": {"x": "y"}}
    made = strategic(value, {"containers": [{"name": "a", "image": "2"}, {"name": "c"}]})
    assert made["containers"] == [{"name": "a", "image": "2"}, {"name": "c"}, {"name": "b"}]
    assert made["nodeSelector"] == {"x": "y"}


def test_strategic_directives() -> None:
    value = {"containers": [{"name": "a"}, {"name": "b"}], "nodeSelector": {"x": "y", "z": "w"}}
    gone = {"containers": [{"name": "a", "$patch": "delete"}]}
    assert strategic(value, gone)["containers"] == [{"name": "b"}]
    replaced = {"containers": [{"$patch": "replace"}, {"name": "c"}]}
    assert strategic(value, replaced)["containers"] == [{"name": "c"}]
    assert strategic(value, {"nodeSelector": {"$patch": "replace", "q": "1"}})["nodeSelector"] == {
        "q": "1"
    }
    kept = {"nodeSelector": {"$retainKeys": ["x"], "x": "new"}}
    assert strategic(value, kept)["nodeSelector"] == {"x": "new"}
    order = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}
    names = [c["name"] for c in strategic(value, order)["containers"]]
    assert names == ["b", "a"]


def test_strategic_primitive_lists() -> None:
    meta = type_of("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
    value = {"finalizers": ["a/1", "a/2"]}
    assert strategic_patch(meta, value, {"finalizers": ["a/2", "a/3"]})["finalizers"] == [
        "a/1",
        "a/2",
        "a/3",
    ]
    gone = {"$deleteFromPrimitiveList/finalizers": ["a/1"]}
    assert strategic_patch(meta, value, gone)["finalizers"] == ["a/2"]


def test_strategic_replaces_lists_without_a_strategy() -> None:
    value = {"containers": [{"name": "a", "args": ["1", "2"]}]}
    made = strategic(value, {"containers": [{"name": "a", "args": ["3"]}]})
    assert made["containers"][0]["args"] == ["3"]
