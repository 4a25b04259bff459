"""Request bodies, read with suspicion.

Why: what Python's json accepts is more than JSON (NaN, duplicate members, UTF-16, lone surrogates),
and what a client may send is more than memory. Invariants: at most `LARGEST` bytes are read; a body
that is not exactly one JSON text is 400; everything after that is 422 with the field's dotted path
in the client's own spelling.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from orchestrator.api.problems import Problem
from orchestrator.model.errors import FieldError, InputError
from orchestrator.model.kinds import Json

LARGEST: Final = 256 * 1024
DEEPEST: Final = 16
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
_MOST_ERRORS: Final = 50
ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_json(request: Request, media_types: tuple[str, ...]) -> Any:
    """Return the parsed body. Errors: Problem (400, 413, 415), InputError."""
    _check_media_type(request, media_types)
    return parse(await _read(request))


def parse(raw: bytes) -> Any:
    """Return the value of one strict JSON text. Errors: Problem (400), InputError."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Problem("malformed", f"The body is not UTF-8 (at byte {exc.start})") from exc
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as exc:
        detail = f"The body is not JSON: {exc.msg} (line {exc.lineno}, column {exc.colno})"
        raise Problem("malformed", detail) from exc
    except RecursionError as exc:
        raise Problem("malformed", "The body is nested too deeply") from exc
    except ValueError as exc:  # an integer of thousands of digits
        raise Problem("malformed", "The body holds a number that is too long") from exc
    _check_strings(value)
    return value


def validate(model: type[ModelT], value: Any) -> ModelT:
    """Return ``value`` as ``model``. Errors: InputError with every broken rule."""
    try:
        return model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as exc:
        details = exc.errors(include_url=False, include_input=False)[:_MOST_ERRORS]
        raise InputError(*(_field_error(model, d) for d in details)) from exc


def digest(value: Any) -> str:
    """Return a digest that is the same for the same JSON value."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def safe(text: str, longest: int = 100) -> str:
    """Return text of a client so that it can be encoded and printed."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else "?" for c in plain)[:longest]


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared[:12]) > LARGEST:
        _too_large()
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST:
            _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> NoReturn:
    raise Problem("too-large", f"The body must be at most {LARGEST // 1024} KiB", field="body")


def _check_media_type(request: Request, allowed: tuple[str, ...]) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    name = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    charset = str(header.get_param("charset", "utf-8")).lower()
    coding = request.headers.get("content-encoding", "identity").lower()
    if name in allowed and charset in ("utf-8", "utf8") and coding == "identity":
        return
    detail = f"Content-Type must be {' or '.join(allowed)} in UTF-8, without Content-Encoding"
    answer = "Accept-Patch" if MERGE_PATCH in allowed else "Accept-Post"
    raise Problem("media-type", detail, field="Content-Type", headers={answer: ", ".join(allowed)})


def _object(pairs: list[tuple[str, Any]]) -> Json:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem("malformed", f"The member {safe(twice)!r} occurs twice in one object")
    return result


def _constant(name: str) -> NoReturn:
    raise Problem("malformed", f"The body is not JSON: {name} is no JSON value")


def _check_strings(value: Any) -> None:
    """Refuse lone surrogates (they cannot be stored) and too deep nesting; no recursion."""
    stack: list[tuple[Any, tuple[str, ...]]] = [(value, ())]
    while stack:
        item, path = stack.pop()
        if len(path) > DEEPEST:
            raise Problem("malformed", f"The body is nested deeper than {DEEPEST} levels")
        if isinstance(item, str) and _broken(item):
            raise InputError(FieldError(".".join(path) or "body", _SURROGATE))
        stack += _children(item, path)


_SURROGATE: Final = "must not contain surrogates without their other half"


def _children(item: Any, path: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    if isinstance(item, dict):
        for key, inner in item.items():
            if _broken(key):
                raise InputError(FieldError(".".join((*path, safe(key))), _SURROGATE))
            yield inner, (*path, safe(key))
    elif isinstance(item, list):
        yield from ((inner, (*path, str(i))) for i, inner in enumerate(item))


def _broken(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _field_error(model: type[BaseModel], error: ErrorDetails) -> FieldError:
    path = ".".join(safe(str(part)) for part in error["loc"])
    path = path or ("a parameter without a name" if error["loc"] else "body")
    rule = _RULES.get(error["type"])
    if rule is not None:
        return FieldError(path, rule(model, error))
    return FieldError(path, error["msg"][:1].lower() + error["msg"][1:])


def _unknown(model: type[BaseModel], error: ErrorDetails) -> str:
    inner, names = model, [str(part) for part in error["loc"]]
    for name in names[:-1]:
        inner = _inner_model(inner, name)
    known = ", ".join(f.alias or n for n, f in inner.model_fields.items())
    if len(names) == 1 and names[0] in getattr(model, "FIXED", ()):
        return f"cannot be changed; what can: {known}"
    return f"unknown; known are: {known}" if known else "unknown; none is known here"


def _inner_model(model: type[BaseModel], name: str) -> type[BaseModel]:
    field = next((f for n, f in model.model_fields.items() if name in (n, f.alias)), None)
    kinds = getattr(field.annotation, "__args__", (field.annotation,)) if field else ()
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), model)


def _context(key: str, before: str) -> Callable[[type[BaseModel], ErrorDetails], str]:
    def rule(_model: type[BaseModel], error: ErrorDetails) -> str:
        return before + str(error.get("ctx", {}).get(key, ""))

    return rule


def _too_long(_model: type[BaseModel], error: ErrorDetails) -> str:
    return f"must be at most {error.get('ctx', {}).get('max_length', '')} characters long"


def _says(text: str) -> Callable[[type[BaseModel], ErrorDetails], str]:
    return lambda _model, _error: text


_RULES: Final[dict[str, Callable[[type[BaseModel], ErrorDetails], str]]] = {
    "missing": _says("is required"),
    "extra_forbidden": _unknown,
    "value_error": _context("error", ""),
    "literal_error": _context("expected", "must be one of: "),
    "enum": _context("expected", "must be one of: "),
    "string_pattern_mismatch": _context("pattern", "must match "),
    "string_type": _says("must be a string"),
    "bool_type": _says("must be true or false"),
    "model_type": _says("must be a JSON object"),
    "model_attributes_type": _says("must be a JSON object"),
    "dict_type": _says("must be a JSON object"),
    "greater_than_equal": _context("ge", "must be at least "),
    "less_than_equal": _context("le", "must be at most "),
    "string_too_long": _too_long,
    "string_too_short": _says("must not be empty"),
    "too_short": _says("must not be empty"),
    "too_long": _too_long,
}
