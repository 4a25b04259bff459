"""Garbage collection: what happens to objects whose owners go.

Follows the garbage collector of kube-controller-manager. An owner is known by its uid; one that
does not exist counts as gone. Foreground deletion of an owner waits for the dependents that block
it; orphaning takes the owner out of its dependents; everything else goes in the background.
"""

from __future__ import annotations

from orchestrator.sandbox import resources
from orchestrator.sandbox.housekeeping import Agenda, Keeper
from orchestrator.sandbox.operation import DeleteOptions, Options
from orchestrator.sandbox.registry import Registry
from orchestrator.sandbox.resources import RESOURCES
from orchestrator.sandbox.storage import Event
from orchestrator.sandbox.values import Json
from orchestrator.sandbox.writes import FOREGROUND, ORPHAN

MANAGER = "kube-controller-manager"


def _references(obj: Json) -> list[Json]:
    return obj["metadata"].get("ownerReferences") or []


def _ends_by(obj: Json, finalizer: str) -> bool:
    meta = obj["metadata"]
    return "deletionTimestamp" in meta and finalizer in (meta.get("finalizers") or [])


class GarbageKeeper(Keeper):
    """Deletes what has lost its owners."""

    def __init__(self, registry: Registry, agenda: Agenda) -> None:
        self._registry = registry
        self._agenda = agenda
        self._dependents: dict[str, set[str]] = {}
        """Uids of dependents by the uid of their owner."""

    def start(self) -> None:
        """Look at everything."""
        for resource in RESOURCES:
            for obj in self._registry.storage.items(resource):
                self._note(obj)

    def hear(self, event: Event) -> None:
        """Keep the graph, and look at whoever an event concerns."""
        if event.previous is not None:
            uid = event.previous["metadata"]["uid"]
            for reference in _references(event.previous):
                self._dependents.get(reference["uid"], set()).discard(uid)
        if event.type != "DELETED":
            self._note(event.object)
            return
        uid = event.object["metadata"]["uid"]
        for dependent in self._dependents.pop(uid, set()):
            self._ask(dependent)
        for reference in _references(event.object):
            self._ask(reference["uid"])

    def _note(self, obj: Json) -> None:
        meta = obj["metadata"]
        references = _references(obj)
        for reference in references:
            self._dependents.setdefault(reference["uid"], set()).add(meta["uid"])
        if references or "deletionTimestamp" in meta:
            self._ask(meta["uid"])

    def _ask(self, uid: str) -> None:
        self._agenda.add(("garbage", uid), lambda: self._look(uid))

    def _look(self, uid: str) -> None:
        obj = self._registry.storage.by_uid(uid)
        if obj is None:
            return
        if _ends_by(obj, ORPHAN):
            self._orphan(obj)
        elif _ends_by(obj, FOREGROUND):
            self._foreground(obj)
        elif _references(obj) and "deletionTimestamp" not in obj["metadata"]:
            self._judge(obj)

    def _children(self, owner: Json) -> list[Json]:
        found = (
            self._registry.storage.by_uid(uid)
            for uid in sorted(self._dependents.get(owner["metadata"]["uid"], set()))
        )
        return [obj for obj in found if obj is not None]

    def _orphan(self, owner: Json) -> None:
        uid = owner["metadata"]["uid"]
        for child in self._children(owner):
            self._keep_references(child, [r for r in _references(child) if r["uid"] != uid])
        self._release(owner, ORPHAN)

    def _foreground(self, owner: Json) -> None:
        for child in self._children(owner):
            if "deletionTimestamp" not in child["metadata"]:
                self._judge(child)
        uid = owner["metadata"]["uid"]
        blocked = any(
            reference["uid"] == uid and reference.get("blockOwnerDeletion")
            for child in self._children(owner)
            for reference in _references(child)
        )
        if not blocked:
            self._release(owner, FOREGROUND)

    def _judge(self, obj: Json) -> None:
        """Keep, relieve of owners, or delete an object by the state of its owners."""
        references = _references(obj)
        owners = [self._owner(obj, r) for r in references]
        solid = [
            reference
            for reference, owner in zip(references, owners, strict=True)
            if owner is not None and not _ends_by(owner, FOREGROUND)
        ]
        if solid:
            if len(solid) < len(references):
                self._keep_references(obj, solid)
            return
        waited_for = any(owner is not None for owner in owners)
        finalizers = obj["metadata"].get("finalizers") or []
        policy = "Background"
        if waited_for and self._children(obj):
            policy = "Foreground"
        elif ORPHAN in finalizers:
            policy = "Orphan"
        meta = obj["metadata"]
        self._registry.remove(
            resources.of(obj["kind"]),
            meta.get("namespace"),
            meta["name"],
            DeleteOptions(uid=meta["uid"], propagation=policy),
        )

    def _owner(self, obj: Json, reference: Json) -> Json | None:
        """Return the living owner: the right uid, kind, name and namespace."""
        owner = self._registry.storage.by_uid(reference["uid"])
        if owner is None:
            return None
        space = owner["metadata"].get("namespace")
        same = (owner["kind"], owner["metadata"]["name"]) == (reference["kind"], reference["name"])
        return owner if same and space in (None, obj["metadata"].get("namespace")) else None

    def _keep_references(self, obj: Json, references: list[Json]) -> None:
        meta = {k: v for k, v in obj["metadata"].items() if k != "ownerReferences"}
        if references:
            meta["ownerReferences"] = references
        self._write(obj, obj | {"metadata": meta})

    def _release(self, obj: Json, finalizer: str) -> None:
        left = [f for f in obj["metadata"]["finalizers"] if f != finalizer]
        meta = {k: v for k, v in obj["metadata"].items() if k != "finalizers"}
        if left:
            meta["finalizers"] = left
        self._write(obj, obj | {"metadata": meta})

    def _write(self, old: Json, new: Json) -> None:
        meta = old["metadata"]
        self._registry.replace(
            resources.of(old["kind"]),
            meta.get("namespace"),
            meta["name"],
            new,
            Options(MANAGER, validation="Ignore"),
        )
