"""Logging and metrics, set up once and used by every room.

Why: every line must carry the request's and the store's id without being told (structlog's context
variables), be readable by people or by machines, and never hold a secret. Invariants: values under
secret-sounding keys, bearer tokens and passwords in URLs are masked whatever room logs them; no
text that a user sent can steer the terminal; metrics live on one registry made by the composition
root, so that nothing is process-global and tests do not see each other.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TextIO, cast

import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from orchestrator import __version__
from orchestrator.model.text import printable

MASK: Final = "[hidden]"
_SECRET_WORDS: Final = frozenset(
    ("password", "passwd", "token", "secret", "authorization", "cookie", "credentials", "apikey")
)
_WORDS: Final = re.compile(r"[A-Za-z][a-z]*")
_BEARER: Final = re.compile(r"(?i)\b(bearer|basic)\s+[!-~]+")
_URL_PASSWORD: Final = re.compile(r"(\w://[^\s:/@]*:)[^\s/@]+@")
_DEEPEST: Final = 6
# What these say at level info is for their own makers.
_CHATTY: Final = ("uvicorn", "uvicorn.error", "alembic", "databases", "aiosqlite")


def get_logger(name: str) -> FilteringBoundLogger:
    """Return a logger; ``name`` is the room (``reconciler``)."""
    return cast(FilteringBoundLogger, structlog.get_logger(name))


def configure(format: Literal["pretty", "json"], level: str, stream: TextIO | None = None) -> None:
    """Send every log line, the libraries' included, to ``stream`` (stderr) in one form."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                *_renderer(format, out),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_number(level))
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, _number(level)))


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Mask secrets: under their keys at any depth, and inside texts."""
    return {key: _masked(key, value, 0) for key, value in event.items()}


def _masked(key: str, value: Any, depth: int) -> Any:
    if _secret_key(key) and value not in (None, "", False, True):
        return MASK
    if isinstance(value, str):
        return _URL_PASSWORD.sub(rf"\1{MASK}@", _BEARER.sub(rf"\1 {MASK}", value))
    if depth >= _DEEPEST:
        return value if isinstance(value, (int, float, bool, type(None))) else "…"
    if isinstance(value, Mapping):
        return {str(k): _masked(str(k), v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked("", v, depth + 1) for v in value]
    return value


def _secret_key(key: str) -> bool:
    """Whether the key's last word is a secret's: ``admin_token`` is, ``token_id`` is not."""
    words = _WORDS.findall(key)
    last = [word.lower() for word in words[-2:]]
    return bool(last) and (last[-1] in _SECRET_WORDS or "".join(last) == "apikey")


def _safe_for_terminals(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {
        key: printable(value, keep="\n" if key == "exception" else "")
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }


def _renderer(format: Literal["pretty", "json"], out: TextIO) -> tuple[Processor, ...]:
    if format == "json":
        return (structlog.processors.JSONRenderer(default=str),)
    console = structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0)
    return (_safe_for_terminals, console)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


_FAST: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True)
class Metrics:
    """All metrics, on a registry of their own. Durations are seconds."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    http_requests: Counter = field(init=False)
    http_seconds: Histogram = field(init=False)
    reconcile_seconds: Histogram = field(init=False)
    apply_total: Counter = field(init=False)
    queue_depth: Gauge = field(init=False)
    queue_age_seconds: Gauge = field(init=False)
    watch_staleness_seconds: Gauge = field(init=False)
    stores: Gauge = field(init=False)

    def __post_init__(self) -> None:
        r = self.registry
        ProcessCollector(registry=r)
        build = Gauge("urumi_build_info", "The running version", ["version"], registry=r)
        build.labels(__version__).set(1)
        made: dict[str, object] = {
            "http_requests": Counter(
                "urumi_http_requests_total",
                "HTTP requests answered",
                ["method", "route", "status"],
                registry=r,
            ),
            "http_seconds": Histogram(
                "urumi_http_request_duration_seconds",
                "Time to answer a request; streams are not counted",
                ["method", "route"],
                buckets=_FAST,
                registry=r,
            ),
            "reconcile_seconds": Histogram(
                "urumi_reconcile_duration_seconds",
                "Time of one reconcile of one store, by how it ended",
                ["outcome"],
                buckets=_SLOW,
                registry=r,
            ),
            "apply_total": Counter(
                "urumi_apply_total",
                "Objects by kind and by what an apply did to them",
                ["kind", "action"],
                registry=r,
            ),
            "queue_depth": Gauge("urumi_queue_depth", "Stores that are due now", registry=r),
            "queue_age_seconds": Gauge(
                "urumi_queue_age_seconds", "How long the longest-due store waits", registry=r
            ),
            "watch_staleness_seconds": Gauge(
                "urumi_watch_staleness_seconds",
                "Time since the watch of a kind last heard from the cluster",
                ["kind"],
                registry=r,
            ),
            "stores": Gauge("urumi_stores", "Stores by phase", ["phase"], registry=r),
        }
        for name, metric in made.items():
            object.__setattr__(self, name, metric)

    def render(self) -> tuple[bytes, str]:
        """Return the Prometheus text and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
