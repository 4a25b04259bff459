"""A store as it is recorded: desired state, observed state, revisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from orchestrator.model.inventory import Inventory
from orchestrator.model.kinds import Json
from orchestrator.model.names import namespace_of
from orchestrator.model.spec import StoreSpec


class Phase(StrEnum):
    """The one word for how a store does."""

    PENDING = "Pending"
    PROVISIONING = "Provisioning"
    READY = "Ready"
    DEGRADED = "Degraded"
    UPGRADING = "Upgrading"
    ROLLING_BACK = "RollingBack"
    FAILED = "Failed"
    HIBERNATED = "Hibernated"
    DELETING = "Deleting"


CONDITION_TYPES: Final = (
    "Applied",
    "DatabaseReady",
    "WordPressReady",
    "SetupComplete",
    "RouteReady",
    "Ready",
)


@dataclass(frozen=True)
class Condition:
    """One condition in the Kubernetes sense. ``status`` is True, False or Unknown."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: datetime
    observed_generation: int


@dataclass(frozen=True)
class Progress:
    """How many of the provisioning steps are done."""

    done: int = 0
    total: int = 7


@dataclass(frozen=True)
class Status:
    """What the reconciler observed; it alone writes this."""

    phase: Phase = Phase.PENDING
    message: str = "Waiting to be provisioned"
    conditions: tuple[Condition, ...] = ()
    progress: Progress = field(default_factory=Progress)
    observed_generation: int = 0
    revision: int = 0
    ready_at: datetime | None = None


@dataclass(frozen=True)
class Store:
    """One store's record. ``uid`` is random and marks the namespace as ours.

    ``attempt`` rises with every retry; ``deleting_since`` is set once deletion was asked for.
    """

    id: str
    uid: str
    owner: str
    spec: StoreSpec
    generation: int
    attempt: int
    status: Status
    created_at: datetime
    updated_at: datetime
    deleting_since: datetime | None = None

    @property
    def namespace(self) -> str:
        """The store's namespace."""
        return namespace_of(self.id)


class Outcome(StrEnum):
    """How a revision ended, or that it has not."""

    PROGRESSING = "Progressing"
    READY = "Ready"
    FAILED = "Failed"
    SUPERSEDED = "Superseded"


class Trigger(StrEnum):
    """Why a revision was made."""

    CREATE = "create"
    UPDATE = "update"
    RETRY = "retry"
    ROLLBACK = "rollback"
    TEMPLATE = "template"


@dataclass(frozen=True)
class Revision:
    """One attempt to bring a spec to Ready.

    ``elapsed`` is the time in seconds that counts against the provision timeout; it starts at
    ``applied_at`` and stands still while the cluster or the watch is unreachable. ``ticked_at`` is
    when it was last advanced.
    """

    number: int
    generation: int
    attempt: int
    trigger: Trigger
    spec: StoreSpec
    template_digest: str
    inventory: Inventory
    outcome: Outcome
    message: str
    created_at: datetime
    applied_at: datetime | None = None
    ready_at: datetime | None = None
    elapsed: float = 0.0
    ticked_at: datetime | None = None
    evidence: Json | None = None
