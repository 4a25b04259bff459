"""Sets of fields behave like sets of paths."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.sandbox import fieldset
from orchestrator.sandbox.fieldset import FieldSet, Path
from orchestrator.sandbox.schema import type_of

ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
PATHS = st.sets(st.lists(ELEMENTS, min_size=1, max_size=4).map(tuple), max_size=8)


def members(fields: FieldSet) -> set[Path]:
    return set(fieldset.paths(fields))


@given(PATHS)
def test_paths_round_trip(one: set[Path]) -> None:
    assert members(fieldset.from_paths(one)) == one


@given(PATHS, PATHS)
def test_the_algebra_is_that_of_sets(one: set[Path], two: set[Path]) -> None:
    a, b = fieldset.from_paths(one), fieldset.from_paths(two)
    assert members(fieldset.union(a, b)) == one | two
    assert members(fieldset.intersection(a, b)) == one & two
    assert members(fieldset.difference(a, b)) == one - two
    assert members(a) == one, "arguments are not changed"


@given(PATHS, st.lists(ELEMENTS, min_size=1, max_size=2).map(tuple))
def test_without_takes_what_is_below_too(one: set[Path], gone: Path) -> None:
    left = fieldset.without(fieldset.from_paths(one), [gone])
    assert members(left) == {p for p in one if p[: len(gone)] != gone}


@given(PATHS)
def test_contains(one: set[Path]) -> None:
    fields = fieldset.from_paths(one)
    for path in one:
        assert fieldset.contains(fields, path)
    assert not fieldset.contains(fields, ("f:zz",))


def test_the_form_is_fields_v1() -> None:
    paths = [("f:data",), ("f:data", "f:a"), ("f:spec", "f:replicas")]
    assert fieldset.from_paths(paths) == {
        "f:data": {".": {}, "f:a": {}},
        "f:spec": {"f:replicas": {}},
    }


def test_declared_fields_on_the_way_become_members() -> None:
    fields: fieldset.FieldSet = {
        "f:spec": {"f:template": {"f:metadata": {"f:labels": {"f:app": {}}}}}
    }
    named = fieldset.with_named(fields, type_of("io.k8s.api.apps.v1.Deployment"))
    way = ("f:spec", "f:template", "f:metadata", "f:labels")
    assert members(named) == {way[:n] for n in range(1, 5)} | {(*way, "f:app")}


def test_paths_as_messages_write_them() -> None:
    path = ("f:spec", "f:ports", fieldset.key_element({"port": 80, "protocol": "TCP"}), "f:name")
    assert fieldset.text(path) == '.spec.ports[port=80,protocol="TCP"].name'
    assert (
        fieldset.text(("f:metadata", "f:finalizers", 'v:"a/b"')) == '.metadata.finalizers[="a/b"]'
    )
