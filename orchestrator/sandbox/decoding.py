"""JSON objects as the API server's Go types would read and write them.

What comes out is what a real server stores: unknown fields gone (and named), types checked,
quantities and times in their usual form, empty fields left out where Go leaves them out.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from orchestrator.sandbox.errors import ApiError, bad_request
from orchestrator.sandbox.quantity import QuantityError, canonical
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.schema import Field, Shape, Type, type_of
from orchestrator.sandbox.values import Json

_EMPTY: dict[Shape, Any] = {
    Shape.STRING: "", Shape.BYTES: "", Shape.INTEGER: 0, Shape.BOOLEAN: False
}  # fmt: skip
_INDEX = re.compile(r"\[\d+\]")
_LIMITS = {"int32": 1 << 31, "int64": 1 << 63, "uint16": 1 << 16, "int": 1 << 63}


class DecodingError(Exception):
    """A value does not fit its type; the message is the Go decoder's."""


class Decoder:
    """Reads one object; ``unknown`` holds the paths of fields that the type lacks."""

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def read(self, kind: Type, value: Any, path: str = "", owner: str = "", go: str = "") -> Any:
        """Return the value in its stored form; raises ``DecodingError``.

        ``owner`` and ``go`` are the Go struct and type that a message names.
        """
        shape = kind.shape
        if shape is Shape.STRUCT:
            if not isinstance(value, dict):
                raise _mismatch(value, path, owner, go or kind.name)
            return self._struct(kind, value, path)
        if shape is Shape.LIST:
            if not isinstance(value, list):
                raise _mismatch(value, path, owner, go)
            assert kind.element is not None
            inner, item_go = kind.element, go.removeprefix("[]")
            return [
                self._item(inner, item, f"{path}[{n}]", owner, item_go)
                for n, item in enumerate(value)
            ]
        if shape is Shape.MAP:
            if not isinstance(value, dict):
                raise _mismatch(value, path, owner, go)
            assert kind.element is not None
            inner, item_go = kind.element, _map_value(inner=kind.element)
            # Go's decoder names the key of a map in no message about a plain value.
            plain = inner.shape is not Shape.STRUCT
            return {
                k: self._item(inner, v, path if plain else f"{path}.{k}", owner, item_go)
                for k, v in value.items()
            }
        return _SCALARS[shape](value, path, owner, go)

    def _item(self, kind: Type, value: Any, path: str, owner: str, go: str) -> Any:
        if value is None:
            return {} if kind.shape in (Shape.STRUCT, Shape.MAP) else _empty(kind)
        return self.read(kind, value, path, owner, go)

    def _struct(self, kind: Type, value: Json, path: str) -> Json:
        out: Json = {}
        fields = kind.fields
        for key, item in value.items():
            known = fields.get(key)
            here = f"{path}.{key}" if path else key
            if known is None:
                self.unknown.append(here)
            elif item is not None:
                new = self.read(known.type, item, here, kind.name, known.go_type)
                if not known.dropped or new or not _is_zero(known, new):
                    out[key] = new
        for key, zero in kind.always.items():
            if key not in out:
                out[key] = self._struct(fields[key].type, {}, key) if zero == {} else zero
        return out


def _is_zero(known: Field, value: Any) -> bool:
    return known.type.shape is not Shape.STRUCT or value == {}


def _empty(kind: Type) -> Any:
    return _EMPTY.get(kind.shape)


def _map_value(inner: Type) -> str:
    return {"string": "string", "integer": "int", "boolean": "bool"}.get(inner.shape.value, "")


def _mismatch(value: Any, path: str, owner: str, go: str) -> DecodingError:
    kinds = {bool: "bool", str: "string", dict: "object", list: "array"}
    found = kinds.get(type(value), "number")
    if isinstance(value, float) and go.startswith(("int", "uint")):
        found = f"number {value}"
    where = f"struct field {owner}.{_INDEX.sub('', path)}" if owner else "value"
    return DecodingError(f"json: cannot unmarshal {found} into Go {where} of type {go or owner}")


def _string(value: Any, path: str, owner: str, go: str) -> str:
    if type(value) is not str:
        raise _mismatch(value, path, owner, go or "string")
    return value


def _integer(value: Any, path: str, owner: str, go: str) -> int:
    if type(value) is not int:
        raise _mismatch(value, path, owner, go or "int64")
    if not -_LIMITS.get(go, 1 << 63) <= value < _LIMITS.get(go, 1 << 63):
        raise DecodingError(
            f"json: cannot unmarshal number {value} into Go struct field "
            f"{owner}.{_INDEX.sub('', path)} of type {go}"
        )
    return value


