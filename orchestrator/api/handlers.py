"""What each call does: translate, ask the service, translate back. No logic of its own."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Final

from starlette.responses import JSONResponse, PlainTextResponse, Response

from orchestrator.api import pages, wire
from orchestrator.api.body import digest
from orchestrator.api.cookie import secrets_in, set_cookie
from orchestrator.api.operation import API, Call, same_origin
from orchestrator.api.query import (
    LARGEST_SEQ,
    CreateQuery,
    EventsQuery,
    LogsQuery,
    Paging,
    StoreListQuery,
    StreamQuery,
)
from orchestrator.api.wire_overview import overview_document
from orchestrator.model.errors import FieldError, InputError, NotFound, RecordsError, Unauthorized
from orchestrator.model.kinds import Json
from orchestrator.model.logs import LogLine, LogQuery
from orchestrator.model.people import Principal
from orchestrator.model.store import Phase, Store
from orchestrator.service import Idempotent, Listing, hash_token
from orchestrator.service.people import CODE_LASTS, SESSION_LASTS
from orchestrator.service.requests import (
    CreateStore,
    CreateToken,
    CreateUser,
    PatchStore,
    SignIn,
)

_NO_STORE: Final = {"Cache-Control": "no-store"}
_KEY: Final = re.compile(r"[!-~]{1,255}")
_STRONG_TAG: Final = re.compile(r'(?<![^\s,])"([0-9]{1,18})"')


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(content, status, {**_NO_STORE, **(headers or {})})


def _document(call: Call, store: Store) -> Json:
    return wire.store_document(store, call.deps.url_of).to_json()


def _store(call: Call, store: Store, status: int = 200) -> Response:
    return _json(_document(call, store), status, {"ETag": f'"{store.generation}"'})


async def health(_call: Call) -> Response:
    """The process answers."""
    return _json({"status": "ok"})


async def ready(call: Call) -> Response:
    """Every part that the service needs is well; 503 otherwise."""
    checks = await call.deps.readiness()
    well = all(check.ok for check in checks.values())
    body = {
        "status": "ok" if well else "unavailable",
        "checks": {name: {"ok": c.ok, "message": c.message} for name, c in checks.items()},
    }
    return _json(body, 200 if well else 503)


async def metrics(call: Call) -> Response:
    """Prometheus text; the stores are counted at each scrape."""
    try:
        counts = await call.deps.service.stores.counts_by_phase()
    except RecordsError:
        call.deps.metrics.stores.clear()  # no value is better than an old one
    else:
        for phase in Phase:
            call.deps.metrics.stores.labels(phase.value).set(counts.get(phase.value, 0))
    text, content_type = call.deps.metrics.render()
    return Response(text, headers={**_NO_STORE, "Content-Type": content_type})


async def home(call: Call) -> Response:
    """The dashboard; where it was not built, a page that leads on."""
    built = call.deps.dashboard
    return built.page() if built else pages.home(sandbox=call.deps.sandbox)


async def asset(call: Call) -> Response:
    """A file of the dashboard; its name changes with its content."""
    built = call.deps.dashboard
    packed = "gzip" in call.request.headers.get("accept-encoding", "")
    found = built.asset(call.path("name"), packed=packed) if built else None
    if found is None:
        raise NotFound("There is no such file")
    return found


async def openapi(call: Call) -> Response:
    """The OpenAPI document."""
    return _json(call.request.app.state.openapi)


async def docs(call: Call) -> Response:
    """The OpenAPI document as a page."""
    address = str(call.request.base_url).rstrip("/")
    return pages.docs(call.request.app.state.openapi, address)


async def me(call: Call) -> Response:
    """Who calls, with limits and use."""
    return _json((await _me(call, call.principal)).to_json())


async def _me(call: Call, principal: Principal) -> wire.MeDocument:
    account = await call.deps.service.people.account(principal)
    return wire.MeDocument(
        user=account.principal.user,
        role=account.principal.role,
        token_id=account.principal.token_id,
        limits=wire.LimitsDocument(stores=account.max_stores, requests=account.rate_limit),
        use=wire.UseDocument(stores=account.stores),
        base_domain=call.deps.settings.base_domain,
        sandbox=call.deps.sandbox,
    )


async def sign_in(call: Call) -> Response:
    """Open a session by a token or a log-in link; the cookie is all that the browser keeps.

    The one that the browser had ends with that: its streams would go on as somebody else's.
    """
    same_origin(call.request)
    request = call.typed(call.body, SignIn)
    if bool(request.token) == bool(request.code):
        raise InputError(FieldError("token", "or code must be sent: one of the two"))
    people = call.deps.service.people
    if request.code:
        principal, secret = await people.sign_in_by_code(request.code)
    else:
        principal, secret = await people.sign_in(request.token.strip())
    response = _json((await _me(call, principal)).to_json())
    await _end_former(call)
    seconds = int(SESSION_LASTS.total_seconds())
    set_cookie(call.request, response, call.deps.settings.port, secret, seconds)
    return response


async def sign_out(call: Call) -> Response:
    """End the session that the cookie names, and every other that came under its name."""
    await _end_sessions(call, call.principal)
    response = Response(status_code=204, headers=_NO_STORE)
    set_cookie(call.request, response, call.deps.settings.port, "", 0)
    return response


async def _end_former(call: Call) -> None:
    """End the session that the browser had, in the name of whose it was."""
    try:
        former = await call.deps.service.people.by_session(
            *secrets_in(call.request, call.deps.settings.port)
        )
    except Unauthorized:
        return
    await _end_sessions(call, former)


async def _end_sessions(call: Call, by: Principal) -> None:
    """End the sessions whose cookies came: the browser will not come with them again."""
    secrets = secrets_in(call.request, call.deps.settings.port)
    if secrets:
        await call.deps.service.people.sign_out(by, *secrets)
    for secret in secrets:
        call.request.app.state.feed.revoke(hash_token(secret))


async def login_link(call: Call) -> Response:
    """A one-time link that signs in as the caller."""
    code = await call.deps.service.people.login_code(call.principal)
    address = str(call.request.base_url).rstrip("/")
    document = wire.LoginLinkDocument(
        url=f"{address}/?code={code}", expires_at=datetime.now(UTC) + CODE_LASTS
    )
    return _json(document.to_json(), 201)


async def overview(call: Call) -> Response:
    """Everything at once, for operators."""
    seen = await call.deps.service.overview.get(call.principal)
    return _json(overview_document(seen).to_json())


async def plans(_call: Call) -> Response:
    """The plans and engines there are."""
    return _json(wire.PLANS_DOCUMENT.to_json())


async def create_store(call: Call) -> Response:
    """Record a new store, once per Idempotency-Key."""
    request = call.typed(call.body, CreateStore)
    key = _idempotency_key(call)
    stores = call.deps.service.stores
    if call.typed(call.query, CreateQuery).dry_run:
        return _json(_document(call, await stores.dry_run(call.principal, request)))
    idempotent = Idempotent(key, digest(call.raw), lambda store: _document(call, store))
    created = await stores.create(call.principal, request, idempotent)
    headers = {
        "Location": f"{API}/stores/{created.store_id}",
        "ETag": f'"{created.answer["generation"]}"',
    }
    if created.replayed:
        headers["Idempotency-Replayed"] = "true"
    return _json(created.answer, 202, headers)


async def list_stores(call: Call) -> Response:
    """A page of stores."""
    query = call.typed(call.query, StoreListQuery)
    listing = Listing(query.limit, query.cursor, query.phase, query.q or None, query.sort)
    page = await call.deps.service.stores.list(call.principal, listing)
    documents = [wire.store_document(store, call.deps.url_of) for store in page.items]
    return _json(wire.page(documents, page.next_cursor))


async def get_store(call: Call) -> Response:
    """One store."""
    return _store(call, await call.deps.service.stores.get(call.principal, call.path("id")))


async def patch_store(call: Call) -> Response:
    """Merge a patch into a store's spec."""
    patch = call.typed(call.body, PatchStore)
    store = await call.deps.service.stores.change(
        call.principal, call.path("id"), patch, _if_match(call)
    )
    return _store(call, store, 202)


