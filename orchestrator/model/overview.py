"""What an operator looks at: the state of the service and of its cluster, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Room:
    """Processors (cores) and memory (bytes), of nodes or as requested by stores."""

    cpu: float
    memory: int


@dataclass(frozen=True)
class ClusterSight:
    """What the cluster looks like now.

    ``latency`` is what the API server took for a small answer, in seconds; None: it gave none.
    ``staleness`` is seconds since each kind's watch last heard of it.
    """

    latency: float | None
    fresh: bool
    staleness: Mapping[str, float]


@dataclass(frozen=True)
class Sample:
    """One minute of the past. Durations are seconds.

    ``staleness`` is that of the kind which was silent for longest; None: it was not kept then.
    """

    time: datetime
    stores: Mapping[str, int]
    due: int
    queue_age: float
    latency: float | None
    staleness: float | None


@dataclass(frozen=True)
class Provisioned:
    """How long a store took from the request to Ready, in seconds."""

    store_id: str
    time: datetime
    seconds: float


@dataclass(frozen=True)
class FailedRevision:
    """A revision that failed, and why."""

    store_id: str
    number: int
    time: datetime
    message: str


@dataclass(frozen=True)
class Overview:
    """All of it. ``allocatable`` None: the cluster's nodes may not be read."""

    stores: Mapping[str, int]
    due: int
    queue_age: float
    sight: ClusterSight
    requested: Room
    allocatable: Room | None
    provisioned: tuple[Provisioned, ...] = ()
    failures: tuple[FailedRevision, ...] = ()
    history: tuple[Sample, ...] = field(default=())
