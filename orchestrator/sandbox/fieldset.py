"""Sets of fields, held in the very form in which ``managedFields`` writes them (FieldsV1).

A set is a dictionary from path elements (``f:name``, ``k:{"name":"x"}``, ``v:"x"``) to nodes. An
empty node is a member without members below it; a node with the key ``.`` is a member that also
has some; any other node only leads to members. Sets are values: no function changes its arguments.
Follows ``sigs.k8s.io/structured-merge-diff/fieldpath``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from orchestrator.sandbox.schema import Shape, Type

FieldSet = dict[str, Any]
Path = tuple[str, ...]

_SELF = "."
_MEMBER: FieldSet = {_SELF: {}}


def _is_member(node: FieldSet) -> bool:
    return not node or _SELF in node


def _node(member: bool, below: FieldSet) -> FieldSet | None:
    if not below:
        return {} if member else None
    return _MEMBER | below if member else below


def _below(node: FieldSet) -> FieldSet:
    return {k: v for k, v in node.items() if k != _SELF} if _SELF in node else node


def from_paths(paths: Iterable[Path]) -> FieldSet:
    """Return the set of the paths."""
    tree: dict[str, Any] = {}
    for path in paths:
        here = tree
        for element in path:
            here = here.setdefault(element, {})
        here[_SELF] = {}
    return {k: v for k, v in _tidy(tree).items() if k != _SELF}


def _tidy(tree: FieldSet) -> FieldSet:
    if len(tree) == 1 and _SELF in tree:
        return {}
    return {k: (v if k == _SELF else _tidy(v)) for k, v in tree.items()}


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return what is in either."""
    if not a or not b:
        return a or b
    out = dict(a)
    for key, theirs in b.items():
        ours = a.get(key)
        out[key] = theirs if ours is None else _union_node(ours, theirs)
    return out


def _union_node(a: FieldSet, b: FieldSet) -> FieldSet:
    if a == b:
        return a
    member = _is_member(a) or _is_member(b)
    return _node(member, union(_below(a), _below(b))) or {}


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return what is in both."""
    out: FieldSet = {}
    for key, ours in a.items():
        theirs = b.get(key)
        if theirs is not None:
            member = _is_member(ours) and _is_member(theirs)
            node = _node(member, intersection(_below(ours), _below(theirs)))
            if node is not None:
                out[key] = node
    return out


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return what is in the first only; taking away a parent leaves its children."""
    if not b:
        return a
    out: FieldSet = {}
    for key, ours in a.items():
        theirs = b.get(key)
        if theirs is None:
            out[key] = ours
            continue
        member = _is_member(ours) and not _is_member(theirs)
        node = _node(member, difference(_below(ours), _below(theirs)))
        if node is not None:
            out[key] = node
    return out


def without(a: FieldSet, paths: Iterable[Path]) -> FieldSet:
    """Return the set without the paths and everything below them."""
    for path in paths:
        a = _without(a, path)
    return a


def _without(a: FieldSet, path: Path) -> FieldSet:
    head, rest = path[0], path[1:]
    if head not in a:
        return a
    out = {k: v for k, v in a.items() if k != head}
    if rest and (node := _node(_is_member(a[head]), _without(_below(a[head]), rest))) is not None:
        out[head] = node
    return out


def with_named(fields: FieldSet, kind: Type | None) -> FieldSet:
    """Return the set with every declared field on the way to a member as a member."""
    out: FieldSet = {}
    for key, node in fields.items():
        inner, named = _step(kind, key)
        member = _is_member(node) or named
        out[key] = _node(member, with_named(_below(node), inner)) or {}
    return out


def _step(kind: Type | None, key: str) -> tuple[Type | None, bool]:
    """Return the type below a path element, and whether the element is a declared field."""
    if kind is None:
        return None, False
    if key.startswith("f:"):
        found = kind.fields.get(key[2:])
        return (found.type, True) if found else (kind.element, False)
    return (kind.element, False) if kind.shape is Shape.LIST else (None, False)


def below(fields: FieldSet, key: str) -> FieldSet:
    """Return what the set holds below a path element."""
    return _below(fields.get(key, {}))


def has(fields: FieldSet, key: str) -> bool:
    """Say whether the path element itself is a member."""
    node = fields.get(key)
    return node is not None and _is_member(node)


def contains(fields: FieldSet, path: Path) -> bool:
    """Say whether the path is a member."""
    for element in path[:-1]:
        fields = fields.get(element, {})
    return has(fields, path[-1])


def paths(fields: FieldSet, prefix: Path = ()) -> Iterator[Path]:
    """Yield every member, those of a level before those below it, as structured-merge-diff does."""
    keys = [key for key in sorted(fields) if key != _SELF]
    yield from ((*prefix, key) for key in keys if _is_member(fields[key]))
    for key in keys:
        yield from paths(fields[key], (*prefix, key))


def text(path: Path) -> str:
    """Return a path as messages write it: ``.spec.containers[name="web"].image``."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = json.loads(rest)
        return "[" + ",".join(f"{k}={_quoted(v)}" for k, v in sorted(keys.items())) + "]"
    return f"[={_quoted(json.loads(rest))}]" if kind == "v" else f"[{rest}]"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@lru_cache(maxsize=4096)
def _one_key(name: str, value: str) -> str:
    return f"k:{{{json.dumps(name)}:{json.dumps(value, ensure_ascii=False)}}}"


def key_element(keys: Mapping[str, Any]) -> str:
    """Return the path element of a list entry that is known by fields."""
    if len(keys) == 1:
        ((name, value),) = keys.items()
        if type(value) is str:
            return _one_key(name, value)
    return "k:" + json.dumps(keys, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def value_element(value: object) -> str:
    """Return the path element of a list entry that is known by its value."""
    return "v:" + json.dumps(value, ensure_ascii=False)
