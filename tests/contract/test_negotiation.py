"""Encodings and shapes, asked for as kubectl and client-go do."""

from __future__ import annotations

import pytest
import yaml

from tests.contract.manifests import configmap, deployment
from tests.contract.wire import Space, ok, parsed, refused

PROTOBUF = "application/vnd.kubernetes.protobuf"
EITHER = f"{PROTOBUF},application/json"
KUBECTL = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,"
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
MAGIC = b"k8s\x00"


def part(number: int, content: str | bytes) -> bytes:
    """Return a protobuf field of bytes."""
    raw = content.encode() if isinstance(content, str) else content
    assert len(raw) < 128
    return bytes([number << 3 | 2, len(raw)]) + raw


def message(version: str, kind: str, *fields: bytes) -> bytes:
    """Return an object as client-go sends it in protobuf."""
    about = part(1, version) + part(2, kind)
    return MAGIC + part(1, about) + part(2, b"".join(fields))


def named(name: str) -> bytes:
    """Return the metadata of a new object."""
    return part(1, part(1, name))


def test_a_body_in_protobuf(space: Space) -> None:
    entry = part(1, "a") + part(2, "grüße")
    body = message("v1", "ConfigMap", named("c"), part(2, entry))
    headers = {"content-type": PROTOBUF, "accept": EITHER}
    answer = space.api.http.post(space.path("ConfigMap"), content=body, headers=headers)
    assert answer.status_code == 201, answer.text
    found = space.get("ConfigMap", "c")
    assert found["data"] == {"a": "grüße"}
    (entry_of,) = found["metadata"]["managedFields"]
    assert entry_of["fieldsV1"] == {"f:data": {".": {}, "f:a": {}}}


def test_options_of_a_delete_in_protobuf(space: Space) -> None:
    space.create(configmap("c"))
    wrong = message("v1", "DeleteOptions", part(2, part(1, "another-uid")))
    headers = {"content-type": PROTOBUF}
    path = space.path("ConfigMap", "c")
    answer = space.api.http.request("DELETE", path, content=wrong, headers=headers)
    refused(answer, 409, "Conflict")
    dry = message("v1", "DeleteOptions", part(4, "Foreground"), part(5, "All"))
    found = ok(space.api.http.request("DELETE", path, content=dry, headers=headers))
    assert found["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert "finalizers" not in space.get("ConfigMap", "c")["metadata"]


def test_a_body_that_is_no_protobuf(space: Space) -> None:
    headers = {"content-type": PROTOBUF}
    answer = space.api.http.post(space.path("ConfigMap"), content=b"{}", headers=headers)
    refused(answer, 400, "BadRequest")


def test_protobuf_first_and_json_second(space: Space) -> None:
    """A list as kubectl's typed clients ask for it; the server may choose."""
    answer = space.api.get(space.path("ConfigMap"), accept=EITHER)
    assert answer.status_code == 200
    if answer.headers["content-type"] == PROTOBUF:
        assert answer.content.startswith(MAGIC)
    else:
        assert answer.headers["content-type"] == "application/json"
        assert parsed(answer)["kind"] == "ConfigMapList"


def test_an_answer_in_protobuf(space: Space) -> None:
    answer = space.api.get(space.path("ConfigMap"), accept=PROTOBUF)
    assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)
    assert answer.content.startswith(MAGIC)
    with space.api.http.stream(
        "GET", space.path("ConfigMap"), params={"watch": "true", "timeoutSeconds": "1"},
        headers={"accept": f"{PROTOBUF};stream=watch"},
    ) as stream:  # fmt: skip
        assert stream.headers["content-type"] == f"{PROTOBUF};stream=watch"


def test_a_table_as_kubectl_asks_for_it(space: Space) -> None:
    space.create(deployment())
    for path in (space.path("Deployment"), space.path("Deployment", "web")):
        answer = space.api.get(path, accept=KUBECTL)
        assert answer.headers["content-type"] == "application/json"
        found = ok(answer)
        assert (found["kind"], found["apiVersion"]) == ("Table", "meta.k8s.io/v1")
        (row,) = found["rows"]
        assert row["cells"][0] == "web"
        assert row["object"]["apiVersion"] == "meta.k8s.io/v1"


def test_a_write_as_a_table(space: Space) -> None:
    answer = space.api.http.post(
        space.path("ConfigMap"), json=configmap("c", data={"a": "1"}), headers={"accept": KUBECTL}
    )
    found = ok(answer, 201)
    assert found["kind"] == "Table"
    assert found["rows"][0]["cells"][:2] == ["c", 1]


def test_an_error_is_a_status_whatever_was_asked_for(space: Space) -> None:
    answer = space.api.get(space.path("ConfigMap", "none"), accept=KUBECTL)
    refused(answer, 404, "NotFound")


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json;q=0.9,*/*;q=0.1"])
def test_anything_is_json(space: Space, accept: str) -> None:
    answer = space.api.get(space.path("ConfigMap"), accept=accept)
    assert answer.headers["content-type"] == "application/json"
    assert ok(answer)["kind"] == "ConfigMapList"


@pytest.mark.parametrize(
    "accept",
    [
        "application/json;as=Table;v=v2;g=meta.k8s.io",
        "application/json;as=Chair;v=v1",
        "application/*",
        "text/html",
    ],
)
def test_a_shape_or_version_that_is_not_there(space: Space, accept: str) -> None:
    refused(space.api.get(space.path("ConfigMap"), accept=accept), 406, "NotAcceptable")
    found = ok(space.api.get(space.path("ConfigMap"), accept=f"{accept},application/json"))
    assert found["kind"] == "ConfigMapList"


def test_an_answer_in_yaml(space: Space) -> None:
    answer = space.api.get(space.path("ConfigMap"), accept="application/yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(answer.text)["kind"] == "ConfigMapList"


def test_a_body_in_yaml(space: Space) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 'on'}\n"
    headers = {"content-type": "application/yaml"}
    answer = space.api.http.post(space.path("ConfigMap"), content=text, headers=headers)
    assert ok(answer, 201)["data"] == {"a": "on"}
