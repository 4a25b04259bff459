"""Values seen through their types: which fields they set, how two differ, how two merge.

Follows ``sigs.k8s.io/structured-merge-diff/typed``, which is what server-side apply does: maps and
structs merge by field, lists by key or value where the schema says so, and whatever is atomic is
one field. A path is a tuple of FieldsV1 elements.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sandbox import fieldset
from orchestrator.sandbox.fieldset import FieldSet, Path
from orchestrator.sandbox.schema import SCALARS, Field, Shape, Type
from orchestrator.sandbox.values import go_value

ABSENT: Any = object()
"""Stands for a value that is not there; ``None`` is a JSON null."""

_ANY_LIST = Type(Shape.LIST, atomic=True)
_ANY_MAP = Type(Shape.MAP)
_ANY_MAP.element = Type(Shape.ANY)
_SCALAR = Type(Shape.STRING)


@dataclass
class Comparison:
    """How a new value differs from an old one, by field."""

    removed: FieldSet
    modified: FieldSet
    added: FieldSet

    def map(self, change: Any) -> Comparison:
        """Return the comparison with every set changed by a function."""
        return Comparison(change(self.removed), change(self.modified), change(self.added))


@dataclass
class _Paths:
    removed: list[Path] = field(default_factory=list)
    modified: list[Path] = field(default_factory=list)
    added: list[Path] = field(default_factory=list)


def part(kind: Type, key: str) -> Type | None:
    """Return the type of a field or map value; None when there is no such field."""
    found = kind.fields.get(key)
    return found.type if found is not None else kind.element


def deduced(kind: Type, *values: Any) -> Type:
    """Return the type to use; free-form parts take the type of their value."""
    if kind.shape is not Shape.ANY:
        return kind
    for value in values:
        if isinstance(value, dict):
            return _ANY_MAP
        if isinstance(value, list):
            return _ANY_LIST
    return _SCALAR


def element_of(kind: Type, item: Any) -> str:
    """Return the path element of an entry of an associative list."""
    if not kind.keys:
        return fieldset.value_element(item)
    found = {}
    fields: dict[str, Field] = kind.element.fields if kind.element else {}
    for key in kind.keys:
        value = item.get(key, ABSENT)
        if value is ABSENT:
            value = fields[key].default if key in fields else None
            if value is None:
                continue
        found[key] = value
    return fieldset.key_element(found)


def fields_of(kind: Type, value: Any) -> FieldSet:
    """Return the set of fields that a struct or map value sets."""
    kind = deduced(kind, value)
    out: FieldSet = {}
    for key, item in value.items():
        declared = kind.fields.get(key)
        inner = declared.type if declared is not None else kind.element
        if inner is None:
            continue
        member, below = _inside(inner, item)
        member = member or declared is None or item is None or item == {}
        if below:
            out[f"f:{key}"] = {".": {}, **below} if member else below
        elif member:
            out[f"f:{key}"] = {}
    return out


def _inside(kind: Type, value: Any) -> tuple[bool, FieldSet]:
    kind = deduced(kind, value)
    if kind.atomic or kind.shape in SCALARS:
        return True, {}
    if value is None:
        return False, {}
    if kind.shape is Shape.LIST:
        return False, _entries(kind, value)
    return False, fields_of(kind, value)


def _entries(kind: Type, value: list[Any]) -> FieldSet:
    out: FieldSet = {}
    assert kind.element is not None
    for item in value:
        element = element_of(kind, item)
        if element in out:  # a duplicate is owned as a whole
            out[element] = {}
            continue
        _, below = _inside(kind.element, item)
        out[element] = {".": {}, **below} if below else {}
    return out


def compare(kind: Type, old: Any, new: Any) -> Comparison:
    """Return what was removed, modified and added."""
    found = _Paths()
    _compare(kind, old, new, (), found)
    sets = (fieldset.from_paths(p) for p in (found.removed, found.modified, found.added))
    return Comparison(*sets)


def _compare(kind: Type, old: Any, new: Any, path: Path, out: _Paths) -> None:
    if old is not ABSENT and new is not ABSENT and old == new:
        return
    kind = deduced(kind, new, old)
    leaf = kind.atomic or kind.shape in SCALARS or _both_empty(old, new)
    if not leaf:
        if kind.shape is Shape.LIST:
            _compare_lists(kind, old, new, path, out)
        else:
            _compare_maps(kind, old, new, path, out)
    if old is ABSENT:
        out.added.append(path)
    elif new is ABSENT:
        out.removed.append(path)
    elif leaf:
        out.modified.append(path)


def _both_empty(old: Any, new: Any) -> bool:
    return not (old is not ABSENT and old) and not (new is not ABSENT and new)


def _compare_maps(kind: Type, old: Any, new: Any, path: Path, out: _Paths) -> None:
    before = old if isinstance(old, dict) else {}
    after = new if isinstance(new, dict) else {}
    for key in before.keys() | after.keys():
        inner = part(kind, key)
        if inner is not None:
            mine = (*path, f"f:{key}")
            _compare(inner, before.get(key, ABSENT), after.get(key, ABSENT), mine, out)


def _compare_lists(kind: Type, old: Any, new: Any, path: Path, out: _Paths) -> None:
    before = _grouped(kind, old)
    after = _grouped(kind, new)
    assert kind.element is not None
    for element in dict.fromkeys([*before, *after]):
        mine = (*path, element)
        olds, news = before.get(element, []), after.get(element, [])
        if len(olds) <= 1 and len(news) <= 1:
            first = olds[0] if olds else ABSENT
            _compare(kind.element, first, news[0] if news else ABSENT, mine, out)
        elif len(olds) >= 2 and len(news) >= 2:
            if olds != news:
                out.modified.append(mine)
        elif len(olds) >= 2:
            _compare(kind.element, ABSENT, news[0], mine, out) if news else None
            out.removed.append(mine)
        else:
            _compare(kind.element, olds[0], ABSENT, mine, out) if olds else None
            out.added.append(mine)


def _grouped(kind: Type, values: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in values if isinstance(values, list) else ():
        found.setdefault(element_of(kind, item), []).append(item)
    return found


def merge(kind: Type, live: Any, config: Any) -> Any:
    """Return the live value with the configuration laid over it; ABSENT when nothing is left."""
    if config is ABSENT:
        return live
    kind = deduced(kind, config, live)
    if live is ABSENT or kind.atomic or kind.shape in SCALARS or not config:
        return _over(kind, live, config)
    if kind.shape is Shape.LIST:
        return _merge_lists(kind, live or [], config)
    return _merge_maps(kind, live or {}, config)


def _over(kind: Type, live: Any, config: Any) -> Any:
    """Return the result where there is nothing to descend into."""
    granular = not kind.atomic and kind.shape not in SCALARS
    return live if granular and live is not ABSENT and live else config


def _merge_maps(kind: Type, live: Any, config: Any) -> Any:
    out = dict(live)
    for key, value in config.items():
        inner = part(kind, key)
        if inner is not None:
            out[key] = merge(inner, live.get(key, ABSENT), value)
    return out


def _merge_lists(kind: Type, live: list[Any], config: list[Any]) -> list[Any]:
    """Keep the order of the configuration, and of the live entries around it."""
    assert kind.element is not None
    ours = [element_of(kind, item) for item in config]
    wanted = dict(zip(ours, config, strict=True))
    theirs = [element_of(kind, item) for item in live]
    there: dict[str, Any] = {}
    for element, item in zip(theirs, live, strict=True):
        there[element] = None if element in there else item
    out: list[Any] = []
    done: set[str] = set()
    shared = iter([e for e in ours if e in there])
    following = next(shared, None)
    left = right = 0
    while left < len(theirs) or right < len(ours):
        if left < len(theirs) and right < len(ours):
            element = theirs[left]
            if element == ours[right]:
                out.append(merge(kind.element, there[element], wanted[element]))
                done.add(element)
                left, right, following = left + 1, right + 1, next(shared, None)
                continue
            if element in wanted and following is not None and following != element:
                left += 1
                continue
        if left < len(theirs):
            element = theirs[left]
            if element not in wanted:
                out.append(live[left])
                left += 1
                continue
            if element in done:
                left += 1
        if right < len(ours):
            element = ours[right]
            out.append(merge(kind.element, there.get(element, ABSENT), wanted[element]))
            done.add(element)
            right += 1
            following = next(shared, None) if following == element else following
    return out


def remove(kind: Type, value: Any, fields: FieldSet) -> Any:
    """Return the value without the fields; what became empty by that is None."""
    kind = deduced(kind, value)
    if not fields or not value or kind.atomic or kind.shape in SCALARS:
        return value
    if isinstance(value, list):
        return _remove_entries(kind, value, fields)
    out = {}
    for key, item in value.items():
        element = f"f:{key}"
        if fieldset.has(fields, element):
            continue
        inner = part(kind, key)
        subset = fieldset.below(fields, element)
        out[key] = remove(inner, item, subset) if subset and inner is not None else item
    return out or None


def _remove_entries(kind: Type, value: list[Any], fields: FieldSet) -> list[Any] | None:
    assert kind.element is not None
    out = []
    for item in value:
        element = element_of(kind, item)
        if not fieldset.has(fields, element):
            subset = fieldset.below(fields, element)
            out.append(remove(kind.element, item, subset) if subset else item)
    return out or None


def problems(kind: Type, value: Any, *, duplicates: bool = False) -> list[str]:
    """Return what is wrong with a value by its type: undeclared fields, types, duplicate keys."""
    found: list[tuple[str, str]] = []
    _check(kind, value, "", found, duplicates)
    return [f"{path}: {message}" if path else message for path, message in found]


def _check(kind: Type, value: Any, path: str, out: list[tuple[str, str]], duplicates: bool) -> None:
    if value is None:
        return
    if kind.shape in SCALARS:
        if wrong := _wrong_scalar(kind.shape, value):
            out.append((path, wrong))
    elif kind.shape is Shape.LIST:
        if not isinstance(value, list):
            out.append((path, f"expected list, got {go_value(value)}"))
        else:
            _check_entries(kind, value, path, out, duplicates)
    elif kind.shape is not Shape.ANY:
        if not isinstance(value, dict):
            out.append((path, f"expected map, got {go_value(value)}"))
        else:
            _check_fields(kind, value, path, out, duplicates)


def _check_fields(
    kind: Type, value: dict[str, Any], path: str, out: list[tuple[str, str]], duplicates: bool
) -> None:
    for key, item in value.items():
        inner = part(kind, key)
        if inner is None:
            out.append((f"{path}.{key}", "field not declared in schema"))
            return
        _check(inner, item, f"{path}.{key}", out, duplicates)


def _check_entries(
    kind: Type, value: list[Any], path: str, out: list[tuple[str, str]], duplicates: bool
) -> None:
    seen: set[str] = set()
    assert kind.element is not None
    for number, item in enumerate(value):
        here = f"{path}[{number}]"
        if kind.associative:
            wrong = _wrong_entry(kind, item)
            if wrong:
                out.append((path, f"element {number}: {wrong}"))
                return
            element = element_of(kind, item)
            here = path + fieldset.text((element,))
            if element in seen and not duplicates:
                out.append((path, f"duplicate entries for key {fieldset.text((element,))}"))
            seen.add(element)
        _check(kind.element, item, here, out, duplicates)


def _wrong_entry(kind: Type, item: Any) -> str:
    if not kind.keys:
        if item is None or isinstance(item, dict | list):
            return "associative list without keys has an element that's a map type"
        return ""
    if item is None:
        return "associative list with keys may not have a null element"
    if not isinstance(item, dict):
        return "associative list with keys may not have non-map elements"
    if element_of(kind, item) == "k:{}":
        names = " ".join(f'"{key}"' for key in kind.keys)
        return (
            f"associative list with keys has an element that omits all key fields [{names}] "
            "(and doesn't have default values for any key fields)"
        )
    return ""


def _wrong_scalar(shape: Shape, value: Any) -> str:
    if shape is Shape.BOOLEAN:
        return "" if isinstance(value, bool) else f"expected boolean, got {go_value(value)}"
    if shape in (Shape.INTEGER, Shape.NUMBER):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return ""
        return f"expected numeric (int or float), got {_go_type(value)}"
    if shape in (Shape.QUANTITY, Shape.INT_OR_STRING):
        if isinstance(value, dict | list):
            return f"expected any scalar, got {go_value(value)}"
        return ""
    return "" if isinstance(value, str) else f"expected string, got {_go_literal(value)}"


def _go_type(value: Any) -> str:
    names: Iterable[tuple[type, str]] = (
        (bool, "bool"),
        (str, "string"),
        (dict, "map[string]interface {}"),
        (list, "[]interface {}"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "int64")


def _go_literal(value: Any) -> str:
    return f"&value.valueUnstructured{{Value:{go_value(value)}}}"
