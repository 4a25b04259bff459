"""The OpenAPI v2 document, as far as kubectl needs it: for files that hold a ``List``.

kubectl looks there (gnostic's OpenAPIv2.proto) whether the server checks fields by itself, on the
PATCH of a Namespace, and then leaves the checking to the server. Schemas are only in version 3.
"""

from __future__ import annotations

from functools import cache

PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


@cache
def document() -> bytes:
    """Return ``/openapi/v2`` in protobuf."""
    kind = _text(2, "group: ''\nkind: Namespace\nversion: v1\n")
    extension = _text(1, "x-kubernetes-group-version-kind") + _message(2, kind)
    query = _text(2, "query") + _text(4, "fieldValidation") + _text(6, "string")
    parameter = _message(1, _message(2, _message(3, query)))
    patch = _message(8, parameter) + _message(13, extension)
    item = _text(1, "/api/v1/namespaces/{name}") + _message(2, _message(8, patch))
    info = _text(1, "Kubernetes (Urumi sandbox)") + _text(2, "1.36")
    return _text(1, "2.0") + _message(2, info) + _message(8, _message(2, item))


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode())


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))
