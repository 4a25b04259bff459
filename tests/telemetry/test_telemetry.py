"""Log lines carry their context, hold no secret and cannot steer a terminal."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from orchestrator import telemetry


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    named = [logging.getLogger(name) for name in ("", *telemetry._CHATTY)]
    levels = [logger.level for logger in named]
    yield
    root.handlers[:] = handlers
    for logger, level in zip(named, levels, strict=True):
        logger.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def json_lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_carries_request_and_store_also_those_of_libraries() -> None:
    out = io.StringIO()
    log = telemetry.get_logger("reconciler")
    telemetry.configure("json", "info", out)
    with structlog.contextvars.bound_contextvars(request_id="r-1", store_id="acme"):
        log.info("applied", objects=3)
        logging.getLogger("uvicorn.error").warning("slow %s", "client")
    ours, theirs = json_lines(out)
    assert (ours["event"], ours["objects"], ours["logger"]) == ("applied", 3, "reconciler")
    assert (theirs["event"], theirs["level"]) == ("slow client", "warning")
    for line in (ours, theirs):
        assert (line["request_id"], line["store_id"]) == ("r-1", "acme")
        assert line["timestamp"].endswith("Z")


def test_secrets_are_masked_wherever_they_hide() -> None:
    out = io.StringIO()
    telemetry.configure("json", "info", out)
    telemetry.get_logger("x").info(
        "called with Bearer hunter2",
        admin_token="hunter2",
        headers={"Authorization": "Basic hunter2", "nested": [{"dbPassword": "hunter2"}]},
        url="postgresql://urumi:hunter2@db/urumi",
        token_id="t-1",
    )
    assert "hunter2" not in out.getvalue()
    assert json_lines(out)[0]["token_id"] == "t-1"


def test_a_traceback_holds_no_password_of_a_url() -> None:
    out = io.StringIO()
    telemetry.configure("json", "info", out)
    try:
        raise RuntimeError("cannot connect to postgresql://u:hunter2@db/x")
    except RuntimeError:
        telemetry.get_logger("x").exception("failed")
    assert "hunter2" not in out.getvalue()
    assert "RuntimeError" in json_lines(out)[0]["exception"]


def test_pretty_lines_cannot_steer_the_terminal() -> None:
    out = io.StringIO()
    telemetry.configure("pretty", "info", out)
    telemetry.get_logger("x").info("store \x1b[2J", name="a\x1b]0;x\x07b\nc")
    text = out.getvalue()
    assert "\x1b" not in text and "\x07" not in text
    assert text.count("\n") == 1


def test_the_level_is_kept() -> None:
    out = io.StringIO()
    telemetry.configure("json", "warning", out)
    telemetry.get_logger("x").info("not this")
    telemetry.get_logger("x").warning("this")
    assert [line["event"] for line in json_lines(out)] == ["this"]


def test_metrics_are_rendered_from_a_registry_of_their_own() -> None:
    metrics, other = telemetry.Metrics(), telemetry.Metrics()
    metrics.http_requests.labels("GET", "/api/v1/stores", "200").inc()
    metrics.http_seconds.labels("GET", "/api/v1/stores").observe(0.02)
    metrics.reconcile_seconds.labels("ready").observe(0.4)
    metrics.apply_total.labels("Deployment", "created").inc()
    metrics.queue_depth.set(3)
    metrics.queue_age_seconds.set(1.5)
    metrics.watch_staleness_seconds.labels("Pod").set(0.2)
    metrics.stores.labels("Ready").set(2)
    body, content_type = metrics.render()
    text = body.decode()
    assert content_type.startswith("text/plain")
    for line in (
        'urumi_http_requests_total{method="GET",route="/api/v1/stores",status="200"} 1.0',
        'urumi_reconcile_duration_seconds_count{outcome="ready"} 1.0',
        'urumi_apply_total{action="created",kind="Deployment"} 1.0',
        "urumi_queue_depth 3.0",
        "urumi_queue_age_seconds 1.5",
        'urumi_watch_staleness_seconds{kind="Pod"} 0.2',
        'urumi_stores{phase="Ready"} 2.0',
    ):
        assert line in text.splitlines()
    assert "urumi_queue_depth 0.0" in other.render()[0].decode().splitlines()
