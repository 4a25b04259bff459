"""The calls of the API, each declared once."""

from __future__ import annotations

from typing import Final

from orchestrator.api import handlers as do
from orchestrator.api import query, wire
from orchestrator.api.body import JSON, MERGE_PATCH
from orchestrator.api.operation import API, Answer, Header, Operation
from orchestrator.api.wire_overview import OverviewDocument
from orchestrator.service.requests import (
    CreateStore,
    CreateToken,
    CreateUser,
    PatchStore,
    SignIn,
)

_STORE: Final = f"{API}/stores/{{id}}"
_ETAG: Final = {"ETag": "Strong; made of the store's generation, which status does not change"}
_IDEMPOTENCY: Final = Header(
    "Idempotency-Key",
    "Kept 24 hours per user: sent again, the same answer and nothing created twice",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
)
_IF_MATCH: Final = Header(
    "If-Match", "Entity tags; 412 if the store is at none of them", {"type": "string"}
)
_LAST_EVENT_ID: Final = Header(
    "Last-Event-ID",
    "Id of the last event received: everything since comes first",
    {"type": "string", "pattern": "^[0-9]{1,18}$"},
)


def _dashboard(path: str, name: str, summary: str) -> Operation:
    """Return one of the addresses of the page."""
    answers = {200: Answer("A page", "text/html")}
    return Operation("GET", path, name, summary, do.home, answers, tag="service", public=True)


