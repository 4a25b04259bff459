"""The OpenAPI 3.1 document, made of the operations and of the types that validate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from orchestrator import __version__
from orchestrator.api.operation import Answer, Operation
from orchestrator.api.problems import KINDS, PROBLEM_JSON, ProblemDocument
from orchestrator.api.query import Query
from orchestrator.model.kinds import Json
from orchestrator.model.names import PRODUCT
from orchestrator.service.requests import ID_SCHEMA

_REF: Final = "#/components/schemas/{model}"
_PATHS: Final[dict[str, Json]] = {
    "id": {**ID_SCHEMA, "description": "The store's id"},
    "number": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    "name": {
        "type": "string",
        "pattern": "^[A-Za-z0-9._-]{1,100}$",
        "description": "The file's, with a digest of its content",
    },
    "page": {"type": "string", "description": "The page itself asks whether there is such a store"},
    "token": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "description": "Its id"},
}
_TAGS: Final = {
    "stores": "Stores, and what happens to them",
    "people": "Users, tokens, and who one is",
    "service": "The service itself; no token is needed",
}
_DESCRIPTION: Final = (
    "Every store is a shop of its own on Kubernetes, isolated in a namespace. Requests that change "
    "something are accepted at once (202); `phase` and the event stream say how it goes on. "
    "Errors are problem+json (RFC 9457). Lists have `items` and `nextCursor`."
)
_RATE_HEADERS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


class _Untitled(GenerateJsonSchema):
    """Fields need no title: it would only repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(operations: Sequence[Operation]) -> Json:
    """Return the document as JSON."""
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": PRODUCT, "version": __version__, "description": _DESCRIPTION},
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "responses": {name: _problem(status) for name, status in _problem_names().items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(operation: Operation) -> Json:
    result: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": list(_parameters(operation)),
        "responses": {
            **{str(s): _answer(a) for s, a in operation.answers.items()},
            **{
                str(s): {"$ref": f"#/components/responses/{_name(s)}"}
                for s in sorted(_error_statuses(operation))
                if s not in operation.answers
            },
        },
    }
    if operation.body is not None:
        schema = _ref(operation.body)
        result["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": schema} for kind in operation.media_types},
        }
    if operation.public:
        result["security"] = []
    return result


def _error_statuses(operation: Operation) -> set[int]:
    found = {500, *operation.errors}
    if operation.path.startswith("/api/"):
        found |= {429}
    if not operation.public:
        found |= {401, 422, 503}
    if operation.body is not None:
        found |= {400, 413, 415, 422}
    return found


def _parameters(operation: Operation) -> Iterator[Json]:
    for name in _PATHS:
        if f"{{{name}}}" in operation.path:
            yield {"name": name, "in": "path", "required": True, "schema": _PATHS[name]}
    yield from _query_parameters(operation.query)
    for header in operation.headers:
        yield {
            "name": header.name,
            "in": "header",
            "description": header.description,
            "schema": header.schema,
        }


def _query_parameters(model: type[Query]) -> Iterator[Json]:
    schema = model.model_json_schema(by_alias=True, ref_template=_REF)
    for name, found in schema.get("properties", {}).items():
        inner = _without_null(found, schema.get("$defs", {}))
        text = inner.pop("description", None)
        yield {
            "name": name,
            "in": "query",
            **({"description": text} if text else {}),
            "schema": inner,
        }


def _without_null(schema: Json, definitions: Json) -> Json:
    """A parameter that is left out is no null; enums are written out on the spot."""
    result = {k: v for k, v in schema.items() if k not in ("title", "anyOf", "$ref")}
    if result.get("default", 0) is None:
        del result["default"]
    options = [s for s in schema.get("anyOf", []) if s.get("type") != "null"]
    for option in options or ([schema] if "$ref" in schema else []):
        reference = option.get("$ref", "").rpartition("/")[2]
        found = definitions[reference] if reference else option
        result = {k: v for k, v in found.items() if k != "title"} | result
    return result


def _answer(answer: Answer) -> Json:
    result: Json = {"description": answer.description}
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in answer.headers.items()
    }
    if headers:
        result["headers"] = headers
    if isinstance(answer.content, str | tuple):
        kinds = (answer.content,) if isinstance(answer.content, str) else answer.content
        result["content"] = {
            kind: {"schema": {"type": "object" if kind.endswith("json") else "string"}}
            for kind in kinds
        }
    elif answer.content is not None:
        result["content"] = {"application/json": {"schema": _ref(answer.content)}}
    return result


def _problem_names() -> dict[str, int]:
    return {_name(kind.status): kind.status for kind in KINDS.values()}


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "").replace("-", "")


def _problem(status: int) -> Json:
    meanings = [kind.meaning for kind in KINDS.values() if kind.status == status]
    headers: Json = {}
    if status in (429, 503):
        headers["Retry-After"] = {"description": "Seconds", "schema": {"type": "integer"}}
    if status == 429:
        headers |= {name: {"schema": {"type": "integer"}} for name in _RATE_HEADERS}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    content = {PROBLEM_JSON: {"schema": _ref(ProblemDocument)}}
    return {
        "description": " ".join(meanings),
        **({"headers": headers} if headers else {}),
        "content": content,
    }


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas(operations: Sequence[Operation]) -> Json:
    models: dict[type[BaseModel], JsonSchemaMode] = {ProblemDocument: "validation"}
    for operation in operations:
        if operation.body is not None:
            models[operation.body] = "validation"
        for answer in operation.answers.values():
            if isinstance(answer.content, type):
                models[answer.content] = "serialization"
    _, schema = models_json_schema(
        list(models.items()), by_alias=True, ref_template=_REF, schema_generator=_Untitled
    )
    definitions: Any = schema["$defs"]
    return dict(sorted(definitions.items()))