async def delete_store(call: Call) -> Response:
    """Ask for a store's end."""
    store = await call.deps.service.stores.delete(call.principal, call.path("id"))
    return _store(call, store, 202)


async def retry_store(call: Call) -> Response:
    """Try a failed store again."""
    store = await call.deps.service.stores.retry(call.principal, call.path("id"))
    return _store(call, store, 202)


async def list_revisions(call: Call) -> Response:
    """A page of a store's history."""
    query = call.typed(call.query, Paging)
    page = await call.deps.service.stores.revisions(
        call.principal, call.path("id"), query.limit, query.cursor
    )
    return _json(wire.page([wire.revision_document(r) for r in page.items], page.next_cursor))


async def get_evidence(call: Call) -> Response:
    """What was seen when a revision failed."""
    number = call.path("number")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NotFound("There is no such revision: revisions are numbered 1, 2, 3, …")
    evidence = await call.deps.service.stores.evidence(call.principal, call.path("id"), int(number))
    return _json(evidence)


async def list_resources(call: Call) -> Response:
    """A page of a store's inventory, in a fixed order."""
    query = call.typed(call.query, Paging)
    found = await call.deps.service.stores.resources(call.principal, call.path("id"))
    after = _decode_cursor(query.cursor)
    rest = sorted((r for r in found if str(r.seen.ref) > after), key=lambda r: str(r.seen.ref))
    shown = rest[: query.limit]
    more = len(rest) > len(shown)
    cursor = _encode_cursor(str(shown[-1].seen.ref)) if more else None
    return _json(wire.page([wire.resource_document(r) for r in shown], cursor))