_SERVICE: Final = (
    Operation(
        "GET",
        "/healthz",
        "health",
        "The process answers",
        do.health,
        {200: Answer("It does", wire.HealthDocument)},
        tag="service",
        public=True,
    ),
    Operation(
        "GET",
        "/readyz",
        "ready",
        "Database, cluster and watch are well",
        do.ready,
        {
            200: Answer("All are", wire.ReadyDocument),
            503: Answer("Something is not; the checks say what", wire.ReadyDocument),
        },
        tag="service",
        public=True,
    ),
    Operation(
        "GET",
        "/metrics",
        "metrics",
        "Metrics for Prometheus",
        do.metrics,
        {200: Answer("Prometheus text format", "text/plain")},
        tag="service",
        public=True,
    ),
    _dashboard("/", "home", "The dashboard"),
    _dashboard("/stores", "homeStores", "The dashboard, at its list of stores"),
    _dashboard("/stores/{page}", "homeStore", "The dashboard, at a store"),
    _dashboard("/operator", "homeOperator", "The dashboard, at its operator page"),
    Operation(
        "GET",
        "/assets/{name}",
        "asset",
        "A file of the dashboard",
        do.asset,
        {
            200: Answer(
                "The file",
                ("text/javascript", "text/css", "image/svg+xml", "font/woff2"),
                {"Cache-Control": "For a year: another content has another name"},
            )
        },
        tag="service",
        public=True,
        errors=(404,),
    ),
    Operation(
        "GET",
        f"{API}/openapi.json",
        "openapi",
        "This document",
        do.openapi,
        {200: Answer("OpenAPI 3.1", JSON)},
        tag="service",
        public=True,
    ),
    Operation(
        "GET",
        f"{API}/docs",
        "docs",
        "This document as a page",
        do.docs,
        {200: Answer("A page", "text/html")},
        tag="service",
        public=True,
    ),
    Operation(
        "GET",
        f"{API}/me",
        "me",
        "Who the token is, its role, limits and use",
        do.me,
        {200: Answer("The caller", wire.MeDocument)},
        tag="people",
    ),
    Operation(
        "POST",
        f"{API}/session",
        "signIn",
        "Sign a browser in by a token or a log-in link; the session that it had ends",
        do.sign_in,
        {
            200: Answer(
                "Who it is",
                wire.MeDocument,
                {"Set-Cookie": "The session: HttpOnly, SameSite=Strict, seven days"},
            )
        },
        tag="people",
        body=SignIn,
        public=True,
        errors=(401, 403, 503),
    ),
    Operation(
        "DELETE",
        f"{API}/session",
        "signOut",
        "Sign a browser out",
        do.sign_out,
        {204: Answer("Signed out")},
        tag="people",
    ),
    Operation(
        "POST",
        f"{API}/login-links",
        "createLoginLink",
        "Make a one-time link that signs in as the caller (profile local only)",
        do.login_link,
        {201: Answer("The link", wire.LoginLinkDocument)},
        tag="people",
        errors=(403,),
    ),
    Operation(
        "GET",
        f"{API}/overview",
        "overview",
        "Stores, durations, failures, queue, watch and capacity at once (admin)",
        do.overview,
        {200: Answer("The overview", OverviewDocument)},
        tag="service",
        admin=True,
        errors=(403,),
    ),
    Operation(
        "GET",
        f"{API}/plans",
        "plans",
        "Plans and engines with what they mean",
        do.plans,
        {200: Answer("Plans and engines", wire.PlansDocument)},
    ),
)
_STORES: Final = (
    Operation(
        "POST",
        f"{API}/stores",
        "createStore",
        "Create a store; poll it or watch the stream until it is Ready",
        do.create_store,
        {
            202: Answer(
                "Accepted; work has begun",
                wire.StoreDocument,
                {
                    "Location": "Where the store is",
                    "Idempotency-Replayed": "true when the key was known",
                    **_ETAG,
                },
            ),
            200: Answer("dryRun: all checks passed, nothing stored", wire.StoreDocument),
        },
        body=CreateStore,
        query=query.CreateQuery,
        headers=(_IDEMPOTENCY,),
        errors=(403, 409),
    ),
    Operation(
        "GET",
        f"{API}/stores",
        "listStores",
        "List stores; stable under inserts and deletes",
        do.list_stores,
        {200: Answer("A page of stores", wire.StoreItems)},
        query=query.StoreListQuery,
    ),
    Operation(
        "GET",
        _STORE,
        "getStore",
        "Get a store",
        do.get_store,
        {200: Answer("The store", wire.StoreDocument, _ETAG)},
        errors=(404,),
    ),
    Operation(
        "PATCH",
        _STORE,
        "changeStore",
        "Change a store by a JSON merge patch; null goes back to the default",
        do.patch_store,
        {
            202: Answer(
                "Accepted; an unchanged spec makes no new generation", wire.StoreDocument, _ETAG
            )
        },
        body=PatchStore,
        media_types=(JSON, MERGE_PATCH),
        headers=(_IF_MATCH,),
        errors=(404, 409, 412),
    ),
    Operation(
        "DELETE",
        _STORE,
        "deleteStore",
        "Delete a store with everything in it; 404 once every object is gone",
        do.delete_store,
        {202: Answer("It goes", wire.StoreDocument, _ETAG)},
        errors=(404,),
    ),
    Operation(
        "POST",
        f"{_STORE}/retry",
        "retryStore",
        "Try a failed store again",
        do.retry_store,
        {202: Answer("Accepted", wire.StoreDocument, _ETAG)},
        errors=(404, 409),
    ),
    Operation(
        "GET",
        f"{_STORE}/revisions",
        "listRevisions",
        "A store's history, newest first",
        do.list_revisions,
        {200: Answer("A page of revisions", wire.RevisionItems)},
        query=query.Paging,
        errors=(404,),
    ),
    Operation(
        "GET",
        f"{_STORE}/revisions/{{number}}/evidence",
        "getEvidence",
        "What was seen when a revision failed; secrets masked",
        do.get_evidence,
        {200: Answer("Events, container states, last logs, conditions", wire.EvidenceDocument)},
        errors=(404,),
    ),
    Operation(
        "GET",
        f"{_STORE}/resources",
        "listResources",
        "A store's objects in the cluster with their health",
        do.list_resources,
        {200: Answer("A page of the inventory", wire.ResourceItems)},
        query=query.Paging,
        errors=(404,),
    ),
    Operation(
        "GET",
        f"{_STORE}/events",
        "listEvents",
        "A store's timeline, oldest first",
        do.list_events,
        {200: Answer("A page of entries", wire.EntryItems)},
        query=query.EventsQuery,
        errors=(404,),
    ),
    Operation(
        "GET",
        f"{_STORE}/logs",
        "getLogs",
        "What a store's containers say; with follow=1 as events `log` ({pod, container, line})",
        do.get_logs,
        {200: Answer("Lines, each after [pod/container]", ("text/plain", "text/event-stream"))},
        query=query.LogsQuery,
        errors=(404,),
    ),
    Operation(
        "GET",
        f"{API}/events/stream",
        "streamEvents",
        "Server-sent events: store (a document), timeline (an entry), deleted ({id})",
        do.stream_events,
        {200: Answer("An endless stream; keep-alives are comments", "text/event-stream")},
        query=query.StreamQuery,
        headers=(_LAST_EVENT_ID,),
    ),
    Operation(
        "POST",
        f"{_STORE}/credentials",
        "getCredentials",
        "User name and password of the WordPress admin; the timeline says who read them",
        do.credentials,
        {200: Answer("The credentials", wire.CredentialsDocument)},
        errors=(404,),
    ),
)
_PEOPLE: Final = (
    Operation(
        "GET",
        f"{API}/users",
        "listUsers",
        "List users (admin)",
        do.list_users,
        {200: Answer("A page of users", wire.UserItems)},
        tag="people",
        admin=True,
        query=query.Paging,
        errors=(403,),
    ),
    Operation(
        "POST",
        f"{API}/users",
        "createUser",
        "Create a user (admin)",
        do.create_user,
        {201: Answer("The user", wire.UserDocument)},
        tag="people",
        admin=True,
        body=CreateUser,
        errors=(403, 409),
    ),
    Operation(
        "GET",
        f"{API}/tokens",
        "listTokens",
        "List tokens without their texts (admin)",
        do.list_tokens,
        {200: Answer("A page of tokens", wire.TokenItems)},
        tag="people",
        admin=True,
        query=query.Paging,
        errors=(403,),
    ),
    Operation(
        "POST",
        f"{API}/tokens",
        "createToken",
        "Create a token for a user (admin); it is shown this once",
        do.create_token,
        {201: Answer("The token", wire.NewTokenDocument)},
        tag="people",
        admin=True,
        body=CreateToken,
        errors=(403, 404),
    ),
    Operation(
        "DELETE",
        f"{API}/tokens/{{token}}",
        "deleteToken",
        "Revoke a token at once (admin)",
        do.delete_token,
        {204: Answer("Revoked")},
        tag="people",
        admin=True,
        errors=(403, 404),
    ),
)
OPERATIONS: Final = (*_STORES, *_PEOPLE, *_SERVICE)
