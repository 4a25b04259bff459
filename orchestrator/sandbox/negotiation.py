"""Which shape and encoding an answer has, and how a body is read.

A client asks for Tables or for metadata only by parameters of the media type in ``Accept``.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import yaml

from orchestrator.sandbox.errors import ApiError, bad_request, unsupported_media_type
from orchestrator.sandbox.values import Json

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
BODIES = (JSON, YAML, PROTOBUF)


class View(Enum):
    """The shape of an answer."""

    OBJECT = ""
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"


_VIEWS = {"": View.OBJECT, "Table": View.TABLE, "PartialObjectMetadata": View.METADATA,
          "PartialObjectMetadataList": View.METADATA}  # fmt: skip
_JSON_LIKE = (JSON, "*/*", "application/json;stream=watch")


def view_of(accept: str | None) -> tuple[View, str]:
    """Return the first acceptable shape and media type; raises 406 when there is none."""
    for option in (accept or "*/*").split(","):
        media, *rest = (part.strip() for part in option.split(";"))
        params = dict(part.partition("=")[::2] for part in rest)
        if media not in _JSON_LIKE and media not in (YAML, ""):
            continue
        view = _VIEWS.get(params.get("as", ""))
        known = params.get("v", "v1") == "v1" and params.get("g", "meta.k8s.io") == "meta.k8s.io"
        if view is not None and (view is View.OBJECT or known):
            return view, YAML if media == YAML else JSON
    raise ApiError(
        406,
        "NotAcceptable",
        "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml",
        {},
    )


def media_type(header: str | None) -> str:
    """Return a Content-Type without its parameters."""
    return (header or JSON).partition(";")[0].strip().lower()


class _Duplicates:
    """Reads JSON and notes keys that are given twice in one object."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def pairs(self, pairs: list[tuple[str, Any]]) -> Json:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen and key not in self.found:
                    self.found.append(key)
                seen.add(key)
        return made


class _Loader(yaml.CSafeLoader):
    """YAML as Kubernetes reads it: timestamps stay strings, keys are not given twice."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Json:
    found: Json = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        key = str(key).lower() if isinstance(key, bool) else str(key)
        if key in found:
            line = key_node.start_mark.line + 1
            raise yaml.YAMLError(
                f'unmarshal errors:\n  line {line}: key "{key}" already set in map'
            )
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _read_json(body: bytes) -> tuple[Any, list[str]]:
    duplicates = _Duplicates()
    try:
        return json.loads(body, object_pairs_hook=duplicates.pairs), duplicates.found
    except (ValueError, RecursionError) as error:
        raise bad_request(
            f"couldn't get version/kind; json parse error: {error or 'unexpected end of input'}"
        ) from error


def read_yaml(body: bytes) -> Any:
    """Return the value of a YAML (or JSON) body; raises 400."""
    if body.lstrip()[:1] == b"{":
        value, duplicates = read_json_as_yaml(body)
        if duplicates:
            lines = "".join(f'\n  line 1: key "{key}" already set in map' for key in duplicates)
            raise bad_request(
                "error strict decoding YAML: error converting YAML to JSON: "
                f"yaml: unmarshal errors:{lines}"
            )
        return value
    try:
        return yaml.load(body, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _no_yaml(error) from error


def read_json_as_yaml(body: bytes) -> tuple[Any, list[str]]:
    """Return the JSON value of a body that claims to be YAML."""
    duplicates = _Duplicates()
    try:
        return json.loads(body, object_pairs_hook=duplicates.pairs), duplicates.found
    except (ValueError, RecursionError) as error:
        raise _no_yaml(error) from error


def _no_yaml(error: Exception) -> ApiError:
    return bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {error}")


def read_object(kind: str, body: bytes) -> tuple[Json, list[str]]:
    """Return the object in a body of the media type and the keys given twice; raises 400, 415."""
    duplicates: list[str] = []
    if kind == JSON:
        value, duplicates = _read_json(body)
    elif kind == YAML:
        value = read_yaml(body)
    else:
        raise unsupported_media_type(BODIES)
    if not isinstance(value, dict):
        raise bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value "
            "of type struct { APIVersion string; Kind string }"
        )
    return value, duplicates
