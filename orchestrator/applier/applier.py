"""Brings rendered objects into the cluster by server-side apply, and takes out what is not wanted.

Invariants: only what a template says is sent; an object whose rendered digest and whose live fields
of ours are unchanged is not sent at all (re-applying in bulk has overloaded API servers); objects
that Helm manages and namespaces that are not the store's are never touched; claims and the
Namespace are never pruned; a delete names the uid that was seen. No state: inventory and live
objects come and go as values.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from orchestrator.applier.ownership import digest, foreign_changes, live_digest, missing
from orchestrator.cluster import Cluster
from orchestrator.model.changeset import Action, Change, ChangeSet, FieldConflict
from orchestrator.model.errors import (
    AlreadyExists,
    ApplyConflict,
    ClusterRejected,
    NamespaceNotOurs,
    NamespaceTerminating,
    ObjectHeldByHelm,
    ObjectNotFound,
    PreconditionConflict,
)
from orchestrator.model.inventory import Inventory, InventoryItem
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.model.names import (
    FIELD_MANAGER,
    ID_LABEL,
    MANAGED_BY_LABEL,
    UID_ANNOTATION,
    namespace_of,
)
from orchestrator.telemetry import Metrics

T = TypeVar("T")
WAVES: Final[tuple[frozenset[str], ...]] = (
    frozenset({"Namespace"}),
    frozenset(
        {
            "ServiceAccount",
            "Secret",
            "ConfigMap",
            "ResourceQuota",
            "LimitRange",
            "NetworkPolicy",
            "PersistentVolumeClaim",
        }
    ),
    frozenset({"StatefulSet", "Deployment", "CronJob", "Service", "PodDisruptionBudget"}),
    frozenset({"Ingress"}),
)
KEPT: Final = frozenset({"PersistentVolumeClaim", "Namespace"})
"""Kinds that are never pruned: one holds the shop's data, the other everything."""


class ConflictPolicy(StrEnum):
    """What to do when another manager holds a field of ours."""

    TAKE_BACK = "take-back"
    STOP = "stop"


