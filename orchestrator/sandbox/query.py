"""Query parameters of reads and writes, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.sandbox.errors import ApiError, FieldError, bad_request, internal
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.selectors import (
    FieldSelector,
    LabelSelector,
    parse_fields,
    parse_labels,
)

Params = Mapping[str, str]


@dataclass(frozen=True)
class ListQuery:
    """What a list or watch asks for. ``version`` is None when none was given."""

    labels: LabelSelector
    fields: FieldSelector
    limit: int
    token: str
    version: int | None
    match: str
    watch: bool
    bookmarks: bool
    initial: bool | None
    timeout: int | None
    selects: bool


def list_query(resource: Resource, params: Params) -> ListQuery:
    """Return the checked parameters of a list or watch; raises 400, 422."""
    found = ListQuery(
        labels=parse_labels(params.get("labelSelector")),
        fields=parse_fields(resource, params.get("fieldSelector")),
        limit=_integer(params, "limit") or 0,
        token=params.get("continue", ""),
        version=version_of(params),
        match=params.get("resourceVersionMatch", ""),
        watch=flag(params, "watch"),
        bookmarks=flag(params, "allowWatchBookmarks"),
        initial=flag(params, "sendInitialEvents") if "sendInitialEvents" in params else None,
        timeout=_integer(params, "timeoutSeconds"),
        selects=bool(params.get("labelSelector") or params.get("fieldSelector")),
    )
    _check(found)
    return found


def _check(query: ListQuery) -> None:
    wrong: list[FieldError] = []
    if query.match and query.match not in ("Exact", "NotOlderThan"):
        message = (
            f'Unsupported value: "{query.match}": supported values: "Exact", "NotOlderThan", ""'
        )
        wrong.append(FieldError("resourceVersionMatch", message, "FieldValueNotSupported"))
    elif query.initial is not None and not query.watch:
        message = "Forbidden: sendInitialEvents is forbidden for list"
        wrong.append(FieldError("sendInitialEvents", message, "FieldValueForbidden"))
    elif why := _misused_match(query):
        message = f"Forbidden: {why}"
        wrong.append(FieldError("resourceVersionMatch", message, "FieldValueForbidden"))
    if wrong:
        raise invalid_options("ListOptions", wrong)


def _misused_match(query: ListQuery) -> str:
    """Return why resourceVersionMatch cannot be what it is; empty when it can."""
    if query.watch:
        if query.initial is not None and query.match != "NotOlderThan":
            return "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        if query.initial is None and query.match:
            return (
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            )
        return ""
    if not query.match:
        return ""
    if query.token:
        return "resourceVersionMatch is forbidden when continue is provided"
    if query.version is None:
        return "resourceVersionMatch is forbidden unless resourceVersion is provided"
    if query.match == "Exact" and query.version == 0:
        return 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    return ""


def invalid_options(kind: str, wrong: list[FieldError]) -> ApiError:
    """422 for query parameters."""
    text = ", ".join(f"{e.field}: {e.message}" for e in wrong)
    text = f"[{text}]" if len(wrong) > 1 else text
    details = {"group": "meta.k8s.io", "kind": kind, "causes": [e.cause() for e in wrong]}
    return ApiError(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {text}', details)


def flag(params: Params, name: str) -> bool:
    """Return a boolean parameter, as Go reads it."""
    return params.get(name, "").lower() not in ("", "0", "false", "f")


def _integer(params: Params, name: str) -> int | None:
    text = params.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def version_of(params: Params) -> int | None:
    """Return the resourceVersion that is asked for; raises 400, or 500 for a watch."""
    text = params.get("resourceVersion", "")
    if not text:
        return None
    if not text.isdigit():
        why = (
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": '
            "invalid syntax"
        )
        if flag(params, "watch"):
            raise internal(why)
        raise bad_request(f"invalid resource version: {why}")
    return int(text)


def dry_run(params: Params, kind: str) -> bool:
    """Say whether nothing is to be stored; raises 422."""
    value = params.get("dryRun", "")
    if value not in ("", "All"):
        message = f'Unsupported value: ["{value}"]: supported values: "All"'
        raise invalid_options(kind, [FieldError("dryRun", message, "FieldValueNotSupported")])
    return value == "All"


def field_validation(params: Params, kind: str) -> str:
    """Return how unknown fields are met; raises 422."""
    value = params.get("fieldValidation", "") or "Warn"
    if value not in ("Strict", "Warn", "Ignore"):
        message = f'Unsupported value: "{value}": supported values: "", "Ignore", "Strict", "Warn"'
        wrong = FieldError("fieldValidation", message, "FieldValueNotSupported")
        raise invalid_options(kind, [wrong])
    return value


def manager(params: Params, agent: str, kind: str) -> str:
    """Return the field manager: the one named, else the start of the user agent."""
    named = params.get("fieldManager", "")
    if len(named) > 128:
        wrong = FieldError("fieldManager", "Too long: may not be more than 128 bytes",
                           "FieldValueTooLong")  # fmt: skip
        raise invalid_options(kind, [wrong])
    return named or agent.partition("/")[0][:128] or "unknown"
