"""All objects, in memory and in the journal, under one rising resourceVersion.

Invariants: stored objects are never changed in place; every write has a resourceVersion of its
own; events are seen in the order of their versions; what the window of past events no longer
covers cannot be watched or listed any more (410), and the window is empty after a restart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Literal

from orchestrator.sandbox.errors import expired
from orchestrator.sandbox.journal import Journal
from orchestrator.sandbox.resources import RESOURCES, Resource
from orchestrator.sandbox.values import Json

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
WINDOW = 20_000
"""Past events that watches may still ask for."""


@dataclass(eq=False)
class Event:
    """One write: the object after it (for DELETED: its last state) and the one before it."""

    version: int
    type: EventType
    resource: Resource
    object: Json
    previous: Json | None
    rendered: dict[str, bytes] = field(default_factory=dict)
    """Bytes already made for a watch, by shape: most watchers ask for the same."""


Listener = Callable[[Event], None]
_Index = dict[str, dict[str, Json]]


class Storage:
    """Objects by resource, namespace and name, and the window of past events."""

    def __init__(self, path: Path, *, window: int = WINDOW) -> None:
        self._journal = Journal(path)
        self._objects: dict[str, _Index] = {r.qualified: {} for r in RESOURCES}
        self._by_uid: dict[str, Json] = {}
        self._events: deque[Event] = deque(maxlen=window)
        self._listeners: list[Listener] = []
        self.version = self._journal.version()
        for (resource, namespace, name), obj in self._journal.load():
            if resource in self._objects:
                self._objects[resource].setdefault(namespace, {})[name] = obj
                self._by_uid[obj["metadata"]["uid"]] = obj
        self._oldest = self.version

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return the object, or None. Shared: never change it."""
        return self._objects[resource.qualified].get(namespace, {}).get(name)

    def by_uid(self, uid: str) -> Json | None:
        """Return the object with the uid, or None."""
        return self._by_uid.get(uid)

    def items(self, resource: Resource, namespace: str | None = None) -> list[Json]:
        """Return the objects, sorted by namespace and name. Shared: never change them."""
        index = self._objects[resource.qualified]
        spaces = sorted(index) if namespace is None else [namespace]
        return [found for space in spaces for _, found in sorted(index.get(space, {}).items())]

    def count(self, resource: Resource, namespace: str) -> int:
        """Return how many objects there are in the namespace."""
        return len(self._objects[resource.qualified].get(namespace, {}))

    def items_at(self, resource: Resource, namespace: str | None, version: int) -> list[Json]:
        """Return the objects as they were at a past version; raises 410 when too old."""
        now = {_place(o): o for o in self.items(resource, namespace)}
        for event in reversed(self.since(version)):
            if event.resource is not resource or namespace not in (None, _place(event.object)[0]):
                continue
            if event.previous is None:
                now.pop(_place(event.object), None)
            else:
                now[_place(event.object)] = event.previous
        return [obj for _, obj in sorted(now.items())]

    def put(self, resource: Resource, obj: Json) -> Json:
        """Store a new or changed object; returns it with its resourceVersion."""
        version = self.version + 1
        meta = obj["metadata"] | {"resourceVersion": str(version)}
        stored = obj | {"metadata": meta}
        namespace, name = _place(stored)
        self._journal.put((resource.qualified, namespace, name), version, stored)
        index = self._objects[resource.qualified].setdefault(namespace, {})
        previous = index.get(name)
        index[name] = stored
        self._by_uid[meta["uid"]] = stored
        self._emit(version, "ADDED" if previous is None else "MODIFIED", resource, stored, previous)
        return stored

    def remove(self, resource: Resource, obj: Json) -> Json:
        """Remove an object for good; returns its last state under a version of its own."""
        version = self.version + 1
        namespace, name = _place(obj)
        previous = self._objects[resource.qualified][namespace][name]
        last = obj | {"metadata": obj["metadata"] | {"resourceVersion": str(version)}}
        self._journal.drop((resource.qualified, namespace, name), version)
        del self._objects[resource.qualified][namespace][name]
        self._by_uid.pop(obj["metadata"]["uid"], None)
        self._emit(version, "DELETED", resource, last, previous)
        return last

    def _emit(
        self,
        version: int,
        type: EventType,
        resource: Resource,
        obj: Json,
        previous: Json | None,
    ) -> None:
        self.version = version
        if len(self._events) == self._events.maxlen:
            self._oldest = self._events[0].version
        event = Event(version, type, resource, obj, previous)
        self._events.append(event)
        for listener in tuple(self._listeners):
            listener(event)

    def since(self, version: int) -> list[Event]:
        """Return the events after a version, oldest first; raises 410 when too old."""
        if version < self._oldest:
            raise expired(f"too old resource version: {version} ({self._oldest})")
        newer = list(takewhile(lambda e: e.version > version, reversed(self._events)))
        return newer[::-1]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call the listener with every event from now on; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()


def _place(obj: Json) -> tuple[str, str]:
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]
