"""Reading Kubernetes' own events, whichever of its two APIs wrote them.

Source: the fields of ``core/v1`` Event; ``events.k8s.io/v1`` fills ``eventTime`` and ``series``.
"""

from __future__ import annotations

import re
from typing import Final

from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import mapping, meta, number, text

_CONTAINER: Final = re.compile(r"spec\.(?:init|ephemeral)?[cC]ontainers\{([a-z0-9-]{1,63})\}")


def about(event: Json) -> tuple[str, str]:
    """Return kind and name of the object that an event is about."""
    target = _target(event)
    return text(target.get("kind")), text(target.get("name"))


def container_of(event: Json) -> str:
    """Return the container that an event about a pod means, or an empty string.

    Source: kubelet's references, ``spec.containers{name}`` and ``spec.initContainers{name}``.
    """
    found = _CONTAINER.fullmatch(text(_target(event).get("fieldPath")))
    return found[1] if found else ""


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


def _target(event: Json) -> Json:
    return mapping(event.get("involvedObject")) or mapping(event.get("regarding"))
