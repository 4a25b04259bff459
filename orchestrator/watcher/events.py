"""Reading Kubernetes' own events, whichever of its two APIs wrote them.

Source: the fields of ``core/v1`` Event; ``events.k8s.io/v1`` fills ``eventTime`` and ``series``.
"""

from __future__ import annotations

from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import mapping, meta, number, text


def about(event: Json) -> tuple[str, str]:
    """Return kind and name of the object that an event is about."""
    target = mapping(event.get("involvedObject")) or mapping(event.get("regarding"))
    return text(target.get("kind")), text(target.get("name"))


def time_of(event: Json) -> str:
    """Return when it was seen last (RFC 3339), or an empty string."""
    times = (
        mapping(event.get("series")).get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        meta(event).get("creationTimestamp"),
    )
    return next((t for t in map(text, times) if t), "")


def count_of(event: Json) -> int:
    """Return how often it was seen."""
    times = number(mapping(event.get("series")).get("count")) or number(event.get("count"))
    return max(times, 1)