def _number(value: Any, path: str, owner: str, go: str) -> int | float:
    if type(value) not in (int, float):
        raise _mismatch(value, path, owner, go or "float64")
    number: int | float = value
    return number


def _boolean(value: Any, path: str, owner: str, go: str) -> bool:
    if type(value) is not bool:
        raise _mismatch(value, path, owner, go or "bool")
    return value


def _bytes(value: Any, path: str, owner: str, go: str) -> str:
    text = _string(value, path, owner, go or "[]uint8")
    compact = text.replace("\n", "").replace("\r", "")
    try:
        raw = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError) as error:
        good = re.match(r"[A-Za-z0-9+/]*", compact)
        at = good.end() if good else 0
        at = at // 4 * 4 if at == len(compact) else at  # cut off: the start of its last block
        raise DecodingError(f"illegal base64 data at input byte {at}") from error
    return base64.b64encode(raw).decode()


def _quantity(value: Any, path: str, owner: str, go: str) -> str:
    if isinstance(value, dict | list | bool):
        raise _mismatch(value, path, owner, "resource.Quantity")
    try:
        return canonical(str(value))
    except QuantityError as error:
        raise DecodingError(str(error)) from error


def _int_or_string(value: Any, path: str, owner: str, go: str) -> int | str:
    if type(value) not in (int, str):
        raise _mismatch(value, path, owner, "intstr.IntOrString")
    found: int | str = value
    return found


def _time(value: Any, path: str, owner: str, go: str) -> str:
    moment = _moment(_string(value, path, owner, "string"))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(value: Any, path: str, owner: str, go: str) -> str:
    moment = _moment(_string(value, path, owner, "string"))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_time(text) from error
    if found.tzinfo is None or "T" not in text:
        raise _no_time(text)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise _no_time(text) from error


def _no_time(text: str) -> DecodingError:
    form = "2006-01-02T15:04:05Z07:00"
    return DecodingError(f'parsing time "{text}" as "{form}": cannot parse "{text}" as "2006"')


def _anything(value: Any, path: str, owner: str, go: str) -> Any:
    return value


_SCALARS: dict[Shape, Callable[[Any, str, str, str], Any]] = {
    Shape.STRING: _string,
    Shape.INTEGER: _integer,
    Shape.NUMBER: _number,
    Shape.BOOLEAN: _boolean,
    Shape.BYTES: _bytes,
    Shape.QUANTITY: _quantity,
    Shape.INT_OR_STRING: _int_or_string,
    Shape.TIME: _time,
    Shape.MICRO_TIME: _micro_time,
    Shape.ANY: _anything,
}


def decode(resource: Resource, obj: Json) -> tuple[Json, list[str]]:
    """Return the object in its stored form and the unknown fields; raises ``DecodingError``.

    ``metadata.managedFields`` is passed through as it is.
    """
    meta = obj.get("metadata")
    managed = meta.get("managedFields") if isinstance(meta, dict) else None
    if managed is not None:
        assert isinstance(meta, dict)
        rest = {k: v for k, v in meta.items() if k != "managedFields"}
        obj = obj | {"metadata": rest}
    decoder = Decoder()
    found: Json = decoder.read(type_of(resource.definition), obj)
    if managed is not None:
        found["metadata"]["managedFields"] = managed
    if resource.kind == "Secret":
        _fold_string_data(found)
    return found, decoder.unknown


def _fold_string_data(secret: Json) -> None:
    """Turn a Secret's ``stringData`` into ``data``, in place, as the conversion from v1 does."""
    plain = secret.pop("stringData", None)
    if plain:
        encoded = {
            k: base64.b64encode(v.encode("utf-8", "replace")).decode() for k, v in plain.items()
        }
        secret["data"] = secret.get("data", {}) | encoded


@cache
def blank(resource: Resource) -> Json:
    """Return what Go has before anything is set: the structs that are always there."""
    return decode(resource, {"apiVersion": resource.api_version, "kind": resource.kind})[0]


def unreadable(resource: Resource, why: object) -> ApiError:
    """400: the body cannot be read as the kind."""
    return bad_request(
        f'{resource.kind} in version "{resource.version}" cannot be handled as a '
        f"{resource.kind}: {why}"
    )