@dataclass(frozen=True)
class Applied:
    """What an apply did; ``live`` are the objects as the server returned them (only those sent)."""

    changes: ChangeSet
    inventory: Inventory
    live: Mapping[ObjectRef, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Drift:
    """An object that is not as we left it: ``kind`` is deleted or changed."""

    ref: ObjectRef
    kind: str
    fields: tuple[str, ...] = ()
    manager: str = ""

    def __str__(self) -> str:
        if self.kind == "deleted":
            return f"{self.ref} was deleted by somebody else"
        fields = ", ".join(self.fields[:5]) or "fields of ours"
        more = f" and {len(self.fields) - 5} more" if len(self.fields) > 5 else ""
        return f"{self.ref} was changed by {self.manager or 'somebody else'}: {fields}{more}"


@dataclass(frozen=True)
class NamespaceState:
    """How a namespace's deletion stands; ``messages`` say what holds it up."""

    gone: bool
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Sent:
    change: Change
    item: InventoryItem
    live: Json | None = None


class Applier:
    """Applies, prunes, and deletes namespaces."""

    def __init__(self, cluster: Cluster, metrics: Metrics) -> None:
        self._cluster = cluster
        self._metrics = metrics

    def planned(self, objects: Sequence[Json], previous: Inventory) -> Inventory:
        """Return what to record before applying: ``objects``, and what is yet to be pruned."""
        known = {item.ref: item for item in previous.items}
        items = []
        for obj in objects:
            ref, rendered = ObjectRef.of(obj), digest(obj)
            old = known.get(ref)
            live = old.live if old is not None and old.rendered == rendered else ""
            items.append(InventoryItem(ref, rendered, live))
        return Inventory(tuple(items)).merged(previous)

    def drifted(
        self, objects: Sequence[Json], inventory: Inventory, live: Mapping[ObjectRef, Json]
    ) -> list[Drift]:
        """Return what is not as an earlier apply left it, and who changed what."""
        known = {item.ref: item for item in inventory.items}
        found = []
        for obj in objects:
            item = known.get(ObjectRef.of(obj))
            if item is None or not item.live:
                continue
            present = live.get(item.ref)
            if present is None:
                found.append(Drift(item.ref, "deleted"))
            elif live_digest(present) != item.live:
                found.append(_changed(item.ref, obj, present))
        return found

    async def ensure_namespace(self, obj: Json) -> tuple[Change, Json]:
        """Create the namespace, or check that the one that is there is this store's.

        Returns what was done and the live object. Errors: NamespaceNotOurs, NamespaceTerminating.
        """
        ref = ObjectRef.of(obj)
        with contextlib.suppress(AlreadyExists):
            made = await self._cluster.create(_mark_of_ownership(obj))
            return self._count(Change(ref, Action.CREATED)), made
        present = await self._cluster.get(ref)
        _check_ours(present, obj["metadata"]["annotations"][UID_ANNOTATION], ref)
        if present["metadata"].get("deletionTimestamp"):
            raise NamespaceTerminating(f"{ref} is still being deleted; waiting for its end")
        return Change(ref, Action.UNCHANGED), present

    async def apply(
        self,
        objects: Sequence[Json],
        *,
        inventory: Inventory,
        live: Mapping[ObjectRef, Json],
        policy: ConflictPolicy = ConflictPolicy.TAKE_BACK,
    ) -> Applied:
        """Apply in waves, concurrently inside each; the first error ends it after its wave.

        Errors: ApplyConflict (policy ``stop``), ObjectHeldByHelm, InvalidObject and others of
        ClusterError, each naming the object.
        """
        known = {item.ref: item for item in inventory.items}
        done: list[_Sent] = []
        for wave in _waves(objects):
            calls = [self._one(obj, known, live, policy) for obj in wave]
            done += await _all(calls)
        items = {sent.item.ref: sent.item for sent in done}
        return Applied(
            ChangeSet(tuple(sent.change for sent in done)),
            Inventory(tuple(items.get(item.ref, item) for item in inventory.items)),
            {sent.item.ref: sent.live for sent in done if sent.live is not None},
        )

    async def prune(
        self, keep: Iterable[ObjectRef], inventory: Inventory
    ) -> tuple[ChangeSet, Inventory]:
        """Delete what the inventory holds and ``keep`` lacks; what cannot go stays in it."""
        kept = set(keep)
        extra = [i for i in inventory.items if i.ref not in kept]
        if not extra:
            return ChangeSet(), inventory
        changes = await _all([self._prune_one(item.ref) for item in extra])
        gone = {c.ref for c in changes if c.action is Action.DELETED}
        left = tuple(i for i in inventory.items if i.ref not in gone)
        return ChangeSet(tuple(changes)), Inventory(left)

    async def delete_namespace(self, store_id: str, uid: str) -> NamespaceState:
        """Delete the store's namespace, or say what holds its end up. Errors: NamespaceNotOurs."""
        ref = ObjectRef("Namespace", "", namespace_of(store_id))
        try:
            present = await self._cluster.get(ref)
            _check_ours(present, uid, ref)
            meta = present["metadata"]
            if not meta.get("deletionTimestamp"):
                await self._cluster.delete(ref, uid=meta["uid"])
                present = await self._cluster.get(ref)
        except ObjectNotFound:
            return NamespaceState(gone=True)
        except PreconditionConflict:
            return NamespaceState(gone=False)
        return NamespaceState(gone=False, messages=_hold_ups(present))

    async def _one(
        self,
        obj: Json,
        known: Mapping[ObjectRef, InventoryItem],
        live: Mapping[ObjectRef, Json],
        policy: ConflictPolicy,
    ) -> _Sent:
        ref, rendered = ObjectRef.of(obj), digest(obj)
        present, item = live.get(ref), known.get(ref)
        if present is not None:
            _refuse_helm(present, ref)
            same = item is not None and item.rendered == rendered and item.live
            if same and item is not None and item.live == live_digest(present):
                return _Sent(self._count(Change(ref, Action.UNCHANGED)), item)
        result, conflicts = await self._send(obj, policy)
        action = _action(present, result)
        change = self._count(Change(ref, action, conflicts))
        return _Sent(change, InventoryItem(ref, rendered, live_digest(result)), result)

    async def _send(
        self, obj: Json, policy: ConflictPolicy
    ) -> tuple[Json, tuple[FieldConflict, ...]]:
        try:
            return await self._cluster.apply(obj), ()
        except ApplyConflict as exc:
            if policy is ConflictPolicy.STOP:
                raise
            conflicts = tuple(
                FieldConflict(c.field, _manager(c.message))
                for c in exc.causes
                if c.reason == "FieldManagerConflict"
            )
        # The watch shows only what carries our label: look before anything is taken by force.
        ref = ObjectRef.of(obj)
        _refuse_helm(await self._cluster.get(ref), ref)
        return await self._cluster.apply(obj, force=True), conflicts

    async def _prune_one(self, ref: ObjectRef) -> Change:
        if ref.kind in KEPT:
            return Change(ref, Action.SKIPPED, reason=f"a {ref.kind} is never pruned")
        try:
            present = await self._cluster.get(ref)
            _refuse_helm(present, ref)
            await self._cluster.delete(ref, uid=present["metadata"]["uid"])
        except ObjectNotFound:
            return self._count(Change(ref, Action.DELETED))
        except (ClusterRejected, ObjectHeldByHelm) as exc:
            return self._count(Change(ref, Action.SKIPPED, reason=str(exc)))
        return self._count(Change(ref, Action.DELETED))

    def _count(self, change: Change) -> Change:
        self._metrics.apply_total.labels(change.ref.kind, change.action.value).inc()
        return change


def _waves(objects: Sequence[Json]) -> list[list[Json]]:
    waves = [[o for o in objects if o["kind"] in kinds] for kinds in WAVES]
    known = frozenset().union(*WAVES)
    waves[-1] += [o for o in objects if o["kind"] not in known]
    return [wave for wave in waves if wave]


async def _all(calls: Sequence[Awaitable[T]]) -> list[T]:
    """Run all to their end, then raise the first error if there was one."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [r for r in results if not isinstance(r, BaseException)]


def _action(before: Json | None, after: Json) -> Action:
    if before is None:
        return Action.CREATED
    same = before["metadata"].get("resourceVersion") == after["metadata"].get("resourceVersion")
    return Action.UNCHANGED if same else Action.CONFIGURED


def _changed(ref: ObjectRef, sent: Json, live: Json) -> Drift:
    foreign = foreign_changes(sent, live)
    if foreign:
        manager = foreign[0][1]
        return Drift(ref, "changed", tuple(f for f, m in foreign if m == manager), manager)
    return Drift(ref, "changed", tuple(missing(sent, live)))


def _manager(message: str) -> str:
    """Take the manager out of ``conflict with "kubectl" using apps/v1``."""
    parts = message.split('"')
    return parts[1] if len(parts) > 1 else message


def _mark_of_ownership(namespace: Json) -> Json:
    """Return just what says whose it is: all else is applied, so that it can be unapplied too."""
    meta = namespace["metadata"]
    labels = {k: meta["labels"][k] for k in (MANAGED_BY_LABEL, ID_LABEL)}
    notes = {UID_ANNOTATION: meta["annotations"][UID_ANNOTATION]}
    mark = {"name": meta["name"], "labels": labels, "annotations": notes}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": mark}


def _check_ours(namespace: Json, uid: str, ref: ObjectRef) -> None:
    meta = namespace["metadata"]
    labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
    if labels.get(MANAGED_BY_LABEL) != FIELD_MANAGER or ID_LABEL not in labels:
        raise NamespaceNotOurs(
            f"{ref} exists already and was not made by Urumi Stores; it is never changed."
        )
    if notes.get(UID_ANNOTATION) != uid:
        raise NamespaceNotOurs(
            f"{ref} belongs to another installation or a lost record "
            f"(its {UID_ANNOTATION} differs); it is never changed."
        )


def _refuse_helm(present: Json, ref: ObjectRef) -> None:
    labels = present["metadata"].get("labels") or {}
    if labels.get(MANAGED_BY_LABEL) == "Helm":
        raise ObjectHeldByHelm(f"{ref} is managed by Helm and is never touched")


def _hold_ups(namespace: Json) -> tuple[str, ...]:
    """Return the messages of the conditions that say what remains."""
    conditions = (namespace.get("status") or {}).get("conditions") or []
    return tuple(
        str(c.get("message") or c.get("type")) for c in conditions if c.get("status") == "True"
    )
