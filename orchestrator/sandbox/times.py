"""Ages as ``kubectl get`` shows them (``k8s.io/apimachinery/pkg/util/duration``)."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.sandbox.values import Json

_UNKNOWN = "<unknown>"


def human(seconds: float) -> str:
    """Return a duration in at most two units: 45s, 3m20s, 2h, 3d4h."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m{_rest(whole % 60, 's')}"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{_rest(minutes % 60, 'm')}"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{_rest(hours % 24, 'h')}"
    return _long(days)


def _long(days: int) -> str:
    years = days // 365
    if days < 730:
        return f"{days}d"
    return f"{years}y{_rest(days % 365, 'd')}" if years < 8 else f"{years}y"


def _rest(number: int, unit: str) -> str:
    return f"{number}{unit}" if number else ""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def since(text: str | None) -> str:
    """Return how long ago a time was; empty when there is none."""
    return human((datetime.now(UTC) - _moment(text)).total_seconds()) if text else ""


def shortly(text: str | None) -> str:
    """Return how long ago a time was, or that it is not known."""
    return since(text) or _UNKNOWN


def age(obj: Json) -> str:
    """Return how old an object is."""
    return shortly(obj["metadata"].get("creationTimestamp"))


def seconds_between(start: str | None, end: str | None) -> str:
    """Return how long something took or has been taking; empty before its start."""
    if not start:
        return ""
    until = _moment(end) if end else datetime.now(UTC)
    return human((until - _moment(start)).total_seconds())
