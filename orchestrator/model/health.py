"""What is observed of one object, explained."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.model.kinds import ObjectRef


class HealthStatus(StrEnum):
    """How an object does. PROGRESSING may still become healthy by itself; DEGRADED hardly will."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    MISSING = "Missing"


@dataclass(frozen=True)
class Health:
    """One object's state: ``reason`` is Kubernetes' CamelCase word, ``message`` one sentence."""

    status: HealthStatus
    reason: str
    message: str

    @property
    def ok(self) -> bool:
        """Whether the object is healthy."""
        return self.status is HealthStatus.HEALTHY


@dataclass(frozen=True)
class ObservedObject:
    """An inventory entry with what the watch says of it."""

    ref: ObjectRef
    health: Health