async def list_events(call: Call) -> Response:
    """A page of a store's timeline."""
    query = call.typed(call.query, EventsQuery)
    after = max(query.after or 0, query.cursor or 0)
    found = await call.deps.service.stores.events(
        call.principal, call.path("id"), after, query.limit + 1
    )
    shown = found[: query.limit]
    cursor = str(shown[-1].seq) if len(found) > len(shown) else None
    return _json(wire.page([wire.entry_document(e) for e in shown], cursor))


async def get_logs(call: Call) -> Response:
    """What a store's containers say."""
    query = call.typed(call.query, LogsQuery)
    asked = LogQuery(query.component, query.tail, query.previous)
    stores = call.deps.service.stores
    if not query.following:
        lines = await stores.logs(call.principal, call.path("id"), asked)
        text = "".join(f"{line}\n" for line in lines)
        return PlainTextResponse(text, headers=_NO_STORE)
    found = await stores.follow_logs(call.principal, call.path("id"), asked)
    return await call.request.app.state.feed.relay(call.principal, _log_events(found))  # type: ignore[no-any-return]


async def _log_events(lines: AsyncGenerator[LogLine]) -> AsyncGenerator[tuple[str, Json]]:
    async with aclosing(lines):
        async for line in lines:
            yield "log", {"pod": line.pod, "container": line.container, "line": line.text}


async def stream_events(call: Call) -> Response:
    """Everything that happens, as it happens."""
    after = call.typed(call.query, StreamQuery).last_event_id
    header = call.request.headers.get("last-event-id")
    if header:
        if not (header.isascii() and header.isdigit() and int(header[:20]) <= LARGEST_SEQ):
            raise InputError(FieldError("Last-Event-ID", "must be the id of an event of ours"))
        after = int(header)
    return await call.request.app.state.feed.open(call.principal, after)  # type: ignore[no-any-return]


async def credentials(call: Call) -> Response:
    """User name and password of the WordPress admin."""
    username, password = await call.deps.service.stores.credentials(call.principal, call.path("id"))
    return _json({"username": username, "password": password})


async def list_users(call: Call) -> Response:
    """A page of users."""
    query = call.typed(call.query, Paging)
    page = await call.deps.service.people.users(call.principal, query.limit, query.cursor)
    return _json(wire.page([wire.user_document(u) for u in page.items], page.next_cursor))


async def create_user(call: Call) -> Response:
    """A new user."""
    request = call.typed(call.body, CreateUser)
    user = await call.deps.service.people.create_user(call.principal, request)
    return _json(wire.user_document(user).to_json(), 201)


async def list_tokens(call: Call) -> Response:
    """A page of tokens, without their texts."""
    query = call.typed(call.query, Paging)
    page = await call.deps.service.people.tokens(call.principal, query.limit, query.cursor)
    return _json(wire.page([wire.token_document(t) for t in page.items], page.next_cursor))


async def create_token(call: Call) -> Response:
    """A new token, shown this once."""
    request = call.typed(call.body, CreateToken)
    token, text = await call.deps.service.people.create_token(call.principal, request)
    return _json({"id": token.id, "token": text}, 201)


async def delete_token(call: Call) -> Response:
    """Revoke a token, and end the streams opened with it."""
    token_id = call.path("token")
    await call.deps.service.people.delete_token(call.principal, token_id)
    call.request.app.state.feed.revoke(token_id)
    return Response(status_code=204, headers=_NO_STORE)


def _idempotency_key(call: Call) -> str:
    key = call.request.headers.get("idempotency-key")
    if key is None:
        return ""
    if not _KEY.fullmatch(key):
        rule = "must be 1 to 255 visible ASCII characters"
        raise InputError(FieldError("Idempotency-Key", rule))
    return key


def _if_match(call: Call) -> frozenset[int] | None:
    """Return the generations that If-Match allows; None is any. A weak tag matches nothing."""
    values = call.request.headers.getlist("if-match")
    if not values or "*" in (value.strip() for value in values):
        return None
    return frozenset(int(tag) for tag in _STRONG_TAG.findall(",".join(values)))


def _encode_cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str | None) -> str:
    if cursor is None:
        return ""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        text = raw.decode()
    except (binascii.Error, ValueError) as exc:
        raise InputError(FieldError("cursor", "is not one that this list gave")) from exc
    if text.count("/") not in (1, 2) or _encode_cursor(text) != cursor:
        raise InputError(FieldError("cursor", "is not one that this list gave"))
    return text
