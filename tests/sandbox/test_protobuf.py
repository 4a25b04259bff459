"""Protobuf bodies, as typed Go clients send them."""

from __future__ import annotations

import pytest

from orchestrator.sandbox import protobuf
from orchestrator.sandbox.errors import ApiError


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def unknown(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = field(1, api_version.encode()) + field(2, kind.encode())
    return protobuf.MAGIC + field(1, meta) + field(2, raw) + field(3, b"") + field(4, b"")


def label(key: str, value: str) -> bytes:
    return field(11, field(1, key.encode()) + field(2, value.encode()))


def test_a_namespace() -> None:
    meta = field(1, b"shop") + label("a", "b") + label("c", "d")
    body = unknown("v1", "Namespace", field(1, meta) + field(2, b"") + field(3, b""))
    assert protobuf.read(body, "io.k8s.api.core.v1.Namespace") == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"a": "b", "c": "d"}},
        "spec": {},
        "status": {},
    }


def test_numbers_quantities_and_inlined_structs() -> None:
    limits = field(1, field(1, b"cpu") + field(2, field(1, b"500m")))
    port = field(3, 8080) + field(4, b"TCP")
    probe = field(1, field(3, field(1, field(1, 0) + field(2, 80)))) + field(3, 7)
    container = field(1, b"web") + field(6, port) + field(8, limits) + field(10, probe)
    volume = field(1, b"data") + field(2, field(2, b""))  # emptyDir inside of volumeSource
    spec = field(1, volume) + field(2, container) + field(4, 30) + field(11, 1)
    found = protobuf.read(unknown("v1", "Pod", field(2, spec)), "io.k8s.api.core.v1.Pod")["spec"]
    assert found["volumes"] == [{"name": "data", "emptyDir": {}}]
    assert found["terminationGracePeriodSeconds"] == 30
    assert found["hostNetwork"] is True
    (only,) = found["containers"]
    assert only["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]
    assert only["resources"] == {"limits": {"cpu": "500m"}}
    assert only["livenessProbe"] == {"tcpSocket": {"port": 80}, "timeoutSeconds": 7}


@pytest.mark.parametrize(
    "body", [b"", b"{}", protobuf.MAGIC + b"\x12\xff", protobuf.MAGIC + b"\xff" * 20]
)
def test_what_is_no_protobuf(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        protobuf.read(body, "io.k8s.api.core.v1.Namespace")
    assert refused.value.code == 400
