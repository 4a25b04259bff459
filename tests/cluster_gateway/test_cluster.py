"""The gateway against an API server that misbehaves."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from orchestrator.cluster import USER_AGENT, ClusterTarget, Timing, connect
from orchestrator.model.errors import (
    AlreadyExists,
    ApplyConflict,
    ClusterForbidden,
    ClusterRejected,
    ClusterUnreachable,
    InvalidObject,
    ObjectNotFound,
    PreconditionConflict,
    WatchExpired,
)
from orchestrator.model.kinds import KINDS, Json, ObjectRef
from tests.cluster_gateway.conftest import Answer, Open, config_of

REF = ObjectRef("ConfigMap", "store-a", "settings")
OBJ: Json = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "store-a"},
    "data": {"k": "v"},
}


def says(data: Any, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.json_response(data, status=status, headers=headers)

    return answer


def fails(code: int, reason: str = "", causes: Any = (), **headers: str) -> Answer:
    body = {
        "kind": "Status",
        "code": code,
        "reason": reason,
        "message": f"it is {reason}",
        "details": {"causes": list(causes)},
    }
    return says(body, code, **headers)


async def hangs_up(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def truncates(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"kind": "Config')
    assert request.transport is not None
    request.transport.abort()
    return response


def streams(*events: Json | bytes) -> Answer:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for event in events:
            line = event if isinstance(event, bytes) else json.dumps(event).encode()
            await response.write(line + b"\n")
        return response

    return answer


async def test_an_apply_is_json_under_our_manager_with_strict_validation(unwell: Open) -> None:
    async with unwell(says(OBJ)) as (cluster, server):
        assert await cluster.apply(OBJ, force=True, dry_run=True) == OBJ
    (request,) = server.seen
    assert request.method == "PATCH"
    assert request.path == "/api/v1/namespaces/store-a/configmaps/settings"
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers["User-Agent"] == USER_AGENT
    assert dict(request.query) == {
        "fieldManager": "urumi-orchestrator",
        "fieldValidation": "Strict",
        "force": "true",
        "dryRun": "All",
    }
    assert json.loads(await request.read()) == OBJ


@pytest.mark.parametrize("trouble", [fails(500), fails(503), fails(504), hangs_up, truncates])
async def test_what_is_safe_to_repeat_is_repeated(unwell: Open, trouble: Answer) -> None:
    async with unwell(trouble, trouble, says(OBJ)) as (cluster, server):
        assert await cluster.get(REF) == OBJ
        assert len(server.seen) >= 3
        assert server.waits and all(0 < wait <= 5 for wait in server.waits)


async def test_retry_after_is_honoured(unwell: Open) -> None:
    busy = fails(429, "TooManyRequests", **{"Retry-After": "2"})
    async with unwell(busy, busy, says(OBJ)) as (cluster, server):
        await cluster.apply(OBJ)
        assert server.waits == [2.0, 2.0]


async def test_a_longer_wait_than_a_request_may_last_is_handed_to_the_caller(unwell: Open) -> None:
    async with unwell(fails(503, "Busy", **{"Retry-After": "600"})) as (cluster, server):
        with pytest.raises(ClusterUnreachable) as caught:
            await cluster.apply(OBJ)
    assert caught.value.retry_after == 600
    assert (len(server.seen), server.waits) == (1, [])


async def test_the_tries_are_bounded_and_the_error_names_the_object(unwell: Open) -> None:
    async with unwell(fails(503, "Unavailable")) as (cluster, server):
        with pytest.raises(ClusterUnreachable, match="ConfigMap/store-a/settings"):
            await cluster.get(REF)
        assert len(server.seen) == 4


async def test_a_create_whose_answer_was_lost_is_not_sent_again(unwell: Open) -> None:
    async with unwell(truncates, says(OBJ)) as (cluster, server):
        with pytest.raises(ClusterUnreachable):
            await cluster.create(OBJ)
        assert len(server.seen) == 1


async def test_a_create_that_the_server_refused_for_now_is_sent_again(unwell: Open) -> None:
    async with unwell(fails(429, **{"Retry-After": "1"}), says(OBJ, 201)) as (cluster, server):
        assert await cluster.create(OBJ) == OBJ
        assert len(server.seen) == 2


async def test_a_silent_server_is_given_up(unwell: Open) -> None:
    never = asyncio.Event()

    async def silent(_: web.BaseRequest) -> web.Response:
        await never.wait()
        return web.Response()

    async with unwell(silent, request=0.05) as (cluster, _server):
        with pytest.raises(ClusterUnreachable, match="no answer"):
            await cluster.get(REF)
        never.set()


CONFLICT = {
    "reason": "FieldManagerConflict",
    "message": 'conflict with "kubectl" using v1',
    "field": ".data.k",
}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (fails(404, "NotFound"), ObjectNotFound),
        (fails(409, "AlreadyExists"), AlreadyExists),
        (fails(409, "Conflict", [CONFLICT]), ApplyConflict),
        (fails(409, "Conflict"), PreconditionConflict),
        (fails(422, "Invalid"), InvalidObject),
        (fails(400, "BadRequest"), InvalidObject),
        (fails(403, "Forbidden"), ClusterForbidden),
        (fails(401, "Unauthorized"), ClusterForbidden),
        (fails(410, "Expired"), WatchExpired),
    ],
)
async def test_errors_are_of_our_tree(
    unwell: Open, answer: Answer, error: type[ClusterRejected]
) -> None:
    async with unwell(answer) as (cluster, _):
        with pytest.raises(error) as caught:
            await cluster.apply(OBJ)
        assert "ConfigMap/store-a/settings" in str(caught.value)
        assert "s3cret" not in str(caught.value)
        if error is ApplyConflict:
            assert [(c.field, c.message) for c in caught.value.causes] == [
                (".data.k", 'conflict with "kubectl" using v1')
            ]


async def test_an_address_that_could_not_be_had_is_no_invalid_object(unwell: Open) -> None:
    """The API server says so of a Service when etcd goes away in the middle; it is tried again."""
    away = "rpc error: code = Unavailable desc = error reading from server: EOF"
    cause = {
        "reason": "FieldValueInvalid",
        "message": f'Invalid value: [""]: failed to allocate IP: {away}',
        "field": "spec.clusterIPs",
    }
    async with unwell(fails(422, "Invalid", [cause]), says(OBJ)) as (cluster, server):
        assert await cluster.apply(OBJ) == OBJ
        assert len(server.seen) == 2
    for_good = [fails(422, "Invalid", [cause])] * 30
    async with unwell(*for_good) as (cluster, _):
        with pytest.raises(ClusterUnreachable, match="it is Invalid") as caught:
            await cluster.apply(OBJ)
    assert caught.value.code == 500, "the server answers: it may be about the object alone"


async def test_a_rejected_token_is_loaded_again_once(unwell: Open) -> None:
    async with unwell(fails(401, "Unauthorized"), says(OBJ)) as (cluster, server):
        assert await cluster.get(REF) == OBJ
        assert len(server.seen) == 2


async def test_a_list_follows_its_chunks_and_fills_in_kinds(unwell: Open) -> None:
    one = {"metadata": {"continue": "more", "resourceVersion": "7"}, "items": [{"metadata": {}}]}
    two = {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "b"}}]}
    async with unwell(says(one), says(two)) as (cluster, server):
        found = await cluster.list(KINDS["Secret"], selector="a=b", metadata_only=True)
    assert found.resource_version == "7"
    assert [i["kind"] for i in found.items] == ["Secret", "Secret"]
    assert server.seen[1].query["continue"] == "more"
    assert "PartialObjectMetadataList" in server.seen[0].headers["Accept"]


async def test_a_watch_opens_with_a_sign_of_life_then_tells_what_happens(unwell: Open) -> None:
    huge = {"type": "ADDED", "object": {"metadata": {"name": "x" * 3_000_000}}}
    mark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}
    async with unwell(streams(huge, mark)) as (cluster, server):
        events = [e async for e in cluster.watch(KINDS["Pod"], resource_version="5", timeout=60)]
    assert [e.type for e in events] == ["BOOKMARK", "ADDED", "BOOKMARK"]
    assert events[0].object["metadata"]["resourceVersion"] == "5"
    assert (events[1].object["kind"], len(events[1].object["metadata"]["name"])) == (
        "Pod",
        3_000_000,
    )
    query = server.seen[0].query
    assert (query["allowWatchBookmarks"], query["timeoutSeconds"]) == ("true", "60")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (fails(410, "Expired"), WatchExpired),
        (
            streams({"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}),
            WatchExpired,
        ),
        (streams({"type": "ERROR", "object": {"code": 500}}), ClusterUnreachable),
        (streams({"type": "ERROR", "object": {"code": 400, "details": "?"}}), InvalidObject),
        (streams({"type": "ADDED", "object": None}), ClusterUnreachable),
        (streams(b"not json"), ClusterUnreachable),
        (fails(503, "Unavailable"), ClusterUnreachable),
    ],
)
async def test_a_watch_that_goes_wrong_says_how(
    unwell: Open, answer: Answer, error: type[Exception]
) -> None:
    async with unwell(answer) as (cluster, _):
        with pytest.raises(error):
            async for _event in cluster.watch(KINDS["Pod"], resource_version="5"):
                pass


async def test_a_delete_names_the_uid_that_was_seen(unwell: Open) -> None:
    async with unwell(says({"kind": "Status", "status": "Success"})) as (cluster, server):
        await cluster.delete(REF, uid="u-1", propagation="Foreground")
    body = json.loads(await server.seen[0].read())
    assert body["preconditions"] == {"uid": "u-1"}
    assert body["propagationPolicy"] == "Foreground"


async def test_a_delete_that_names_no_uid_is_not_sent_again(unwell: Open) -> None:
    async with unwell(truncates, says({"kind": "Status"})) as (cluster, server):
        with pytest.raises(ClusterUnreachable):
            await cluster.delete(REF, uid=None)
        assert len(server.seen) == 1
    async with unwell(truncates, says({"kind": "Status"})) as (cluster, server):
        assert await cluster.delete(REF, uid="u-1") is True
        assert len(server.seen) == 2


async def test_a_delete_says_when_a_finalizer_holds_the_object(unwell: Open) -> None:
    async with unwell(says({**OBJ, "metadata": {"deletionTimestamp": "now"}})) as (cluster, _):
        assert await cluster.delete(REF, uid="u-1") is False


async def test_a_log_is_text(unwell: Open) -> None:
    async def text(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"ready\n\xff")

    async with unwell(text) as (cluster, server):
        assert await cluster.logs("ns", "p", "c", tail=5, previous=True) == "ready\n\ufffd"
    assert server.seen[0].path == "/api/v1/namespaces/ns/pods/p/log"
    assert server.seen[0].query["tailLines"] == "5"
    assert server.seen[0].query["previous"] == "true"


async def test_a_watch_that_is_not_answered_is_given_up(unwell: Open) -> None:
    never = asyncio.Event()

    async def silent(_: web.BaseRequest) -> web.Response:
        await never.wait()
        return web.Response()

    async with unwell(silent, request=0.05) as (cluster, _server):
        with pytest.raises(ClusterUnreachable, match="the watch of pods"):
            async for _event in cluster.watch(KINDS["Pod"], resource_version="5"):
                pass
        never.set()


async def test_a_watch_cut_off_in_a_line_ends_without_half_an_event(unwell: Open) -> None:
    whole = {"type": "ADDED", "object": {"metadata": {"name": "a"}}}
    half = b'{"type": "ADDED", "obj'

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(json.dumps(whole).encode() + b"\n" + half)
        return response

    async with unwell(answer) as (cluster, _):
        events = [e async for e in cluster.watch(KINDS["Pod"], resource_version="5")]
    assert [e.type for e in events] == ["BOOKMARK", "ADDED"]


async def test_a_watch_that_is_reset_says_so(unwell: Open) -> None:
    async with unwell(truncates) as (cluster, _):
        with pytest.raises(ClusterUnreachable):
            async for _event in cluster.watch(KINDS["Pod"], resource_version="5"):
                pass


async def test_where_nobody_listens_even_a_create_is_tried_again(tmp_path: Path) -> None:
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    path = tmp_path / "nobody"
    path.write_text(json.dumps(config_of("http://127.0.0.1:9", {"token": "s3cret"})))
    timing = Timing(sleep=pause)
    async with connect(ClusterTarget("kubeconfig", path), timing=timing) as cluster:
        with pytest.raises(ClusterUnreachable, match="ConfigMap/store-a/settings"):
            await cluster.create(OBJ)
    assert len(waits) == 3
    assert waits[0] < waits[2], "the waits grow"
