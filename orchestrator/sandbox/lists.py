"""Lists: whole, in pages that show one moment, or as of a past version."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from orchestrator.sandbox.errors import ApiError, bad_request, expired
from orchestrator.sandbox.query import ListQuery
from orchestrator.sandbox.resources import Resource
from orchestrator.sandbox.selectors import predicate
from orchestrator.sandbox.storage import Storage
from orchestrator.sandbox.values import Json


@dataclass(frozen=True)
class Page:
    """One page of a list: stored objects and the list's metadata."""

    items: list[Json]
    metadata: Json


def read_page(
    storage: Storage, resource: Resource, namespace: str | None, query: ListQuery
) -> Page:
    """Return the page that the query asks for; raises 400, 410, 504."""
    version, start = storage.version, ""
    if query.token:
        if query.version:
            raise bad_request("specifying resource version is not allowed when using continue")
        version, start = _open_token(query.token)
    elif query.version and query.match == "Exact":
        version = query.version
    refuse_future(storage, query.version or version)
    try:
        found = _items(storage, resource, namespace, version)
    except ApiError as error:
        if query.token:
            raise _stale_token() from error
        raise
    test = predicate(query.labels, query.fields)
    matching = [o for o in found if _key(o) >= start and test(o)]
    paged = query.limit > 0 and not (query.version == 0 and not query.token)
    if not paged or len(matching) <= query.limit:
        return Page(matching, {"resourceVersion": str(version)})
    metadata: Json = {
        "resourceVersion": str(version),
        "continue": _make_token(version, matching[query.limit]),
    }
    if not query.selects:
        metadata["remainingItemCount"] = len(matching) - query.limit
    return Page(matching[: query.limit], metadata)


def _items(storage: Storage, resource: Resource, namespace: str | None, version: int) -> list[Json]:
    if version == storage.version:
        return storage.items(resource, namespace)
    return storage.items_at(resource, namespace, version)


def refuse_future(storage: Storage, version: int) -> None:
    """Raise 504 for a version that the server has not reached."""
    if version > storage.version:
        cause = {
            "reason": "ResourceVersionTooLarge",
            "message": "Too large resource version",
        }
        raise ApiError(
            504,
            "Timeout",
            f"Timeout: Too large resource version: {version}, current: {storage.version}",
            {"causes": [cause], "retryAfterSeconds": 1},
        )


def _key(obj: Json) -> str:
    meta = obj["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


def _make_token(version: int, first: Json) -> str:
    body = {"v": "meta.k8s.io/v1", "rv": version, "start": _key(first)}
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")


def _open_token(token: str) -> tuple[int, str]:
    try:
        body = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(body["rv"]), str(body["start"])
    except (ValueError, binascii.Error, KeyError, TypeError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def _stale_token() -> ApiError:
    return expired(
        "The provided continue parameter is too old to display a consistent list result. You can "
        "start a new list without the continue parameter."
    )
