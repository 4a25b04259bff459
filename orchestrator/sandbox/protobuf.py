r"""Reads Kubernetes objects in protobuf, which some clients send for the built-in kinds.

The field numbers come with the schemas (``schema.json.gz``). Answers are always JSON, which every
such client also accepts. A body is ``k8s\0``, then a ``runtime.Unknown`` message whose second
field holds the object.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from orchestrator.sandbox.errors import bad_request
from orchestrator.sandbox.schema import Field, Shape, Type, type_of
from orchestrator.sandbox.values import Json

MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
Value = int | bytes
_ByNumber = dict[int, tuple[str, Field]]


class _Malformed(ValueError):
    """The bytes are no protobuf message."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise _Malformed("truncated varint")
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return result, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """Yield number, wire type and value of each field of a message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == _VARINT:
            value: Value
            value, at = _varint(data, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
            if wire == _BYTES:
                size, at = _varint(data, at)
            if size is None or at + size > len(data):
                raise _Malformed("truncated message")
            value, at = data[at : at + size], at + size
        yield tag >> 3, wire, value


def read(body: bytes, definition: str) -> Json:
    """Return the object in a protobuf body, of the definition's type; raises 400."""
    if not body.startswith(MAGIC):
        raise bad_request("the provided data does not appear to be a protobuf message")
    try:
        unknown = {number: value for number, _, value in _fields(body[len(MAGIC) :])}
        raw = unknown.get(2, b"")
        found: Json = _message(type_of(definition), raw if isinstance(raw, bytes) else b"")
        meta = unknown.get(1, b"")
        if isinstance(meta, bytes):
            kind = {number: value for number, _, value in _fields(meta)}
            for number, key in ((1, "apiVersion"), (2, "kind")):
                value = kind.get(number)
                if isinstance(value, bytes) and value:
                    found[key] = value.decode()
    except (_Malformed, UnicodeDecodeError, struct.error) as error:
        raise bad_request(f"the body is not a valid protobuf message: {error}") from error
    return found


@cache
def _numbers(kind: Type) -> tuple[_ByNumber, dict[int, _ByNumber]]:
    """Return the fields by number, and those of inlined structs by the struct's number."""
    own: dict[int, tuple[str, Field]] = {}
    inlined: dict[int, dict[int, tuple[str, Field]]] = {}
    for name, known in kind.fields.items():
        if known.inlined:
            inlined.setdefault(known.inlined, {})[known.number] = (name, known)
        elif known.number:
            own[known.number] = (name, known)
    return own, inlined


def _message(kind: Type, data: bytes) -> Json:
    own, inlined = _numbers(kind)
    out: Json = {}
    for number, wire, value in _fields(data):
        if number in inlined and isinstance(value, bytes):
            for inner, inner_wire, part in _fields(value):
                _store(out, inlined[number].get(inner), inner_wire, part)
        else:
            _store(out, own.get(number), wire, value)
    return out


def _store(out: Json, found: tuple[str, Field] | None, wire: int, value: Value) -> None:
    if found is None:
        return
    name, known = found
    kind = known.type
    if kind.shape is Shape.LIST:
        assert kind.element is not None
        out.setdefault(name, []).append(_value(kind.element, wire, value))
    elif kind.shape is Shape.MAP and isinstance(value, bytes):
        assert kind.element is not None
        entry = {number: (wire, part) for number, wire, part in _fields(value)}
        key = entry.get(1, (_BYTES, b""))[1]
        inner_wire, part = entry.get(2, (_BYTES, b""))
        text = key.decode() if isinstance(key, bytes) else str(key)
        out.setdefault(name, {})[text] = _value(kind.element, inner_wire, part)
    else:
        out[name] = _value(kind, wire, value)


def _value(kind: Type, wire: int, value: Value) -> Any:
    if isinstance(value, int):
        return bool(value) if kind.shape is Shape.BOOLEAN else _signed(value)
    if wire == _FIXED64:
        return struct.unpack("<d", value)[0]
    if kind.shape is Shape.STRUCT:
        return _message(kind, value)
    if kind.shape is Shape.BYTES:
        return base64.b64encode(value).decode()
    if kind.shape in (Shape.TIME, Shape.MICRO_TIME):
        return _time(value)
    if kind.shape is Shape.QUANTITY:
        return _first_text(value)
    if kind.shape is Shape.INT_OR_STRING:
        return _int_or_string(value)
    return value.decode() if kind.shape is Shape.STRING else None


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _time(value: bytes) -> str | None:
    parts = {number: part for number, _, part in _fields(value)}
    seconds, nanos = parts.get(1, 0), parts.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not (seconds or nanos):
        return None
    moment = datetime.fromtimestamp(_signed(seconds), UTC).replace(microsecond=nanos // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _first_text(value: bytes) -> str:
    part = next((part for number, _, part in _fields(value) if number == 1), b"0")
    return part.decode() if isinstance(part, bytes) else str(part)


def _int_or_string(value: bytes) -> int | str:
    parts = {number: part for number, _, part in _fields(value)}
    text, number = parts.get(3, b""), parts.get(2, 0)
    if parts.get(1, 0) == 1 and isinstance(text, bytes):
        return text.decode()
    return _signed(number) if isinstance(number, int) else 0
