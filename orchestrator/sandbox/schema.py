"""The types of every kind, compiled from the published schemas of Kubernetes.

``schema.json.gz`` is made by ``tests/sandbox/make_schema.py`` from the OpenAPI v3 documents and
the Go types of Kubernetes 1.36 (Apache-2.0), without their prose. From it come: what may be in an
object, how lists and maps merge (``x-kubernetes-list-type`` and its kin), which fields JSON
encoding leaves out when they are empty, and the protobuf numbers.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

from orchestrator.sandbox.values import Json

_REFERENCE = "#/components/schemas/"


class Shape(Enum):
    """What a value of a type looks like in JSON."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    BYTES = "bytes"
    TIME = "Time"
    MICRO_TIME = "MicroTime"
    QUANTITY = "Quantity"
    INT_OR_STRING = "IntOrString"
    ANY = "any"
    STRUCT = "struct"
    MAP = "map"
    LIST = "list"


SCALARS = frozenset(Shape) - {Shape.ANY, Shape.STRUCT, Shape.MAP, Shape.LIST}
"""Shapes whose values have no parts."""

_SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": Shape.QUANTITY,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": Shape.INT_OR_STRING,
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": Shape.TIME,
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": Shape.MICRO_TIME,
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": Shape.ANY,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": Shape.ANY,
}


@dataclass(eq=False)
class Type:
    """A type: its shape, its parts, and how two values of it merge.

    ``atomic``: one owner for the whole. ``keys``: a list whose entries are known by these fields;
    ``unique``: a list whose values are known by themselves. ``name`` is the Go type's.
    """

    shape: Shape
    name: str = ""
    fields: dict[str, Field] = field(default_factory=dict)
    element: Type | None = None
    atomic: bool = False
    keys: tuple[str, ...] = ()
    unique: bool = False
    always: dict[str, Any] = field(default_factory=dict)
    """What JSON encoding writes for fields that are absent: field to zero value."""

    @property
    def associative(self) -> bool:
        """Whether entries of the list are known by key or value."""
        return bool(self.keys) or self.unique


@dataclass(eq=False)
class Field:
    """A field of a struct.

    ``dropped``: an empty value is not encoded. ``merge_key`` and ``strategy``: of strategic merge
    patches. ``number``: of protobuf; ``inlined``: of the embedded struct that holds the field.
    """

    type: Type
    dropped: bool
    go_type: str
    merge_key: str = ""
    strategy: frozenset[str] = frozenset()
    number: int = 0
    inlined: int = 0
    default: Any = None


@cache
def _file() -> Json:
    packed = resources.files("orchestrator.sandbox").joinpath("schema.json.gz").read_bytes()
    found: Json = json.loads(gzip.decompress(packed))
    return found


def definitions() -> Json:
    """Return the OpenAPI definitions by name."""
    found: Json = _file()["schemas"]
    return found


_TYPES: dict[str, Type] = {}


def type_of(definition: str) -> Type:
    """Return the compiled type of a definition."""
    found = _TYPES.get(definition)
    if found is None:
        found = _TYPES[definition] = Type(Shape.ANY, definition.rpartition(".")[2])
        _fill(found, definitions()[definition], definition)
    return found


def _compile(schema: Json) -> Type:
    reference = schema.get("$ref") or next((s["$ref"] for s in schema.get("allOf", [])), None)
    if reference:
        target = type_of(reference.removeprefix(_REFERENCE))
        if schema.get("x-kubernetes-map-type") == "atomic" and not target.atomic:
            return Type(
                target.shape,
                target.name,
                target.fields,
                target.element,
                True,
                always=target.always,
            )
        return target
    made = Type(Shape.ANY)
    _fill(made, schema, "")
    return made


def _fill(made: Type, schema: Json, definition: str) -> None:
    made.atomic = schema.get("x-kubernetes-map-type") == "atomic"
    if definition in _SPECIAL:
        made.shape = _SPECIAL[definition]
    elif "properties" in schema:
        made.shape = Shape.STRUCT
        _fill_fields(made, schema, _file()["go"].get(definition, {}))
    elif "additionalProperties" in schema:
        made.shape, made.element = Shape.MAP, _compile(schema["additionalProperties"])
    elif schema.get("type") == "array":
        made.shape, made.element = Shape.LIST, _compile(schema["items"])
        kind = schema.get("x-kubernetes-list-type", "atomic")
        made.atomic, made.unique = kind == "atomic", kind == "set"
        if kind == "map":
            made.keys = tuple(sorted(schema["x-kubernetes-list-map-keys"]))
    elif schema.get("type") == "object":
        made.shape = Shape.STRUCT if definition else Shape.ANY
    else:
        made.shape = Shape.BYTES if schema.get("format") == "byte" else Shape(schema["type"])


def _fill_fields(made: Type, schema: Json, go: Json) -> None:
    for name, part in schema["properties"].items():
        go_type, flags, number, inlined = go.get(name, ["string", "o", 0, 0])
        kind = _compile(part)
        pointer = "p" in flags
        struct = kind.shape in (Shape.STRUCT, Shape.TIME, Shape.MICRO_TIME, Shape.QUANTITY)
        if not pointer and "z" not in flags and (struct or "o" not in flags):
            made.always[name] = _zero(kind)
        made.fields[name] = Field(
            kind,
            not pointer and ("z" in flags or ("o" in flags and not struct)),
            go_type.rpartition(".")[2],
            part.get("x-kubernetes-patch-merge-key", ""),
            frozenset(part.get("x-kubernetes-patch-strategy", "").split(",")) - {""},
            number,
            inlined,
            part.get("default"),
        )


def _zero(kind: Type) -> Any:
    zeros: dict[Shape, Any] = {
        Shape.STRING: "",
        Shape.INTEGER: 0,
        Shape.NUMBER: 0,
        Shape.BOOLEAN: False,
        Shape.QUANTITY: "0",
        Shape.INT_OR_STRING: 0,
    }
    return {} if kind.shape is Shape.STRUCT else zeros.get(kind.shape)
