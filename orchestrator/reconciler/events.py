"""What Kubernetes tells of a store's objects and of the pods that they made.

Its events stand nowhere but in the cluster, which forgets them after an hour (``--event-ttl``);
they are listed when somebody asks, and never without the store's passwords masked: a probe's event
quotes what the probe printed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterError
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.store import Store
from orchestrator.model.timeline import ObjectEvent, Severity
from orchestrator.reconciler.masking import masked, secrets_of
from orchestrator.telemetry import get_logger
from orchestrator.watcher import Watcher
from orchestrator.watcher.events import about, count_of, time_of
from orchestrator.watcher.fields import clean, name_of

log = get_logger(__name__)

PATIENCE: Final = 2.0
"""Seconds that a reader of the inventory waits for what is worth less than the inventory."""
_MAKERS: Final[Mapping[str, Sequence[str]]] = {
    "Pod": ("Deployment", "StatefulSet", "CronJob"),
    "ReplicaSet": ("Deployment",),
    "Job": ("CronJob",),
}


class Events:
    """Tells what Kubernetes saw of a store's objects."""

    def __init__(self, cluster: Cluster, watcher: Watcher) -> None:
        self._cluster = cluster
        self._watcher = watcher

    async def of(
        self, store: Store, refs: Sequence[ObjectRef]
    ) -> Mapping[ObjectRef, Sequence[ObjectEvent]]:
        """Return the events of each object, newest first; equal ones are one.

        It never raises: where the cluster does not answer soon, there are none.
        """
        view = self._watcher.view(store.id).of_record(store.uid)
        if view.get("Namespace", store.namespace) is None:
            return {}  # or it is not the store's: events of any other are not for it
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._cluster.events(store.namespace)
                secrets = await secrets_of(self._cluster, store.namespace) if found else ()
        except (ClusterError, TimeoutError) as exc:
            log.info("events not read", store=store.id, error=str(exc) or "no answer in time")
            return {}
        return _by_object(masked(list(found), secrets), refs)


def _by_object(
    events: Iterable[Json], refs: Sequence[ObjectRef]
) -> Mapping[ObjectRef, Sequence[ObjectEvent]]:
    alike: dict[tuple[ObjectRef, str, str, str], ObjectEvent] = {}
    for event in sorted(events, key=_place):
        kind, name = about(event)
        ref, time = _told_of(kind, name, refs), _moment(time_of(event))
        if ref is None or time is None:
            continue
        told = ObjectEvent(
            time=time,
            type=None,
            severity=Severity.INFO if event.get("type") == "Normal" else Severity.WARNING,
            reason=clean(event.get("reason")),
            message=clean(event.get("message")),
            count=count_of(event),
            object=None if kind == ref.kind else f"{kind}/{name}",
        )
        key = (ref, told.object or "", told.reason, told.message)
        alike[key] = _merged(told, alike[key]) if key in alike else told
    found: dict[ObjectRef, list[ObjectEvent]] = {}
    newest_first = sorted(reversed(alike.items()), key=lambda item: item[1].time, reverse=True)
    for (ref, *_), told in newest_first:
        found.setdefault(ref, []).append(told)
    return found


def _told_of(kind: str, name: str, refs: Sequence[ObjectRef]) -> ObjectRef | None:
    """Return the object that it is about, or whose pod it is: made names begin with the maker's."""
    if same := next((r for r in refs if (r.kind, r.name) == (kind, name) and r.namespace), None):
        return same
    makers = [r for r in refs if r.kind in _MAKERS.get(kind, ()) and name.startswith(f"{r.name}-")]
    return max(makers, key=lambda r: len(r.name), default=None)


def _place(event: Json) -> str:
    """Return what orders events of one second: their names end in hexadecimal nanoseconds.

    Source: client-go's recorder (``tools/events`` and ``tools/record``), ``name.%x``.
    """
    return name_of(event).rpartition(".")[2]


def _merged(one: ObjectEvent, other: ObjectEvent) -> ObjectEvent:
    newer = max(one, other, key=lambda e: e.time)
    return replace(newer, count=one.count + other.count)


def _moment(when: str) -> datetime | None:
    """Return the second: most who write events know no more, and those who do would stand apart."""
    try:
        found = datetime.fromisoformat(when)
    except ValueError:
        return None
    return found.replace(microsecond=0, tzinfo=found.tzinfo or UTC)
