"""The operators' overview as types: its documents are built by them (see wire.py)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from orchestrator.api.wire import Document, Time
from orchestrator.model.overview import Overview, Room


class RoomDocument(Document):
    """Processors (cores) and memory (bytes)."""

    cpu: float
    memory: int


class SampleDocument(Document):
    """One minute of the past. Durations are seconds; latency null: no answer."""

    time: Time
    stores: dict[str, int]
    due: int
    queue_age: float
    latency: float | None
    staleness: Annotated[
        float | None, Field(description="Of the kind that the watch heard of least recently")
    ]


class ProvisionedDocument(Document):
    """How long a store took from the request to Ready, in seconds."""

    store: str
    time: Time
    seconds: float


class FailureDocument(Document):
    """A revision that failed, and why."""

    store: str
    revision: int
    time: Time
    message: str


class QueueDocument(Document):
    """Stores that wait for a worker, and how many seconds the oldest has."""

    due: int
    age: float


class WatchDocument(Document):
    """Whether the watch may be trusted, and seconds since each kind was last heard of."""

    fresh: bool
    staleness: dict[str, float]


class CapacityDocument(Document):
    """What stores request, of what nodes have for pods; null: nodes may not be read."""

    requested: RoomDocument
    allocatable: RoomDocument | None


class DurationsDocument(Document):
    """Seconds from request to Ready of the newest stores, and their percentiles."""

    p50: float | None
    p95: float | None
    recent: list[ProvisionedDocument]


class OverviewDocument(Document):
    """Everything at once, for operators."""

    stores: dict[str, int]
    durations: DurationsDocument
    failures: list[FailureDocument]
    queue: QueueDocument
    watch: WatchDocument
    latency: Annotated[float | None, Field(description="Of the API server, in seconds")]
    capacity: CapacityDocument
    history: list[SampleDocument]


def overview_document(seen: Overview) -> OverviewDocument:
    """Return the overview."""
    took = sorted(p.seconds for p in seen.provisioned)
    return OverviewDocument(
        stores=dict(seen.stores),
        durations=DurationsDocument(
            p50=_percentile(took, 0.5),
            p95=_percentile(took, 0.95),
            recent=[
                ProvisionedDocument(store=p.store_id, time=p.time, seconds=p.seconds)
                for p in seen.provisioned
            ],
        ),
        failures=[
            FailureDocument(store=f.store_id, revision=f.number, time=f.time, message=f.message)
            for f in seen.failures
        ],
        queue=QueueDocument(due=seen.due, age=seen.queue_age),
        watch=WatchDocument(fresh=seen.sight.fresh, staleness=dict(seen.sight.staleness)),
        latency=seen.sight.latency,
        capacity=CapacityDocument(
            requested=_room(seen.requested),
            allocatable=_room(seen.allocatable) if seen.allocatable else None,
        ),
        history=[SampleDocument(**vars(sample)) for sample in seen.history],
    )


def _room(room: Room) -> RoomDocument:
    return RoomDocument(cpu=room.cpu, memory=room.memory)


def _percentile(ordered: Sequence[float], part: float) -> float | None:
    """Return the nearest-rank percentile; None of nothing."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else None
