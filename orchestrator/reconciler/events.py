"""What Kubernetes tells of a store's objects and of the pods that they made.

Its events stand nowhere but in the cluster, which forgets them after an hour (``--event-ttl``);
they are listed when somebody asks, and never without the store's passwords masked: a probe's event
quotes what the probe printed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from orchestrator.cluster import Cluster
from orchestrator.model.errors import ClusterError
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.store import Store
from orchestrator.model.timeline import ObjectEvent, Severity
from orchestrator.reconciler.masking import masked_event, secrets_of
from orchestrator.telemetry import get_logger
from orchestrator.watcher import Watcher
from orchestrator.watcher.events import about, container_of, count_of, time_of
from orchestrator.watcher.fields import clean, meta, text

log = get_logger(__name__)

PATIENCE: Final = 2.0
"""Seconds that a reader of the inventory waits for what is worth less than the inventory."""
PAUSE: Final = 15.0
"""Seconds in which nobody waits again for a cluster that did not answer in time."""
MOST: Final = 10
"""Events of one object; the timeline's stand beside them."""
_MAKERS: Final[Mapping[str, Sequence[str]]] = {
    "Pod": ("Deployment", "StatefulSet", "CronJob"),
    "ReplicaSet": ("Deployment",),
    "Job": ("CronJob",),
}


class Events:
    """Tells what Kubernetes saw of stores' objects."""

    def __init__(
        self, cluster: Cluster, watcher: Watcher, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._watcher = watcher
        self._clock = clock
        self._asks_again = 0.0

    async def of(
        self, store: Store, refs: Sequence[ObjectRef]
    ) -> Mapping[ObjectRef, Sequence[ObjectEvent]]:
        """Return the newest `MOST` events of each object, newest first; equal ones are one.

        It never raises: where the cluster does not answer soon, there are none, and for a while
        nobody waits for it again.
        """
        view = self._watcher.view(store.id).of_record(store.uid)
        if view.get("Namespace", store.namespace) is None:
            return {}  # or it is not the store's: events of any other are not for it
        if self._clock() < self._asks_again:
            return {}
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._cluster.events(store.namespace)
                secrets = await self._secrets(store.namespace) if found else ()
        except (ClusterError, TimeoutError) as exc:
            log.info("events not read", store=store.id, error=str(exc) or "no answer in time")
            self._asks_again = self._clock() + PAUSE
            return {}
        return {
            ref: [_told(sight, ref, secrets) for sight in sights]
            for ref, sights in _newest(found, refs).items()
        }

    async def _secrets(self, namespace: str) -> Sequence[str] | None:
        try:
            return await secrets_of(self._cluster, namespace)
        except ClusterError:
            return None


@dataclass(frozen=True)
class _Sight:
    """Events that say the same of the same object: the newest, its time, how many there were."""

    event: Json
    time: datetime
    count: int


def _newest(
    events: Iterable[Json], refs: Sequence[ObjectRef]
) -> Mapping[ObjectRef, Sequence[_Sight]]:
    """Return of each object the newest sights: a namespace may hold thousands of events."""
    alike: dict[tuple[ObjectRef, tuple[str, ...]], _Sight] = {}
    for event in sorted(events, key=_version):
        kind, name = about(event)
        ref, when = _teller(kind, name, refs), _moment(time_of(event))
        if ref is None or when is None:
            continue
        said = (text(event.get("reason")), text(event.get("message")))
        key = (ref, (kind, name, container_of(event), *said))
        before = alike.pop(key, None)
        count = count_of(event) + (before.count if before else 0)
        if before is not None and before.time > when:
            event, when = before.event, before.time
        alike[key] = _Sight(event, when, count)
    found: dict[ObjectRef, list[_Sight]] = {}
    newest_first = sorted(reversed(alike.items()), key=lambda item: item[1].time, reverse=True)
    for (ref, *_), sight in newest_first:
        if len(sights := found.setdefault(ref, [])) < MOST:
            sights.append(sight)
    return found


def _told(sight: _Sight, ref: ObjectRef, secrets: Sequence[str] | None) -> ObjectEvent:
    event = masked_event(sight.event, secrets)
    kind, name = about(event)
    container = container_of(event)
    thing = f"{kind}/{name}" + (f" ({container})" if container else "")
    return ObjectEvent(
        time=sight.time,
        type=None,
        severity=Severity.INFO if event.get("type") == "Normal" else Severity.WARNING,
        reason=clean(event.get("reason")),
        message=clean(event.get("message")),
        count=sight.count,
        object=None if kind == ref.kind else clean(thing),
    )


def _teller(kind: str, name: str, refs: Sequence[ObjectRef]) -> ObjectRef | None:
    """Return the object that it is about, or whose pod it is: made names begin with the maker's."""
    if same := next((r for r in refs if (r.kind, r.name) == (kind, name) and r.namespace), None):
        return same
    makers = [r for r in refs if r.kind in _MAKERS.get(kind, ()) and name.startswith(f"{r.name}-")]
    return max(makers, key=lambda r: len(r.name), default=None)


def _version(event: Json) -> int:
    """Return what orders events of one second: the order in which they were written.

    Source: KEP-5504, resource versions are decimal numbers that rise.
    """
    version = text(meta(event).get("resourceVersion"))
    return int(version) if version.isdecimal() else 0


def _moment(when: str) -> datetime | None:
    """Return the second: most who write events know no more, and those who do would stand apart."""
    try:
        found = datetime.fromisoformat(when)
    except ValueError:
        return None
    return found.replace(microsecond=0, tzinfo=found.tzinfo or UTC)
